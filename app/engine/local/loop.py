"""What the engine's thread does: one child, one thing at a time, everybody in turn."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.domain.errors import AppError, Cancelled
from app.domain.events import EngineDied, ModelFailed, ModelLoaded, ModelLoading, ModelUnloaded
from app.domain.models import LoadRequest, ModelInfo, TokenPiece
from app.domain.protocols import Publish
from app.engine.learned.ladder import LAST_RUNG, Ladder, explanation
from app.engine.learned.states import StateFolder
from app.engine.learned.tunings import Tunings
from app.engine.local.jobs import EngineJob, ForgetJob, GenerateJob, LoadJob, ReadAheadJob, TokenizeJob, UnloadJob
from app.engine.local.process import EngineChild, Target
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
from app.gguf.files import check_model_file
from app.gguf.names import display_name
from app.process.ending import no_process
from app.process.messages import LoadFailed, Loading

log = logging.getLogger(__name__)


class EngineLoop:
    """Owns the child process. Everything but ``stop``, ``stop_everything`` and the properties runs on one thread."""

    def __init__(
        self,
        publish: Publish,
        target: Target,
        states: StateFolder | None = None,
        idle_unload_s: Callable[[], float | None] = lambda: None,
    ) -> None:
        self._publish = publish
        self._target = target
        self._states = states
        self.ladder = Ladder(states.path / "ladder.json" if states is not None else None)
        self.tunings = Tunings(states.path / "tunings.json" if states is not None else None)
        self._idle_unload_s = idle_unload_s
        self._idle_since = 0.0
        self._lock = threading.Lock()  # guards _current and _child, which ``stop`` looks at
        self._current: LoadJob | GenerateJob | ReadAheadJob | None = None
        self._child: EngineChild | None = None
        self._model: ModelInfo | None = None
        self._queue = WaitingQueue()
        self._read_ahead: ReadAheadJob | None = None  # for when nothing else is to do
        self._tokenize = TokenizeRequests()
        self._request: LoadRequest | None = None  # of what is loaded, or was when the child died
        self._died = self._rests = False  # gone by itself; unloaded because nothing was to do
        self._short_of_memory = False  # why the rung is what it is
        self.spoke = self.safer = False  # since it was loaded; it is by a safer plan than was asked for

    # Any thread.

    @property
    def model(self) -> ModelInfo | None:
        return self._model

    @property
    def child_pid(self) -> int | None:
        with self._lock:
            return self._child.pid if self._child is not None else None

    def idle_s(self) -> float:
        """For how long nothing was to do."""
        return 0.0 if self._current is not None else time.monotonic() - self._idle_since

    def stop(self, job: LoadJob | GenerateJob) -> bool:
        """True where there is nothing more to do; False where the thread must take it out of the queue."""
        with self._lock:
            if job.stopped:
                return True
            job.stopped = True
            if job is self._current and self._child is not None:
                self._child.stop()
                return True
        return False

    def stop_everything(self) -> None:
        with self._lock:
            if self._child is not None:
                self._child.stop()

    # The thread: what it waits for and what it does then.

    def accept(self, jobs: Sequence[EngineJob]) -> None:
        for job in jobs:
            if isinstance(job, TokenizeJob):
                self._tokenize.hold(job)
            elif isinstance(job, ForgetJob):
                self._forget(job.conversation)
            elif not isinstance(job, ReadAheadJob):
                self._queue.append(job)
                self._idle_since = time.monotonic()
                if isinstance(job, GenerateJob):
                    self._read_ahead = None  # no longer the next prompt, or no longer the conversation in the memory
            elif not self._queue.answers(job.conversation, self._current):  # else it came too late
                self._read_ahead = job

    def sources(self) -> list[Any]:
        """What `multiprocessing.connection.wait` should wait for."""
        return [] if self._child is None else [self._child.connection, self._child.sentinel]

    def patience(self) -> float | None:
        """How many seconds the thread may wait before it calls ``advance`` again; None: for ever."""
        limit = self._idle_unload_s()
        if limit is None or self._model is None or self._current is not None or self._tokenize.asked:
            return None
        return max(0.0, self._idle_since + limit - time.monotonic())

    def advance(self) -> None:
        """Start what can be started, and tell those who wait how many are before them."""
        self._queue.take_out_stopped()
        self._make_way()
        if self.patience() == 0 and not self._queue and not self._tokenize.held and self._read_ahead is None:
            self._rest()
        while self._current is None and (self._queue or (self._tokenize.held and self._model is None)):
            if (self._queue and not isinstance(self._queue[0], GenerateJob)) or self._model is not None:
                self._begin(self._queue.popleft())
            elif (self._died or self._rests) and self._request is not None:
                self._begin(LoadJob(self._request, again=True))
            else:
                self._fail_waiting(AppError("no-model", "No model is loaded.", "Choose a model first."))
        if self._child is not None and self._model is not None:
            self._tokenize.ask(self._child)
        if self._current is None and self._read_ahead is not None:
            self._begin_reading_ahead()
        if self._current is not None or self._tokenize.asked:
            self._idle_since = time.monotonic()
        self._queue.tell(busy=isinstance(self._current, GenerateJob))

    def read(self) -> None:
        """Whatever the child has said, and whether it is still there."""
        child = self._child
        try:
            while child is not None and child is self._child and (reply := child.receive()) is not None:
                self._handle(reply)
        except (EOFError, OSError):
            self._on_death()

    def end(self, jobs: Sequence[EngineJob], error: AppError) -> None:
        """The program ends: nobody is left waiting, nothing is left running."""
        self.accept(jobs)
        self._drop_child()
        for job in (self._current, *self._queue):
            if job is not None:
                job.fail(error)
        self._current = None
        self._tokenize.fail(error)

    def _forget(self, conversation: str) -> None:
        if self._read_ahead is not None and self._read_ahead.conversation == conversation:
            self._read_ahead = None
        if isinstance(self._current, ReadAheadJob) and self._current.conversation == conversation:
            self.stop_everything()
        if self._child is not None:
            self._child.tell(Forget(conversation))  # it may be about to write one
        if self._states is not None:
            self._states.forget(conversation)

    # Starting.

    def _begin(self, job: Waiting) -> None:
        if isinstance(job, LoadJob):
            self._begin_load(job)
        elif isinstance(job, UnloadJob):
            self._unload()
            job.answer.put(None)
        else:
            self._begin_generation(job)

    def _begin_generation(self, job: GenerateJob) -> None:
        child = self._child
        assert child is not None
        with self._lock:
            if job.stopped:
                job.never_started()
                return
            child.allow()
            self._current, self.spoke = job, True
        child.tell(Generate(job.request))

    def _begin_reading_ahead(self) -> None:
        job, self._read_ahead = self._read_ahead, None
        if self._child is None or self._model is None or job is None:  # what it would be compared with is gone
            return
        with self._lock:
            self._child.allow()
            self._current = job
        self._child.tell(ReadAhead(job.prompt, job.conversation))

    def _make_way(self) -> None:
        """What is evaluated ahead of time stands in nobody's way: it ends, and what it did so far stays. To ask for the
        model that is there does not disturb it; a turn begins so, and then looks for sources."""
        while isinstance(self._current, ReadAheadJob) and self._queue:
            job = self._queue[0]
            if not isinstance(job, LoadJob) or self._model is None or not self._is_same(job.request):
                self.stop_everything()
                return
            self._queue.popleft()
            job.answer.put(self._model)

    def _begin_load(self, job: LoadJob) -> None:
        same = self._is_same(job.request)
        if same and self._model is not None and not job.afresh:
            job.answer.put(self._model)
            return
        rung = max(job.request.rung, self.ladder.rung(job.request))
        if same and self._request is not None:  # what killed it would kill it again
            rung = max(rung, min(self._request.rung + self._died, LAST_RUNG))
        self._unload()
        self._start_child(job, replace(job.request, rung=rung))

    def _is_same(self, request: LoadRequest) -> bool:
        loaded = self._request
        return loaded is not None and replace(loaded, rung=request.rung, variant=request.variant) == request

    def _start_child(self, job: LoadJob, request: LoadRequest) -> None:
        request = self.tunings.apply(request)
        name = display_name(request.path)
        try:
            check_model_file(Path(request.path))
            self._publish(ModelLoading(request.path, name, 0.0))
            child = EngineChild(self._target, request, self._states)
        except AppError as error:
            self._fail_load(job, request, error)
            return
        except Exception as error:  # noqa: BLE001 - whoever waits is told; a limit of the system or a bug
            self._fail_load(job, request, no_process(error))
            return
        self._request, self._died, self._rests, self.spoke = request, False, False, False
        with self._lock:
            self._current, self._child = job, child
            if job.stopped:
                child.stop()

    # What the child says.

    def _handle(self, reply: Reply) -> None:
        match reply:
            case Made():
                self._event(Tokens(tuple(map(TokenPiece, reply.ids, reply.texts, reply.controls))))
            case Prefill():
                self._event(reply)
            case Finished() | Failed() | ReadAheadEnded():
                self._on_end(reply)
            case Tokenized():
                self._tokenize.answer(reply)
            case Loading():
                if self._request is not None:
                    name = display_name(self._request.path)
                    self._publish(ModelLoading(self._request.path, name, reply.progress))
            case Loaded():
                self._on_loaded(reply.model)
            case LoadFailed():
                self._on_load_failed(reply)

    def _event(self, event: Tokens | Prefill | Finished) -> None:
        if isinstance(self._current, GenerateJob):
            self._current.tell(event)

    def _on_end(self, reply: Finished | Failed | ReadAheadEnded) -> None:
        if isinstance(reply, Finished):
            self._event(reply)
        elif isinstance(self._current, GenerateJob) and reply.error is not None:
            self._current.fail(AppError.of(reply.error))
        elif reply.error is not None:
            log.error("could not read ahead: %s", AppError.of(reply.error))
        self._finish_current()

    def _finish_current(self) -> None:
        self._idle_since = time.monotonic()
        with self._lock:
            self._current = None

    def _on_loaded(self, model: ModelInfo) -> None:
        job = self._current
        self._finish_current()
        self._model = model
        backends = ", ".join(model.backends) or "the backends built into it"
        log.info("loaded %s in %.2f s, context %d, with %s", model.name, model.seconds, model.context, backends)
        if self._request is not None and self._short_of_memory:
            self.ladder.remember(self._request)
        self._short_of_memory = False
        self.safer = self._request is not None and self._request.rung > 0
        self._publish(ModelLoaded(model, explanation(model) if self.safer else None))
        if isinstance(job, LoadJob):
            job.answer.put(model)

    def _on_load_failed(self, reply: LoadFailed) -> None:
        job, request = self._current, self._request
        assert isinstance(job, LoadJob)
        assert request is not None
        self._finish_current()
        self._drop_child()
        if reply.error is not None and reply.error.code == "not-enough-memory" and self._goes_on(job, memory=True):
            self._start_child(job, replace(request, rung=request.rung + 1))
        elif reply.error is not None:
            self._fail_load(job, request, AppError.of(reply.error))
        else:
            self._request = None
            self._publish(ModelUnloaded(request.path))
            job.fail(Cancelled())

    def _fail_load(self, job: LoadJob, request: LoadRequest, error: AppError) -> None:
        log.info("could not load %s: %s %s", request.path, error, error.info.detail)
        self._publish(ModelFailed(request.path, display_name(request.path), error.info))
        job.fail(error)
        if job.again:  # those who wait for it are not tried one by one; the next call tries again
            self._request, self._died = request, True
            self._fail_waiting(error)
        else:
            self._request, self._died = None, False

    # Endings.

    def _on_death(self) -> None:
        child, request, job = self._child, self._request, self._current
        assert child is not None
        assert request is not None
        death = child.death(loading=display_name(request.path) if isinstance(job, LoadJob) else "")
        error = death.error
        log.error("the engine's process ended: %s", error.info.detail)
        self._finish_current()
        self._drop_child()
        self._died = True
        self._short_of_memory = self._short_of_memory or death.memory
        if isinstance(job, LoadJob) and self._goes_on(job, memory=death.memory):
            self._start_child(job, replace(request, rung=request.rung + 1))
            return
        if isinstance(job, GenerateJob) and not job.spoken and self._goes_on(job, memory=death.memory):
            self._queue.appendleft(job)  # loads it again, on the next rung
            self._tokenize.ask_again()
            return
        self._publish(EngineDied(request.path, error.info))
        if isinstance(job, ReadAheadJob):  # nobody waits; what comes next loads it again
            self._died, self._rests = death.memory, not death.memory
            self._tokenize.ask_again()
            return
        if isinstance(job, LoadJob):
            self._publish(ModelFailed(request.path, display_name(request.path), error.info))
        if job is not None:
            job.fail(error)
        if isinstance(job, LoadJob) and job.again:
            self._fail_waiting(error)
        else:
            self._tokenize.fail(error)

    def _goes_on(self, job: LoadJob | GenerateJob, *, memory: bool) -> bool:
        """Whether to try by ourselves what ended before it had begun: as long as there are rungs where memory was
        short, once where it was something else."""
        rung = self._request.rung if self._request is not None else LAST_RUNG
        if job.stopped or rung >= LAST_RUNG or (job.tries > 0 and not memory):
            return False
        job.tries += 1
        self._short_of_memory = self._short_of_memory or memory
        return True

    def _rest(self) -> None:
        """Nothing was to do for long: give the memory back; the next request loads again."""
        request = self._request
        self._unload()
        self._request, self._rests = request, True

    def _unload(self) -> None:
        model = self._model
        self._drop_child()
        self._tokenize.fail(AppError("no-model", "No model is loaded.", "Choose a model first."), held=False)
        self._request, self._died, self._rests = None, False, False
        if model is not None:
            self._publish(ModelUnloaded(model.path))

    def _drop_child(self) -> None:
        self._model, self._read_ahead = None, None
        with self._lock:
            child, self._child = self._child, None
        if child is not None:
            child.close()

    def _fail_waiting(self, error: AppError) -> None:
        self._queue.fail_first(error)
        self._tokenize.fail(error)
