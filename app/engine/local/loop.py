"""What the engine's thread does: one child, one thing at a time, everybody in turn.

The loop acts: it hands the child work, tells callers and the rest of the program. In which state the engine is then
says the table in ``states``; nothing else remembers what has happened.
"""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

from app.domain.errors import AppError
from app.domain.events import EngineDied, ModelFailed, ModelUnloaded
from app.domain.models import TokenPiece
from app.domain.protocols import Publish
from app.engine.learned.saved_states import StateFolder
from app.engine.local.current import CurrentState
from app.engine.local.jobs import EngineJob, ForgetJob, GenerateJob, LoadJob, ReadAheadJob, TokenizeJob, UnloadJob
from app.engine.local.loads import Loads, goes_on
from app.engine.local.process import Target
from app.engine.local.states import Busy, ChildGone, Died, Loading, Ready, Rested, Resting, Unloaded, WorkEnded
from app.engine.local.tokenize_requests import TokenizeRequests
from app.engine.local.waiting import Waiting, WaitingQueue
from app.engine.messages import (
    Failed,
    Forget,
    Generate,
    Loaded,
    Made,
    ReadAhead,
    ReadAheadEnded,
    Reply,
    Tokenized,
)
from app.engine.protocol import Finished, Prefill, Tokens
from app.gguf.names import display_name
from app.process.messages import LoadFailed, LoadProgress

log = logging.getLogger(__name__)


