"""The engine that the program uses: a background thread that owns a model's child process."""

import contextlib
import logging
import multiprocessing
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from multiprocessing.connection import wait
from pathlib import Path

from app.domain.cancel import CancelToken
from app.domain.errors import AppError, Cancelled
from app.domain.events import ModelTuned
from app.domain.models import LoadRequest, ModelInfo, PromptText
from app.domain.placement import AS_PLANNED, Tuning
from app.domain.protocols import Publish
from app.engine.learned.saved_states import StateFolder
from app.engine.llama import child
from app.engine.local.jobs import EngineJob, ForgetJob, GenerateJob, LoadJob, ReadAheadJob, TokenizeJob, UnloadJob
from app.engine.local.loop import EngineLoop
from app.engine.local.process import Target
from app.engine.protocol import EngineEvent, Finished, GenerationRequest

log = logging.getLogger(__name__)

QUICK_S, IDLE_S = 5.0, 20.0  # what is tuned by itself loads in so few seconds; and after so many without work


class EngineWorker:
    """An `Engine` (app.engine.protocol). Every model gets a child process of its own, ended when it is unloaded.

    Callers leave jobs in an inbox and ring; the thread waits for the bell, the child's messages and the child's end at
    once, so that it alone touches the pipe. The thread starts with the first job. ``publish`` is called on it.
    """

    def __init__(
        self,
        publish: Publish,
        *,
        states: StateFolder | None = None,
        idle_unload_s: Callable[[], float | None] = lambda: None,
        target: Target = child.run,
    ) -> None:
        """``publish`` is called on the engine's thread.

        ``states``: where conversations' KV caches, and what a model took on this machine, are kept; None: nowhere.
        ``idle_unload_s``: seconds without work before the model is unloaded (None: never); the next request loads it.
        ``target``: what runs in the child; tests hand in another one.
        """
        self._publish = publish
        self._loop = EngineLoop(publish, target, states, idle_unload_s)
        self._current = self._loop.current
        self._ladder, self._tunings = self._loop.loads.ladder, self._loop.loads.tunings
        self._target = target
        self._keeps = states is not None
        self._tuning: tuple[CancelToken, threading.Event] | None = None  # how to stop it, and its end
        self._lock = threading.Lock()
        self._inbox: list[EngineJob] = []
        self._closing = False
        self._thread: threading.Thread | None = None
        self._ear, self._bell = multiprocessing.Pipe(duplex=False)

    @property
    def model(self) -> ModelInfo | None:
        return self._current.model

    @property
    def child_pid(self) -> int | None:
        """The process behind the loaded model, for `doctor` and for tests."""
        return self._current.child_pid

    def load(self, request: LoadRequest, cancel: CancelToken | None = None) -> ModelInfo:
        self._stop_tuning()
        return self._load(LoadJob(_absolute(request)), cancel)

    def _load(self, job: LoadJob, cancel: CancelToken | None) -> ModelInfo:
        self._post(job)
        forget = cancel.on_cancel(lambda: self._stop(job)) if cancel is not None else None
        try:
            answer = job.answer.get()
        finally:
            if forget is not None:
                forget()
        if isinstance(answer, ModelInfo):
            return answer
        raise answer

    def with_learned(self, request: LoadRequest) -> LoadRequest:
        request = _absolute(request)
        rung = max(request.rung, self._ladder.rung(request))
        return self._tunings.apply(replace(request, rung=rung))

    def unload(self) -> None:
        self._stop_tuning()
        self._unload()

    def _unload(self) -> None:
        job = UnloadJob()
        self._post(job)
        job.answer.get()

    def tokenize(self, texts: Sequence[PromptText], *, add_special: bool = False) -> list[tuple[int, ...]]:
        job = TokenizeJob(tuple(texts), add_special)
        self._post(job)
        answer = job.answer.get()
        if isinstance(answer, tuple):
            return list(answer)
        raise answer

    def generate(self, request: GenerationRequest, cancel: CancelToken) -> Iterator[EngineEvent]:
        """Nothing happens before the first ``next``. Closing the iterator early stops the generation, too."""
        if not request.prompt:
            raise ValueError("a prompt has at least one token")
        return self._events(GenerateJob(request), cancel)

    def read_ahead(self, prompt: tuple[int, ...], conversation: str) -> None:
        self._post(ReadAheadJob(prompt, conversation))

    def forget(self, conversation: str) -> None:
        """Delete what is kept of a conversation to answer faster. Does not wait."""
        self._post(ForgetJob(conversation))

    def close(self) -> None:
        with self._lock:
            if self._closing:
                return
            self._closing = True
            thread = self._thread
            self._ring()
        self._stop_tuning()
        self._current.stop_everything()
        if thread is not None:
            thread.join()
        self._bell.close()
        self._ear.close()

    def tune(self, request: LoadRequest, cancel: CancelToken) -> Tuning:
        request = _absolute(request)
        with self._alone(cancel, asked=True) as stop:
            model = self._load(LoadJob(request), stop)
            return self._tune(request, model, stop, asked=True)

    def tune_in_idle_time(self, request: LoadRequest, cancel: CancelToken) -> Tuning | None:
        request = _absolute(request)
        while not cancel.cancelled:
            model = self.model
            if model is None or model.path != request.path or model.seconds > QUICK_S or not self._keeps:
                return None
            if (left := IDLE_S - self._loop.idle_s()) > 0:
                cancel.wait(left)
                continue
            from app.engine.local import tuner  # they read headers and ask the system: not needed to start
            from app.machine import devices

            if self._current.safer or self._tunings.known(request) or not tuner.unnoticed(model):
                return None
            if devices.is_busy(cancel.wait):
                cancel.wait(IDLE_S)
                continue
            if self._loop.idle_s() < IDLE_S:  # something was asked for meanwhile
                continue
            try:
                with self._alone(cancel, asked=False) as stop:
                    return self._tune(request, model, stop, asked=False)
            except Cancelled:
                cancel.wait(min(1.0, IDLE_S))  # something was asked for; another time
            except AppError as error:
                log.info("%s is not tuned: %s", model.name, error)
                return None
        return None

    def _tune(self, request: LoadRequest, model: ModelInfo, stop: CancelToken, *, asked: bool) -> Tuning:
        from app.engine.local import tuner

        if self._current.safer:  # the plan itself found no room, and may do worse than fail
            raise tuner.no_room()
        variants = tuner.candidates(request, model)
        together = tuner.fits_twice(model) and not self._tunings.known(request)
        if not together:
            self._unload()
        timed = tuner.Tuner(lambda hear: EngineWorker(hear, target=self._target), stop)
        try:
            tuning = timed.compare(tuner.beside(request, model) if together else request, model, variants)
        except AppError:
            if not together:
                self._load(LoadJob(request), stop)
            raise
        self._tunings.remember(request, tuning)
        costs_memory = self._current.spoke and not asked  # what was read would be lost
        better = tuning.chosen != AS_PLANNED and not costs_memory
        if better or not together:
            self._load(LoadJob(request, afresh=True), stop)
        self._publish(ModelTuned(request.path, tuning))
        return tuning

    @contextlib.contextmanager
    def _alone(self, cancel: CancelToken, *, asked: bool) -> Iterator[CancelToken]:
        """One comparison at a time. The token that is handed out ends it.

        It is set by ``cancel``, and by whatever else is asked for.
        Where there is another comparison, one that was ``asked`` for ends it; one that was not raises Cancelled.
        """
        stop, ended = CancelToken(), threading.Event()
        while True:
            if asked:
                self._stop_tuning()
            with self._lock:
                if self._closing:
                    raise closed()
                if self._tuning is None:
                    self._tuning = (stop, ended)
                    break
            if not asked:
                raise Cancelled
        forget = cancel.on_cancel(stop.cancel)
        try:
            yield stop
        finally:
            forget()
            with self._lock:
                self._tuning = None
            ended.set()

    def _stop_tuning(self) -> None:
        """Until its last process has given its memory back."""
        with self._lock:
            tuning = self._tuning
        if tuning is not None:
            tuning[0].cancel()
            tuning[1].wait()

    def _events(self, job: GenerateJob, cancel: CancelToken) -> Iterator[EngineEvent]:
        self._stop_tuning()
        self._post(job)
        forget = cancel.on_cancel(lambda: self._stop(job))
        try:
            while True:
                event = job.events.get()
                if isinstance(event, AppError | Cancelled):
                    raise event
                yield event
                if isinstance(event, Finished):
                    return
        finally:
            forget()
            self._stop(job)  # nothing happens where it has ended

    def _post(self, job: EngineJob) -> None:
        with self._lock:
            if self._closing:
                raise closed()
            self._inbox.append(job)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
                self._thread.start()
            self._ring()

    def _stop(self, job: LoadJob | GenerateJob) -> None:
        """Does not queue: what runs is stopped through the shared byte, what waits is taken out."""
        if self._current.stop(job):
            return
        with self._lock:
            if not self._closing:
                self._ring()

    def _ring(self) -> None:
        with contextlib.suppress(OSError):  # the thread has ended by a mistake
            self._bell.send_bytes(b"!")

    def _run(self) -> None:
        loop = self._loop
        try:
            while not self._closing:
                with self._lock:
                    jobs, self._inbox = self._inbox, []
                loop.accept(jobs)
                loop.advance()
                if self._ear in wait([self._ear, *loop.sources()], loop.patience()):
                    self._ear.recv_bytes()
                loop.read()
        except Exception:
            log.exception("the engine's thread ended by a mistake")
        with self._lock:
            self._closing = True
            jobs, self._inbox = self._inbox, []
        loop.end(jobs, closed())


def _absolute(request: LoadRequest) -> LoadRequest:
    return replace(request, path=str(Path(request.path).absolute()))


def closed() -> AppError:
    return AppError("engine-closed", "The engine is closed.", "Start the program again.")
