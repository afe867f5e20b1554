"""The store thread: the only one that writes to ``chats.db``, one short transaction a job."""

import logging
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import TypeVar

from app.domain.errors import AppError
from app.storage.database import sqlite_errors, transaction

log = logging.getLogger(__name__)

Result = TypeVar("Result")
Job = Callable[[], None]


class Writer:
    """Runs jobs in order. Callers may wait for the commit (``run``) or leave it (``post``).

    ``undone`` is called on the store thread after a transaction that was not committed.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path, undone: Callable[[], None]) -> None:
        self._connection = connection
        self._path = path
        self._undone = undone
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._closed = False
        self._pending: dict[str, Callable[[sqlite3.Connection], object]] = {}
        self._thread = threading.Thread(target=self._work, name="store", daemon=True)
        self._thread.start()

    def run(self, change: Callable[[sqlite3.Connection], Result], *, supersedes: str = "") -> Result:
        """Run ``change`` in a transaction and return what it returned, once it is committed. Raises what it raised.

        ``supersedes``: the key of a posted change that this one makes needless.
        """
        future: Future[Result] = Future()

        def job() -> None:
            try:
                result = self._commit(change)
            except BaseException as error:  # noqa: BLE001 - handed to the caller, who waits for it
                future.set_exception(error)
            else:
                future.set_result(result)

        with self._lock:
            self._refuse_if_closed()
            self._pending.pop(supersedes, None)
            self._jobs.put(job)
        return future.result()

    def post(self, key: str, change: Callable[[sqlite3.Connection], object]) -> None:
        """Run ``change`` soon; a newer one with the same key replaces it while it waits. A failure is only logged."""
        with self._lock:
            self._refuse_if_closed()
            waiting = key in self._pending
            self._pending[key] = change
            if not waiting:
                self._jobs.put(lambda: self._run_posted(key))

    def close(self) -> None:
        """Finish what was handed over, end the thread, close the connection. Idempotent."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._jobs.put(None)
        self._thread.join()

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise RuntimeError("the store is closed")

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()
        self._connection.close()

    def _commit(self, change: Callable[[sqlite3.Connection], Result]) -> Result:
        try:
            with sqlite_errors(self._path), transaction(self._connection) as connection:
                return change(connection)
        except BaseException:
            self._undone()
            raise

    def _run_posted(self, key: str) -> None:
        with self._lock:
            change = self._pending.pop(key, None)
        if change is None:
            return
        try:
            self._commit(change)
        except AppError as error:
            log.warning("a streaming answer was not saved: %s", error.info.detail or error)
        except Exception:
            log.exception("a streaming answer was not saved")
