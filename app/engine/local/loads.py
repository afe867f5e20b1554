"""Loading a model: by which plan, by a safer one where that failed, and who is told."""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from app.domain.errors import AppError, Cancelled
from app.domain.events import ModelFailed, ModelLoaded, ModelLoading, ModelUnloaded
from app.domain.models import LoadRequest, ModelInfo
from app.domain.protocols import Publish
from app.engine.learned.ladder import LAST_RUNG, Ladder, explanation
from app.engine.learned.saved_states import StateFolder
from app.engine.learned.tunings import Tunings
from app.engine.local.current import CurrentState
from app.engine.local.jobs import GenerateJob, LoadJob
from app.engine.local.process import EngineChild, Target
from app.engine.local.states import (
    Busy,
    ChildGone,
    Died,
    LoadBegan,
    LoadGivenUp,
    Loading,
    LoadSucceeded,
    Ready,
    Resting,
    is_same,
)
from app.gguf.files import check_model_file
from app.gguf.names import display_name
from app.process.ending import no_process
from app.process.messages import LoadFailed, LoadProgress

log = logging.getLogger(__name__)


class Loads:
    """Starts children, until a model is loaded or there is nothing left to try. Used by the loop's thread alone."""

    def __init__(
        self,
        current: CurrentState,
        publish: Publish,
        target: Target,
        saved: StateFolder | None,
        on_failed_again: Callable[[AppError], None],
    ) -> None:
        """``on_failed_again``: told where a model that was there before could not be loaded for those who wait."""
        self._current = current
        self._publish = publish
        self._target = target
        self._saved = saved
        self._on_failed_again = on_failed_again
        self.ladder = Ladder(saved.path / "ladder.json" if saved is not None else None)
        self.tunings = Tunings(saved.path / "tunings.json" if saved is not None else None)

    def loaded(self, job: LoadJob) -> ModelInfo | None:
        """The model that is there, where it is what the job asks for."""
        state = self._current.state
        if not isinstance(state, Ready | Busy) or job.afresh or not is_same(state.request, job.request):
            return None
        return state.model

    def planned(self, request: LoadRequest) -> LoadRequest:
        """On the rung that it took before; on the next one where that has just died."""
        rung = max(request.rung, self.ladder.rung(request))
        state = self._current.state
        if isinstance(state, Ready | Died | Resting) and is_same(state.request, request):
            rung = max(rung, min(state.request.rung + isinstance(state, Died), LAST_RUNG))
        return replace(request, rung=rung)

    def start(self, job: LoadJob, request: LoadRequest) -> None:
        """There is no child. ``request``: what the job asks for, planned."""
        request = self.tunings.apply(request)
        try:
            check_model_file(Path(request.path))
        except AppError as error:
            self._give_up(job, request, error)
            return
        self._publish(ModelLoading(request.path, display_name(request.path), 0.0))
        try:
            child = EngineChild(self._target, request, self._saved)
        except Exception as error:  # noqa: BLE001 - whoever waits is told; a limit of the system or a bug
            self._give_up(job, request, no_process(error))
            return
        self._current.begin_load(LoadBegan(child, job, request))

    def on_progress(self, reply: LoadProgress) -> None:
        state = self._current.state
        if isinstance(state, Loading):
            path = state.request.path
            self._publish(ModelLoading(path, display_name(path), reply.progress))

    def on_loaded(self, model: ModelInfo) -> None:
        state = self._current.state
        self._current.to(LoadSucceeded(model))
        assert isinstance(state, Loading)
        backends = ", ".join(model.backends) or "the backends built into it"
        log.info("loaded %s in %.2f s, context %d, with %s", model.name, model.seconds, model.context, backends)
        if state.short_of_memory:
            self.ladder.remember(state.request)
        self._publish(ModelLoaded(model, explanation(model) if self._current.safer else None))
        state.job.answer.put(model)

    def on_failed(self, reply: LoadFailed) -> None:
        state = self._current.state
        assert isinstance(state, Loading)
        job, request = state.job, state.request
        if reply.error is None:
            self._current.leave(LoadGivenUp(request))
            self._publish(ModelUnloaded(request.path))
            job.fail(Cancelled())
        elif reply.error.code == "not-enough-memory" and goes_on(job, request, memory=True):
            self._current.leave(ChildGone(short_of_memory=True))
            self.start_safer(job, request)
        else:
            self._give_up(job, request, AppError.of(reply.error))

    def start_safer(self, job: LoadJob, request: LoadRequest) -> None:
        """The child that loaded ``request`` is gone."""
        self.start(job, replace(request, rung=request.rung + 1))

    def _give_up(self, job: LoadJob, request: LoadRequest, error: AppError) -> None:
        log.info("could not load %s: %s %s", request.path, error, error.info.detail)
        self._current.leave(LoadGivenUp(request, job.again))
        self._publish(ModelFailed(request.path, display_name(request.path), error.info))
        job.fail(error)
        if job.again:
            self._on_failed_again(error)


def goes_on(job: LoadJob | GenerateJob, request: LoadRequest, *, memory: bool) -> bool:
    """Whether to try by a safer plan, with nobody told, what ended before it had begun.

    As long as there are rungs where memory was short, once where it was something else. Counts the tries.
    """
    if job.stopped or request.rung >= LAST_RUNG or (job.tries > 0 and not memory):
        return False
    job.tries += 1
    return True
