"""A placement as a value: what the person wishes, and what was decided."""

from dataclasses import dataclass

from app.domain.placement import DeviceShare, Placement
from app.engine.placement.shape import WeightBytes
from app.machine.devices import Device


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the person decided; None leaves it to the plan.

    ``gpu_layers``: layers with attention and cache on the GPU, the output counting as one; ``expert_layers``: how many
    layers keep their experts on the GPU; ``kv_types``: of keys and values; ``full_window``: sliding-window layers
    remember everything, so that a conversation can be cut anywhere without reading it again; ``mapped``: map the file,
    though it fits into memory.
    """

    context: int | None = None  # tokens
    kv_types: tuple[str, str] = ("f16", "f16")
    gpu_layers: int | None = None
    expert_layers: int | None = None
    micro_batch: int | None = None  # tokens
    threads: int | None = None
    full_window: bool = True
    flash_attention: bool = True
    mapped: bool = False


@dataclass(frozen=True, slots=True)
class Override:
    """Tensors whose name ``pattern`` finds (std::regex_search; the first one of the list wins) go to ``buffer``."""

    pattern: str
    buffer: str = "CPU"


@dataclass(frozen=True, slots=True)
class Share:
    """What lies on one device, in bytes.

    ``layers``: first and one past the last of those whose attention and cache are here.
    """

    device: Device
    weights: WeightBytes
    kv: int
    compute: int
    layers: tuple[int, int] = (0, 0)

    @property
    def used(self) -> int:
        return self.weights.every_token + self.weights.experts + self.kv + self.compute


@dataclass(frozen=True, slots=True)
class Plan:
    """Sizes in bytes.

    ``layers``: of the model, the output not counted. ``shares``: GPUs in order, RAM last. ``disk``: how much of the
    RAM's weights does not fit there and is read from the file again and again. ``tensor_split``: layers on each GPU.
    ``experts_in_ram``: of the layers on GPUs, those whose experts are not there. ``mmap``: map the file instead of
    reading it, and leave weights as they are stored. ``amx``: lay them out for AMX. ``measured``: whether the
    bandwidths behind ``tokens_per_second`` are. ``fits``: whether this will run at all; ``why``: in either case the
    reason. ``sentence``: all of it for a beginner.
    """

    model: str
    architecture: str
    layers: int
    layers_with_experts: int
    weights: int
    context: int
    context_trained: int
    kv_types: tuple[str, str]
    full_window: bool
    micro_batch: int
    gpu_layers: int
    expert_layers: int
    tensor_split: tuple[int, ...]
    overrides: tuple[Override, ...]
    experts_in_ram: tuple[int, ...]
    mmap: bool
    amx: bool
    threads: int | None
    shares: tuple[Share, ...]
    disk: int
    disk_bandwidth: float
    tokens_per_second: float
    measured: bool
    fits: bool
    why: str
    sentence: str

    @property
    def ram(self) -> Share:
        return self.shares[-1]

    @property
    def gpus(self) -> tuple[Share, ...]:
        return self.shares[:-1]

    def shown(self) -> Placement:
        """As a person sees it."""
        return Placement(
            model=self.model,
            context=self.context,
            context_trained=self.context_trained,
            layers=self.layers + 1,
            layers_with_experts=self.layers_with_experts,
            gpu_layers=self.gpu_layers,
            expert_layers=self.expert_layers,
            kv_types=self.kv_types,
            micro_batch=self.micro_batch,
            weights=self.weights,
            shares=tuple(map(_shown, self.shares)),
            disk=self.disk,
            tokens_per_second=self.tokens_per_second,
            measured=self.measured,
            fits=self.fits,
            sentence=self.sentence,
            why=self.why,
        )


def _shown(share: Share) -> DeviceShare:
    return DeviceShare(
        name=share.device.name,
        kind=share.device.kind.value,
        total=share.device.total,
        free=share.device.free,
        dense=share.weights.every_token,
        experts=share.weights.experts,
        kv=share.kv,
        compute=share.compute,
    )
