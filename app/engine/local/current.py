"""The engine's state now: any thread may look at it and stop what it holds, the loop's thread alone changes it."""

import threading

from app.domain.models import ModelInfo
from app.engine.local.jobs import GenerateJob, LoadJob
from app.engine.local.process import EngineChild
from app.engine.local.states import Busy, Empty, Happening, LoadBegan, Ready, State, Work, WorkBegan, after


class CurrentState:
    """Holds the state. Between two looks at it it may have changed: look once, and keep what you saw."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # so that whoever stops a job finds it waiting or under way, never in between
        self._state: State = Empty()

    # Any thread.

    @property
    def state(self) -> State:
        return self._state

    @property
    def model(self) -> ModelInfo | None:
        return self._state.model

    @property
    def child(self) -> EngineChild | None:
        return self._state.child

    @property
    def child_pid(self) -> int | None:
        with self._lock:  # the child is not closed meanwhile
            child = self._state.child
            return child.pid if child is not None else None

    @property
    def job(self) -> LoadJob | Work | None:
        """What is under way."""
        return self._state.job

    @property
    def spoke(self) -> bool:
        """Whether the loaded model was asked for an answer since it was loaded."""
        state = self._state
        return isinstance(state, Ready | Busy) and state.spoke

    @property
    def safer(self) -> bool:
        """Whether the loaded model is there by a safer plan than was asked for."""
        state = self._state
        return isinstance(state, Ready | Busy) and state.request.rung > 0

    def stop(self, job: LoadJob | GenerateJob) -> bool:
        """True where there is nothing more to do; False where the thread must take it out of the queue."""
        with self._lock:
            if job.stopped:
                return True
            job.stopped = True
            if self.job is job and (child := self.child) is not None:
                child.stop()
                return True
        return False

    def stop_everything(self) -> None:
        with self._lock:
            if (child := self.child) is not None:
                child.stop()

    # The loop's thread. All raise ImpossibleTransition.

    def to(self, happening: Happening) -> None:
        with self._lock:
            self._state = after(self._state, happening)

    def begin_load(self, begun: LoadBegan) -> None:
        """Stop it at once where somebody did so meanwhile."""
        with self._lock:
            self._state = after(self._state, begun)
            if begun.job.stopped:
                begun.child.stop()

    def begin_work(self, job: Work) -> EngineChild | None:
        """The child that is to do the job; None where somebody has stopped it meanwhile."""
        with self._lock:
            if isinstance(job, GenerateJob) and job.stopped:
                return None
            self._state = after(self._state, WorkBegan(job))
            child = self.child
            assert child is not None
            child.allow()
            return child

    def leave(self, happening: Happening) -> ModelInfo | None:
        """Go to a state without a child, and end the child. Returns the model that was loaded."""
        model, child = self.model, self.child
        self.to(happening)
        if child is not None:
            child.close()
        return model
