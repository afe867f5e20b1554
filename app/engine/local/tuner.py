"""Which placement is fastest, found with a stopwatch: each is loaded in a process of its own and writes a few tokens.

Where memory holds the model twice, this happens beside the loaded one, which answers as if nothing was; else the model
is unloaded meanwhile. Used on the thread of whoever asks; stopped by its token, it leaves no process behind.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from app.domain.cancel import CancelToken
from app.domain.errors import AppError
from app.domain.events import Event, ModelLoaded
from app.domain.messages import GenerationStats
from app.domain.models import LoadRequest, ModelInfo, PromptText, Sampling
from app.domain.placement import AS_PLANNED, Placement, PlacementVariant, Speed, Tuning
from app.domain.protocols import Publish
from app.engine.placement.alternatives import alternatives
from app.engine.placement.fit import plan_on_rung
from app.engine.placement.plan import Plan
from app.engine.placement.planner import MARGIN
from app.engine.placement.shape import read_shape
from app.engine.protocol import Engine, Finished, GenerationRequest
from app.machine.devices import Machine, found_gpu, on_battery, this_ram

log = logging.getLogger(__name__)

CHEAP_S = 2.0  # a load of at most so many seconds is made twice
GAIN = 0.95  # of the plan's time, in every round, for another placement to be taken
PROMPT, ANSWER = 64, 32  # tokens that are timed
# The answer is written behind as long a prompt as is read in so many seconds: what attention costs shows only there.
DEPTH_S, DEEPEST = 3.0, 2048
TYPICAL_PROMPT, TYPICAL_ANSWER = 256, 256  # what the two speeds are weighed with: of a turn, most is in the cache
_TEXT = "The lighthouse keeper wrote down the weather, the ships and the birds of every day in a long green book. "


@dataclass(frozen=True, slots=True)
class _Run:
    """Tokens a second."""

    reads: float
    writes: float

    @property
    def seconds(self) -> float:
        return TYPICAL_PROMPT / self.reads + TYPICAL_ANSWER / self.writes


class Tuner:
    """``trial`` makes an engine that keeps nothing and shares nothing; ``cancel`` ends whatever it does."""

    def __init__(self, trial: Callable[[Publish], Engine], cancel: CancelToken) -> None:
        self._trial = trial
        self._cancel = cancel
        self._depth = 0  # tokens, the same for every placement

    def compare(self, request: LoadRequest, model: ModelInfo, variants: Sequence[PlacementVariant]) -> Tuning:
        """Time the plan and the variants, and say which is fastest.

        A variant that dies or needs more memory than there is is out.
        Raises Cancelled, and AppError where the plan itself cannot be measured.
        """
        started = time.monotonic()
        runs: dict[PlacementVariant, list[_Run]] = {variant: [] for variant in (AS_PLANNED, *variants)}
        for _ in range(2 if model.seconds <= CHEAP_S else 1):
            for variant in tuple(runs):
                try:
                    runs[variant].append(self._measure(replace(request, variant=variant)))
                except AppError as error:
                    if variant == AS_PLANNED:
                        raise
                    log.info("%s %s: %s", model.name, variant.what, error)
                    del runs[variant]
        plan, *others = runs.items()
        faster = [
            (sum(run.seconds for run in made), variant)
            for variant, made in others
            if all(run.seconds <= GAIN * base.seconds for run, base in zip(made, plan[1], strict=True))
        ]
        chosen = min(faster, key=lambda found: found[0])[1] if faster else AS_PLANNED
        figures = tuple(
            Speed(variant.what, max(run.reads for run in made), max(run.writes for run in made))
            for variant, made in runs.items()
        )
        tuning = Tuning(model.name, chosen, figures, time.monotonic() - started)
        log.info("%s", tuning.sentence)
        return tuning

    def _measure(self, request: LoadRequest) -> _Run:
        cancel = self._cancel
        cancel.raise_if_cancelled()
        safer: list[bool] = []

        def hear(event: Event) -> None:
            if isinstance(event, ModelLoaded) and event.note is not None:
                safer.append(True)

        engine = self._trial(hear)
        ending = threading.Thread(target=engine.close, name="end a trial")  # whoever cancels does not wait for it
        forget = cancel.on_cancel(ending.start)
        try:
            info = engine.load(request, cancel)
            (ids,) = engine.tokenize([PromptText(_TEXT * (DEEPEST // 16))])
            _write(engine, ids[-8:], cancel)  # the first tokens pay for what is only done once
            if not self._depth:
                speed = _reads(_write(engine, ids[:PROMPT], cancel))
                self._depth = max(PROMPT, min(int(speed * DEPTH_S), DEEPEST, info.context - 2 * ANSWER))
            run = _timed(engine, ids, self._depth, cancel) if not safer else None
            if run is None or safer:  # it may have died while it was timed, and gone on by a safer plan
                raise no_room()
            return run
        except AppError:
            cancel.raise_if_cancelled()
            raise
        finally:
            forget()
            engine.close()
            if ending.ident is not None:
                ending.join()


def candidates(request: LoadRequest, model: ModelInfo) -> tuple[PlacementVariant, ...]:
    """What is worth trying besides the plan, and does not go against what was asked for.

    ``model``: as loaded by plan.
    """
    if model.placement is None:
        return ()
    machine = _machine(model.placement)
    shape = read_shape(Path(request.path))
    plan = plan_on_rung(shape, machine, request)
    decided = request.gpu_layers is not None or request.expert_layers is not None
    return tuple(
        variant
        for variant in alternatives(plan, machine)
        if not (decided and (variant.expert_layers is not None or variant.gpus is not None))
        and _as_good(plan_on_rung(shape, machine, replace(request, variant=variant)), plan)
    )


def _as_good(other: Plan, plan: Plan) -> bool:
    """Whether it fits with the same context, and reads no more from the disk."""
    return other.fits and other.context == plan.context and other.disk <= plan.disk


def no_room() -> AppError:
    return AppError("not-enough-memory", "There is not enough free memory for this placement.")


def unnoticed(model: ModelInfo) -> bool:
    """Whether nobody would notice, and figures are what they usually are: a battery is neither emptied nor slow."""
    return fits_twice(model) and not on_battery()


def fits_twice(model: ModelInfo) -> bool:
    """Whether the loaded model finds room beside itself, and a second one would be placed as the first was."""
    placement = model.placement
    if placement is None or placement.disk:
        return False
    gpus = [share for share in placement.shares[:-1] if share.used]
    if len(gpus) > 1 or any(share.free - 2 * share.used < MARGIN for share in gpus):
        return False
    return this_ram(measure=False).free - sum(share.used for share in placement.shares) >= MARGIN


def beside(request: LoadRequest, model: ModelInfo) -> LoadRequest:
    """The loaded plan, spelled out: less memory is free now, and by itself another one would be made."""
    placement = model.placement
    assert placement is not None
    return replace(
        request,
        context=model.context,
        gpu_layers=placement.gpu_layers,
        expert_layers=placement.expert_layers,
        micro_batch=placement.micro_batch,
    )


def _machine(placement: Placement) -> Machine:
    """As it was before the model was there."""
    ram = this_ram(measure=False)
    gpus = tuple(found_gpu(share.name, share.total, share.free, ram) for share in placement.shares[:-1])
    return Machine(replace(ram, free=placement.shares[-1].free), gpus)


def _timed(engine: Engine, ids: Sequence[int], depth: int, cancel: CancelToken) -> _Run:
    """A model may end its answer early; then it is asked again, otherwise."""
    written = read = 0
    writing = reading = 0.0
    for start in range(4):
        stats = _write(engine, ids[start : start + depth], cancel)
        written, writing = written + stats.generated_tokens, writing + stats.decode_s
        read, reading = read + stats.prompt_tokens - stats.cached_tokens, reading + stats.prefill_s
        if written >= ANSWER:
            break
    if not written:
        raise AppError("tuning-silent", "The model wrote nothing, so its speed is not known.", "Choose another model.")
    return _Run(read / max(reading, 1e-9), written / max(writing, 1e-9))


def _reads(stats: GenerationStats) -> float:
    """Tokens a second."""
    return (stats.prompt_tokens - stats.cached_tokens) / max(stats.prefill_s, 1e-9)


def _write(engine: Engine, prompt: Sequence[int], cancel: CancelToken) -> GenerationStats:
    request = GenerationRequest(tuple(prompt), Sampling(temperature=0), max_tokens=ANSWER)
    stats = GenerationStats()
    for event in engine.generate(request, cancel):
        if isinstance(event, Finished):
            stats = event.stats
    cancel.raise_if_cancelled()
    return stats