class EngineLoop:
    """Owns the child process. Everything but ``current`` and ``idle_s`` is used on one thread."""

    def __init__(
        self,
        publish: Publish,
        target: Target,
        saved: StateFolder | None = None,
        idle_unload_s: Callable[[], float | None] = lambda: None,
    ) -> None:
        """As ``EngineWorker``; ``saved``: its ``states``."""
        self._publish = publish
        self._saved = saved
        self._idle_unload_s = idle_unload_s
        self._idle_since = 0.0
        self._queue = WaitingQueue()
        self._tokenize = TokenizeRequests()
        self._read_ahead: ReadAheadJob | None = None  # for when nothing else is to do
        self.current = CurrentState()
        self.loads = Loads(self.current, publish, target, saved, self._fail_waiting)

    def idle_s(self) -> float:
        """For how long nothing was to do. Any thread."""
        return 0.0 if self.current.job is not None else time.monotonic() - self._idle_since

    # What the thread waits for, and what it does then.

    def accept(self, jobs: Sequence[EngineJob]) -> None:
        """Put the jobs where they wait."""
        for job in jobs:
            match job:
                case TokenizeJob():
                    self._tokenize.hold(job)
                case ForgetJob():
                    self._forget(job.conversation)
                case ReadAheadJob():
                    if not self._queue.answers(job.conversation, self.current.job):  # else it came too late
                        self._read_ahead = job
                case LoadJob() | UnloadJob() | GenerateJob():
                    self._queue.append(job)
                    self._idle_since = time.monotonic()
                    if isinstance(job, GenerateJob):
                        self._read_ahead = None  # no longer the next prompt, or the conversation in the memory

    def sources(self) -> list[Any]:
        """What `multiprocessing.connection.wait` should wait for."""
        child = self.current.child
        return [] if child is None else [child.connection, child.sentinel]

    def patience(self) -> float | None:
        """How many seconds the thread may wait before it calls ``advance`` again; None: for ever."""
        limit = self._idle_unload_s()
        if limit is None or not isinstance(self.current.state, Ready) or self._tokenize.asked:
            return None
        return max(0.0, self._idle_since + limit - time.monotonic())

    def advance(self) -> None:
        """Begin what can be begun, and tell those who wait how many are before them."""
        self._queue.take_out_stopped()
        self._make_way()
        if self.patience() == 0 and not self._queue and not self._tokenize.held and self._read_ahead is None:
            self._unload(Rested())
        while self._begin_next():
            pass
        if self.current.model is not None and (child := self.current.child) is not None:
            self._tokenize.ask(child)
        self._begin_reading_ahead()
        if self.current.job is not None or self._tokenize.asked:
            self._idle_since = time.monotonic()
        self._queue.tell(busy=isinstance(self.current.job, GenerateJob))

    def read(self) -> None:
        """Take what the child has said, and notice when it is gone."""
        child = self.current.child
        while child is not None and child is self.current.child:
            try:
                reply = child.receive()
            except (EOFError, OSError):
                self._on_death()
                return
            if reply is None:
                return
            self._handle(reply)

    def end(self, jobs: Sequence[EngineJob], error: AppError) -> None:
        """The program ends: nobody is left waiting, nothing is left running."""
        self.accept(jobs)
        job = self.current.job
        self.current.leave(Unloaded())
        for left in (job, *self._queue):
            if left is not None:
                left.fail(error)
        self._tokenize.fail(error)

    # Beginning.

    def _begin_next(self) -> bool:
        """Begin what stands first in the queue, or bring back the model that it needs; False where that must wait."""
        state = self.current.state
        if state.job is not None:
            return False
        if self._queue and (isinstance(state, Ready) or not isinstance(self._queue[0], GenerateJob)):
            self._begin(self._queue.popleft())
            return True
        if isinstance(state, Ready) or not (self._queue or self._tokenize.held):
            return False
        if isinstance(state, Died | Resting):
            self._begin(LoadJob(state.request, again=True))
        else:
            self._fail_waiting(_no_model())
        return True

    def _begin(self, job: Waiting) -> None:
        match job:
            case LoadJob():
                self._begin_load(job)
            case UnloadJob():
                self._unload(Unloaded())
                job.answer.put(None)
            case GenerateJob():
                child = self.current.begin_work(job)
                if child is None:
                    job.never_started()
                else:
                    child.tell(Generate(job.request))

    def _begin_load(self, job: LoadJob) -> None:
        if (model := self.loads.loaded(job)) is not None:
            job.answer.put(model)
            return
        request = self.loads.planned(job.request)
        if isinstance(self.current.state, Ready):
            self._unload(Unloaded())
        self.loads.start(job, request)

    def _unload(self, why: Rested | Unloaded) -> None:
        self._read_ahead = None
        model = self.current.leave(why)
        if model is not None:
            self._tokenize.fail(_no_model(), held=False)
            self._publish(ModelUnloaded(model.path))

    def _fail_waiting(self, error: AppError) -> None:
        """Everybody who needs a model and has no load before them."""
        self._queue.fail_first(error)
        self._tokenize.fail(error)

    # Reading ahead: in idle time, in nobody's way.

    def _begin_reading_ahead(self) -> None:
        if self._read_ahead is None or self.current.job is not None:
            return
        job, self._read_ahead = self._read_ahead, None
        if isinstance(self.current.state, Ready):  # else what it would be compared with is gone
            child = self.current.begin_work(job)
            assert child is not None
            child.tell(ReadAhead(job.prompt, job.conversation))

    def _make_way(self) -> None:
        """End reading ahead for whoever waits; what it did so far stays.

        To ask for the model that is there does not disturb it: a turn begins so, and then looks for sources.
        """
        while isinstance(self.current.job, ReadAheadJob) and self._queue:
            job = self._queue[0]
            model = self.loads.loaded(job) if isinstance(job, LoadJob) else None
            if not isinstance(job, LoadJob) or model is None:
                self.current.stop_everything()
                return
            self._queue.popleft()
            job.answer.put(model)

    def _forget(self, conversation: str) -> None:
        if self._read_ahead is not None and self._read_ahead.conversation == conversation:
            self._read_ahead = None
        job = self.current.job
        if isinstance(job, ReadAheadJob) and job.conversation == conversation:
            self.current.stop_everything()
        if (child := self.current.child) is not None:
            child.tell(Forget(conversation))  # it may be about to write one
        if self._saved is not None:
            self._saved.forget(conversation)

    # What the child says.

    def _handle(self, reply: Reply) -> None:
        match reply:
            case Made():
                self._tell(Tokens(tuple(map(TokenPiece, reply.ids, reply.texts, reply.controls))))
            case Prefill():
                self._tell(reply)
            case Finished() | Failed() | ReadAheadEnded():
                self._on_end(reply)
            case Tokenized():
                self._tokenize.answer(reply)
            case LoadProgress():
                self.loads.on_progress(reply)
            case Loaded():
                self._idle_since = time.monotonic()
                self.loads.on_loaded(reply.model)
            case LoadFailed():
                self._idle_since = time.monotonic()
                self.loads.on_failed(reply)

    def _tell(self, event: Tokens | Prefill) -> None:
        job = self.current.job
        if isinstance(job, GenerateJob):
            job.tell(event)

    def _on_end(self, reply: Finished | Failed | ReadAheadEnded) -> None:
        job = self.current.job
        self._idle_since = time.monotonic()
        self.current.to(WorkEnded())
        error = None if isinstance(reply, Finished) or reply.error is None else AppError.of(reply.error)
        if not isinstance(job, GenerateJob):
            if error is not None:
                log.error("could not read ahead: %s", error)
        elif isinstance(reply, Finished):
            job.tell(reply)
        elif error is not None:
            job.fail(error)

    # When the child dies.

    def _on_death(self) -> None:
        state = self.current.state
        assert isinstance(state, Loading | Ready | Busy)
        path = state.request.path
        death = state.child.death(loading=display_name(path) if isinstance(state, Loading) else "")
        error = death.error
        log.error("the engine's process ended: %s", error.info.detail)
        self._idle_since = time.monotonic()
        self._read_ahead = None
        self.current.leave(ChildGone(death.memory))
        if self._begin_again(state, memory=death.memory):
            return
        self._publish(EngineDied(path, error.info))
        match state:
            case Loading(job=job):
                self._publish(ModelFailed(path, display_name(path), error.info))
                job.fail(error)
                if job.again:
                    self._queue.fail_first(error)
            case Busy(job=GenerateJob() as job):
                job.fail(error)
            case Busy():  # it read ahead, which nobody waits for; the next child answers about tokens
                self._tokenize.ask_again()
                return
        self._tokenize.fail(error)

    def _begin_again(self, state: Loading | Ready | Busy, *, memory: bool) -> bool:
        """Whether what had not begun when the child died is tried by a safer plan; then nobody is told."""
        match state:
            case Loading(job=job) if goes_on(job, state.request, memory=memory):
                self.loads.start_safer(job, state.request)
                return True
            case Busy(job=GenerateJob(spoken=False) as job) if goes_on(job, state.request, memory=memory):
                self._queue.appendleft(job)
                self._tokenize.ask_again()
                return True
        return False


def _no_model() -> AppError:
    return AppError("no-model", "No model is loaded.", "Choose a model first.")
