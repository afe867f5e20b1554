"""The documents thread: scope after scope, in slices, the most urgent first, so that a question jumps the queue.

One indexer at a time works on a database: each slice is done under a lock on a file beside it, which the system takes
back when its process dies.
"""

import logging
import threading
from collections.abc import Callable, Generator
from enum import IntEnum
from pathlib import Path

from filelock import FileLock, Timeout

from app.documents import errors
from app.documents.index.report import ScopeReport
from app.domain.cancel import CancelToken
from app.domain.errors import AppError, Cancelled
from app.process.jobs import JobThread

_log = logging.getLogger(__name__)

_LOCK_SLICE_S, _LOCK_POLL_S = 0.25, 0.01
_YIELD_S = 0.02
"""Pause after each slice, in which another process can take the lock."""
_IDLE_S = 30.0


class Urgency(IntEnum):
    QUESTION = 0
    ADDED = 1
    WATCHED = 2
    VECTORS = 3


class ScopeJob:
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

    @property
    def ended(self) -> bool:
        return self._done.is_set()

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
        start: Callable[[ScopeJob], Generator[None, None, tuple[ScopeReport, bool]]],
        lock_file: Path,
        *,
        on_end: Callable[[ScopeJob, ScopeReport | None, Exception | None], None],
        on_idle: Callable[[], None],
        on_close: Callable[[], None],
    ) -> None:
        self._start, self._on_end = start, on_end
        self._lock_file = lock_file
        # The file stays: another program may be looking at it.
        self._lock = FileLock(lock_file, mode=0o600, poll_interval=_LOCK_POLL_S, preserve_lock_file=True)
        self._jobs: JobThread[ScopeJob] = JobThread(
            "documents",
            self._step,
            refuse=lambda job: self._end(job, None, errors.as_error(errors.closed())),
            at_end=on_close,
            idle_s=lambda: _IDLE_S,
            rest=on_idle,
        )

    def submit(self, job: ScopeJob) -> ScopeJob:
        """Raises AppError once the thread is closing."""
        newest_first = job.urgency is Urgency.VECTORS  # what was asked for last is needed first
        if not self._jobs.post(job, job.urgency, newest_first=newest_first):
            raise errors.as_error(errors.closed())
        return job

    def queued(self, scope: tuple[str, ...], urgency: Urgency) -> ScopeJob | None:
        """A job like this that has not ended."""
        return next((job for job in self._like(scope, urgency) if not job.ended), None)

    def waiting(self, scope: tuple[str, ...], urgency: Urgency) -> bool:
        """Whether a job like this is queued that has not begun."""
        return any(job.steps is None for job in self._like(scope, urgency))

    def close(self) -> None:
        """End after the current slice; jobs that have not ended fail with a sentence."""
        self._jobs.close()

    def _like(self, scope: tuple[str, ...], urgency: Urgency) -> list[ScopeJob]:
        return [job for job in self._jobs.jobs if job.scope == scope and job.urgency == urgency]

    def _step(self, job: ScopeJob) -> bool:
        """A slice of the job; True when it has ended."""
        if job.cancel.cancelled:
            return self._end(job, None, Cancelled())
        try:
            if not self._take_lock():
                return self._held_up(job)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            return self._end(job, None, errors.as_error(errors.index_unusable(str(self._lock_file), reason)))
        try:
            ended = self._slice(job)
        finally:
            self._lock.release()
        if not ended:
            self._jobs.pause(_YIELD_S)
        return ended

    def _slice(self, job: ScopeJob) -> bool:
        try:
            job.steps = job.steps or self._start(job)
            next(job.steps)
        except StopIteration as stop:
            report, job.changed = stop.value
            return self._end(job, report, None)
        except (AppError, Cancelled) as error:
            return self._end(job, None, error)
        except Exception as error:  # noqa: BLE001 - logged as the bug it is; the thread serves the next job
            _log.exception("Reading documents failed")
            return self._end(job, None, error)
        return False

    def _take_lock(self) -> bool:
        """Whether no other process has it, or gives it up soon. Raises OSError."""
        self._lock_file.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._lock.acquire(timeout=_LOCK_SLICE_S, cancel_check=lambda: self._jobs.closing)
        except Timeout:
            return False
        return True

    def _held_up(self, job: ScopeJob) -> bool:
        if job.left_s is not None:
            job.left_s -= _LOCK_SLICE_S
            if job.left_s <= 0:
                return self._end(job, None, errors.as_error(errors.busy()))
        return False

    def _end(self, job: ScopeJob, report: ScopeReport | None, error: Exception | None) -> bool:
        """Tell everybody. True: it has ended."""
        if job.steps is not None:
            job.steps.close()
        try:
            self._on_end(job, report, error)
        finally:
            job.finish(report, error)
        return True
