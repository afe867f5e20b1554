"""Where a model lies on a machine, as a person is shown it, and what a person may decide about it."""

from dataclasses import dataclass

KV_TYPES = ("f16", "bf16", "f32", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0", "iq4_nl")
"""What llama.cpp takes for keys and values."""


@dataclass(frozen=True, slots=True)
class LoadOverrides:
    """How a person wants one model to be loaded. None leaves it to the plan.

    ``context`` in tokens; ``gpu_layers``: layers on the GPU, the output counting as one; ``expert_layers``: how many
    layers keep their experts there; ``kv_types``: of keys and values, of ``KV_TYPES``; ``threads`` at most.
    """

    context: int | None = None
    gpu_layers: int | None = None
    expert_layers: int | None = None
    kv_types: tuple[str, str] | None = None
    threads: int | None = None


@dataclass(frozen=True, slots=True)
class PlacementVariant:
    """A placement that differs from the plan; None where it does not. ``what``: for a person, as in "runs fastest ...".

    ``gpus``: only so many of the GPUs; ``mapped``: the file is mapped and weights stay as they are stored, instead of
    being read into memory in the processor's own layout.
    """

    what: str = "as planned"
    expert_layers: int | None = None
    micro_batch: int | None = None
    gpus: int | None = None
    mapped: bool | None = None
    flash_attention: bool | None = None


AS_PLANNED = PlacementVariant()


@dataclass(frozen=True, slots=True)
class Speed:
    """What was measured of one placement: tokens of a prompt, and of an answer, a second."""

    what: str
    reads: float
    writes: float


@dataclass(frozen=True, slots=True)
class Tuning:
    """``figures``: the plan first, then the others that worked. ``seconds``: how long the comparison took."""

    name: str
    chosen: PlacementVariant
    figures: tuple[Speed, ...]
    seconds: float

    @property
    def sentence(self) -> str:
        plan = self.figures[0]
        best = next(speed for speed in self.figures if speed.what == self.chosen.what)
        if best is plan:
            return f"{self.name} runs fastest {plan.what}, with {_rate(plan.writes)} tokens a second."
        return (
            f"{self.name} runs fastest {best.what}: {_rate(best.writes)} tokens a second instead of "
            f"{_rate(plan.writes)} {plan.what}."
        )


@dataclass(frozen=True, slots=True)
class DeviceShare:
    """What lies on one device, in bytes. ``kind``: "gpu" or "ram". ``dense``: all that every token needs. ``total`` and
    ``free`` are the device's; ``free`` is before the model is there."""

    name: str
    kind: str
    total: int
    free: int
    dense: int
    experts: int
    kv: int
    compute: int

    @property
    def used(self) -> int:
        return self.dense + self.experts + self.kv + self.compute


@dataclass(frozen=True, slots=True)
class Placement:
    """A plan for one model on one machine. Sizes in bytes, ``context`` in tokens.

    ``shares``: GPUs in order, RAM last. ``disk``: how much of the RAM's part is read from the file again and again.
    ``layers``: what ``gpu_layers`` can be at most; ``layers_with_experts``: the same for ``expert_layers``.
    ``measured``: whether the bandwidths behind ``tokens_per_second`` are. ``sentence`` is for a beginner, ``why`` says
    what decides the speed, or why it does not fit.
    """

    model: str
    context: int
    context_trained: int
    layers: int
    layers_with_experts: int
    gpu_layers: int
    expert_layers: int
    kv_types: tuple[str, str]
    micro_batch: int
    weights: int
    shares: tuple[DeviceShare, ...]
    disk: int
    tokens_per_second: float
    measured: bool
    fits: bool
    sentence: str
    why: str


def _rate(rate: float) -> str:
    """Three digits that count, and never as a power of ten."""
    return f"{rate:,.0f}" if rate >= 1000 else f"{rate:.3g}"
