"""The states of the engine, and the table of what leads from one to another.

Pure: the loop acts, and then says here what has happened. What the table does not know cannot happen, or is a bug.

    state     what has happened -> the next state
    Empty     LoadBegan -> Loading, LoadGivenUp -> Empty or Died
    Loading   LoadSucceeded -> Ready, LoadGivenUp -> Empty or Died, ChildGone -> Died
    Ready     WorkBegan -> Busy, Rested -> Resting, ChildGone -> Died
    Busy      WorkEnded -> Ready, ChildGone -> Died or Resting
    Died      LoadBegan -> Loading, LoadGivenUp -> Empty or Died
    Resting   LoadBegan -> Loading, LoadGivenUp -> Empty or Died
    any       Unloaded -> Empty
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar, TypeAlias

from app.domain.models import LoadRequest, ModelInfo
from app.engine.local.jobs import GenerateJob, LoadJob, ReadAheadJob
from app.engine.local.process import EngineChild

log = logging.getLogger(__name__)

Work: TypeAlias = GenerateJob | ReadAheadJob


@dataclass(frozen=True, slots=True)
class Empty:
    """No model, and none that comes back by itself."""

    child: ClassVar[None] = None
    model: ClassVar[None] = None
    job: ClassVar[None] = None


@dataclass(frozen=True, slots=True)
class Loading:
    """A child loads a model. ``short_of_memory``: ``request`` is a safer plan because an earlier one needed more."""

    child: EngineChild
    job: LoadJob
    request: LoadRequest
    short_of_memory: bool = False
    model: ClassVar[None] = None


@dataclass(frozen=True, slots=True)
class Ready:
    """A model is loaded and has nothing to do. ``spoke``: it was asked for an answer since it was loaded."""

    child: EngineChild
    request: LoadRequest
    model: ModelInfo
    spoke: bool = False
    job: ClassVar[None] = None


@dataclass(frozen=True, slots=True)
class Busy:
    """The loaded model writes an answer, or reads ahead."""

    child: EngineChild
    request: LoadRequest
    model: ModelInfo
    job: Work
    spoke: bool = False


@dataclass(frozen=True, slots=True)
class Died:
    """The child has ended by itself. Whoever comes next loads the model again, by a safer plan."""

    request: LoadRequest
    short_of_memory: bool = False
    child: ClassVar[None] = None
    model: ClassVar[None] = None
    job: ClassVar[None] = None


@dataclass(frozen=True, slots=True)
class Resting:
    """There is no child, but nothing is wrong with the plan. Whoever comes next loads the model again as it was."""

    request: LoadRequest
    child: ClassVar[None] = None
    model: ClassVar[None] = None
    job: ClassVar[None] = None


State: TypeAlias = Empty | Loading | Ready | Busy | Died | Resting
"""Each tells its child, its loaded model and the job that is under way, or None: they are looked at for every token."""


@dataclass(frozen=True, slots=True)
class LoadBegan:
    child: EngineChild
    job: LoadJob
    request: LoadRequest


@dataclass(frozen=True, slots=True)
class LoadSucceeded:
    model: ModelInfo


@dataclass(frozen=True, slots=True)
class LoadGivenUp:
    """A load failed for good, or was cancelled. ``again``: it was the loop's own, of a model that was there before."""

    request: LoadRequest
    again: bool = False


@dataclass(frozen=True, slots=True)
class WorkBegan:
    job: Work


@dataclass(frozen=True, slots=True)
class WorkEnded:
    pass


@dataclass(frozen=True, slots=True)
class ChildGone:
    """The child died, or ended because the plan needs more memory than there is."""

    short_of_memory: bool


@dataclass(frozen=True, slots=True)
class Rested:
    """Nothing was to do for long, so the model was unloaded."""


@dataclass(frozen=True, slots=True)
class Unloaded:
    """Because somebody asked for it, or another model takes its place, or the program ends."""


Happening: TypeAlias = LoadBegan | LoadSucceeded | LoadGivenUp | WorkBegan | WorkEnded | ChildGone | Rested | Unloaded


class ImpossibleTransition(RuntimeError):
    """The table does not know it."""


def after(state: State, happening: Happening) -> State:
    """The next state. Raises ImpossibleTransition."""
    step = TRANSITIONS.get((type(state), type(happening)))
    if step is None:
        log.error("%s cannot happen while the engine is %s", type(happening).__name__, type(state).__name__)
        raise ImpossibleTransition(f"{type(happening).__name__} while {type(state).__name__}")
    new = step(state, happening)
    log.debug("%s: %s -> %s", type(happening).__name__, type(state).__name__, type(new).__name__)
    return new


def is_same(loaded: LoadRequest, wanted: LoadRequest) -> bool:
    """Whether it is the same model with the same wishes; the plan that they led to may be another one."""
    return replace(loaded, rung=wanted.rung, variant=wanted.variant) == wanted


def _load_began(state: Empty | Died | Resting, begun: LoadBegan) -> State:
    short = isinstance(state, Died) and state.short_of_memory and is_same(state.request, begun.request)
    return Loading(begun.child, begun.job, begun.request, short)


def _load_given_up(state: Empty | Loading | Died | Resting, given_up: LoadGivenUp) -> State:
    if not given_up.again:
        return Empty()
    return Died(given_up.request, isinstance(state, Loading | Died) and state.short_of_memory)


def _loading_child_gone(state: Loading, gone: ChildGone) -> State:
    return Died(state.request, state.short_of_memory or gone.short_of_memory)


def _busy_child_gone(state: Busy, gone: ChildGone) -> State:
    """What was read ahead may have been what killed it, and is not read again: then the plan stays as it is."""
    if isinstance(state.job, ReadAheadJob) and not gone.short_of_memory:
        return Resting(state.request)
    return Died(state.request, gone.short_of_memory)


def _work_began(state: Ready, begun: WorkBegan) -> State:
    spoke = state.spoke or isinstance(begun.job, GenerateJob)
    return Busy(state.child, state.request, state.model, begun.job, spoke)


TRANSITIONS: dict[tuple[type[State], type[Happening]], Callable[[Any, Any], State]] = {
    (Empty, LoadBegan): _load_began,
    (Died, LoadBegan): _load_began,
    (Resting, LoadBegan): _load_began,
    (Empty, LoadGivenUp): _load_given_up,
    (Loading, LoadGivenUp): _load_given_up,
    (Died, LoadGivenUp): _load_given_up,
    (Resting, LoadGivenUp): _load_given_up,
    (Loading, LoadSucceeded): lambda state, loaded: Ready(state.child, state.request, loaded.model),
    (Ready, WorkBegan): _work_began,
    (Busy, WorkEnded): lambda state, _: Ready(state.child, state.request, state.model, state.spoke),
    (Ready, Rested): lambda state, _: Resting(state.request),
    (Loading, ChildGone): _loading_child_gone,
    (Ready, ChildGone): lambda state, gone: Died(state.request, gone.short_of_memory),
    (Busy, ChildGone): _busy_child_gone,
    **{(kind, Unloaded): lambda _state, _: Empty() for kind in (Empty, Loading, Ready, Busy, Died, Resting)},
}
