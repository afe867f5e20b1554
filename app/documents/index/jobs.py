"""The documents thread: jobs done in slices, the most urgent first, so that a question jumps the queue."""

import itertools
import logging
import threading
from collections.abc import Callable, Generator
from enum import IntEnum

from app.documents import errors
from app.documents.index.lock import FileLock
from app.documents.index.report import ScopeReport
from app.domain.cancel import CancelToken
from app.domain.errors import AppError, Cancelled

_log = logging.getLogger(__name__)

_LOCK_SLICE_S = 0.25
_YIELD_S = 0.02
"""Pause after each slice, in which another process can take the lock."""
_IDLE_S = 30.0


class Urgency(IntEnum):
    QUESTION = 0
    ADDED = 1
    WATCHED = 2
    VECTORS = 3


class Job:
    """One scope to bring up to date. ``wait_s``: how long another process may hold it up; None: as long as it takes."""

    def __init__(self, scope: tuple[str, ...], urgency: Urgency, wait_s: float | None = None) -> None:
        self.scope = scope
        self.urgency = urgency
        self.cancel = CancelToken()
        self.left_s = wait_s
        self.changed = False
        self.steps: Generator[None, None, tuple[ScopeReport, bool]] | None = None
        self._done = threading.Event()
        self._report: ScopeReport | None = None
        self._error: Exception | None = None

    def finish(self, report: ScopeReport | None, error: Exception | None = None) -> None:
        self._report, self._error = report, error
        self._done.set()

    def result(self, cancel: CancelToken | None) -> ScopeReport:
        """Wait for the end. Raises what the job raised; Cancelled as soon as ``cancel`` is set."""
        forget = cancel.on_cancel(self._abandon) if cancel is not None else lambda: None
        try:
            self._done.wait()
        finally:
            forget()
        if cancel is not None:
            cancel.raise_if_cancelled()
        if self._error is not None:
            raise self._error
        assert self._report is not None
        return self._report

    def wait(self, seconds: float) -> bool:
        """Wait so long at most; True when it has ended, however."""
        return self._done.wait(seconds)

    def _abandon(self) -> None:
        self.cancel.cancel()
        self._done.set()


class DocumentsThread:
    """Runs jobs until closed. ``on_end`` is told of every job that ended; all callbacks run on this thread."""

    def __init__(
        self,
        start: Callable[[Job], Generator[None, None, tuple[ScopeReport, bool]]],
        lock: FileLock,
        *,
        on_end: Callable[[Job, ScopeReport | None, Exception | None], None],
        on_idle: Callable[[], None],
        on_close: Callable[[], None],
    ) -> None:
        self._start, self._lock = start, lock
        self._on_end, self._on_idle, self._on_close = on_end, on_idle, on_close
        self._jobs: list[tuple[int, int, Job]] = []
        self._count = itertools.count()
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def submit(self, job: Job) -> Job:
        """Raises AppError once the thread is closing."""
        with self._changed:
            if self._closing.is_set():
                raise errors.as_error(errors.closed())
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="documents")
                self._thread.start()
            number = next(self._count)
            newest_first = job.urgency is Urgency.VECTORS  # what was asked for last is needed first
            self._jobs.append((job.urgency, -number if newest_first else number, job))
            self._changed.notify()
        return job

    def queued(self, scope: tuple[str, ...], urgency: Urgency) -> Job | None:
        """A job like this that has not ended."""
        with self._changed:
            return next((job for _, _, job in self._jobs if job.scope == scope and job.urgency == urgency), None)

    def waiting(self, scope: tuple[str, ...], urgency: Urgency) -> bool:
        """Whether a job like this is queued already."""
        with self._changed:
            return any(job.scope == scope and job.urgency == urgency and job.steps is None for _, _, job in self._jobs)

    def close(self) -> None:
        """End after the current slice; jobs that have not ended fail with a sentence."""
        with self._changed:
            self._closing.set()
            self._changed.notify()
            thread = self._thread
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        try:
            while (job := self._next()) is not None:
                self._step(job)
        finally:
            with self._changed:
                left, self._jobs = self._jobs, []
            for _, _, job in left:
                self._end(job, None, errors.as_error(errors.closed()))
            self._on_close()

    def _next(self) -> Job | None:
        """The most urgent job; it stays in the queue while it has steps left."""
        with self._changed:
            while not self._closing.is_set():
                if self._jobs:
                    return min(self._jobs, key=lambda entry: entry[:2])[2]
                if not self._changed.wait(_IDLE_S) and not self._jobs:
                    self._on_idle()
        return None

    def _step(self, job: Job) -> None:
        if job.cancel.cancelled:
            self._end(job, None, Cancelled())
            return
        if not self._lock.acquire(_LOCK_SLICE_S, self._closing.wait):
            self._held_up(job)
            return
        try:
            job.steps = job.steps or self._start(job)
            next(job.steps)
        except StopIteration as stop:
            report, job.changed = stop.value
            self._end(job, report, None)
        except (AppError, Cancelled) as error:
            self._end(job, None, error)
        except Exception as error:  # noqa: BLE001 - logged as the bug it is; the thread serves the next job
            _log.exception("Reading documents failed")
            self._end(job, None, error)
        finally:
            self._lock.release()
        if self._is_queued(job):
            self._closing.wait(_YIELD_S)

    def _held_up(self, job: Job) -> None:
        if job.left_s is not None:
            job.left_s -= _LOCK_SLICE_S
            if job.left_s <= 0:
                self._end(job, None, errors.as_error(errors.busy()))

    def _is_queued(self, job: Job) -> bool:
        with self._changed:
            return any(entry[2] is job for entry in self._jobs)

    def _end(self, job: Job, report: ScopeReport | None, error: Exception | None) -> None:
        with self._changed:
            self._jobs = [entry for entry in self._jobs if entry[2] is not job]
        if job.steps is not None:
            job.steps.close()
        try:
            self._on_end(job, report, error)
        finally:
            job.finish(report, error)
