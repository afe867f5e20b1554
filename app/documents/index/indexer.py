"""Bringing the index up to date with what lies on disk, in slices, so that a question never waits for a whole library.

Runs on the documents thread, each slice under the indexer's lock. Between slices anything may have changed, also by
another process: a file's row is looked at again before the file is read.
"""

import hashlib
import logging
import os
import sqlite3
import stat
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from pathlib import Path

from app.documents import errors
from app.documents.index import schema
from app.documents.index.index import FileStatus, Index, KnownFile, Stamp
from app.documents.index.report import ScopeReport, report
from app.documents.index.scan import FoundFile, ScanResult, scan
from app.documents.reading.blocks import Limits
from app.documents.reading.reading import Done, ReadingProcess
from app.domain.cancel import CancelToken
from app.domain.errors import AppError, ErrorInfo
from app.domain.events import IndexProgress
from app.domain.protocols import Clock, Publish

_log = logging.getLogger(__name__)

_SLICE_S = 0.5
_AHEAD = 3
"""Files handed to the child before the first of them is stored."""
_RACY_NS = 2_000_000_000
"""A file changed this shortly before it was looked at may change again without another time or size."""
_RETRIED = frozenset(
    f"documents.{code}" for code in ("permission", "unreadable", "text_too_large", "file_too_large", "special_file")
)
_PROGRESS_S = 0.1


class _Unreadable(Exception):
    def __init__(self, info: ErrorInfo) -> None:
        super().__init__(info.code)
        self.info = info


class Indexer:
    """Owns the writing connection and the reading process."""

    def __init__(
        self,
        database: Path,
        limits: Limits,
        publish: Publish,
        clock: Clock,
        let_go: Callable[[], None] = lambda: None,
    ) -> None:
        """``let_go``: close whatever else has the database open, before it is removed."""
        self._let_go = let_go
        self._condemned = threading.Event()
        self._database = database
        self._limits = limits
        self._publish = publish
        self._clock = clock
        self._reader = ReadingProcess(limits)
        self._index: Index | None = None
        self._told = 0.0

    def update(self, scope: tuple[str, ...], cancel: CancelToken) -> Generator[None, None, tuple[ScopeReport, bool]]:
        """Yields between slices. Returns the report, and whether anything changed. Raises AppError, Cancelled.

        A database that turns out to be damaged is built again from the files, once.
        """
        try:
            return (yield from self._update(scope, cancel))
        except AppError as error:
            if error.code != errors.index_damaged().code:
                raise
        return (yield from self._update(scope, cancel))

    def _update(self, scope: tuple[str, ...], cancel: CancelToken) -> Generator[None, None, tuple[ScopeReport, bool]]:
        try:
            found = scan(scope, self._limits, cancel)
            index = self.opened()
            known = index.known(scope)
            stale = self._changes(index, found, known)
            changed = bool(stale) or len(known) != len(found.files)
            if stale:
                yield
                files = iter(stale)
                done = 0
                while done < len(stale):
                    cancel.raise_if_cancelled()
                    done = self._slice(index, files, done, len(stale), cancel)
                    yield
            if changed:
                index.sweep()
            rows = index.known(scope) if changed else known
            return report(scope, list(rows.values()), found.notes), changed
        except sqlite3.Error as error:
            if schema.is_damage(error):
                self.condemn(error)
                raise errors.as_error(errors.index_damaged()) from error
            _log.warning("The document index failed", exc_info=True)
            self.close_index()
            raise errors.as_error(errors.index_unusable(str(self._database), str(error))) from error

    def rest(self) -> None:
        """Nothing to do for a while: end the reading process."""
        self._reader.stop()

    def abort(self) -> None:
        """From any thread: make a slice that waits for the child come back."""
        self._reader.kill()

    def close(self) -> None:
        self._reader.stop()
        self.close_index()

    def close_index(self) -> None:
        if self._index is not None:
            self._index.close()
            self._index = None

    def condemn(self, error: sqlite3.Error) -> None:
        """From any thread: the database is damaged; whoever opens it next begins an empty one."""
        _log.warning("The document index %s is damaged (%s) and is built again", self._database, error)
        self._condemned.set()

    def opened(self) -> Index:
        """The writing side, made for the first one that asks. Documents thread, under the lock."""
        if self._condemned.is_set():
            self.close_index()
            self._let_go()
            schema.remove(self._database)
            self._condemned.clear()
        if self._index is None:
            self._index = Index(self._database)
        return self._index

    def _changes(self, index: Index, found: ScanResult, known: dict[str, KnownFile]) -> list[FoundFile]:
        """Files to look into, in order. What has vanished is removed at once."""
        present = {file.path for file in found.files}
        vanished = [path for path in known if path not in present]
        if vanished:
            with index.transaction():
                for path in vanished:
                    index.remove(path)
        return [file for file in found.files if not _is_current(file, known.get(file.path))]

    def _slice(self, index: Index, files: Iterator[FoundFile], done: int, total: int, cancel: CancelToken) -> int:
        """Index files for a short while; returns how many are done now. The child has nothing to do at the end."""
        until = self._clock.monotonic() + _SLICE_S
        waiting: deque[Stamp] = deque()
        more = True
        try:
            while True:
                more = more and self._clock.monotonic() < until and not cancel.cancelled
                while more and len(waiting) < _AHEAD:
                    file = next(files, None)
                    if file is None:
                        more = False
                        break
                    stamp = self._looked_at(index, file)
                    if stamp is None:
                        done += 1
                    else:
                        waiting.append(stamp)
                if not waiting:
                    return done
                stamp = waiting.popleft()
                self._tell(done, total, stamp.file.path)
                self._store(index, stamp)
                done += 1
        except BaseException:
            self._reader.reset()
            raise

    def _tell(self, done: int, total: int, path: str) -> None:
        now = self._clock.monotonic()
        if now - self._told >= _PROGRESS_S or now < self._told:
            self._told = now
            self._publish(IndexProgress(done, total, path))

    def _looked_at(self, index: Index, file: FoundFile) -> Stamp | None:
        """Hash the file; None where that was enough, otherwise it is submitted to the child."""
        checked = int(self._clock.now() * 1e9)
        row = index.known((file.path,)).get(file.path)
        if row is not None and _is_current(file, row):
            return None
        stamp = Stamp(file, checked)
        if file.error is not None or file.format is None:
            status = FileStatus.UNSUPPORTED if file.error is None or _is_unsupported(file.error) else FileStatus.FAILED
            with index.transaction():
                index.put_file(stamp, status, file.error)
            return None
        try:
            stamp = replace(stamp, sha256=_sha256(file.path))
        except AppError as error:
            with index.transaction():
                index.put_file(stamp, FileStatus.FAILED, error.info)
            return None
        assert stamp.sha256 is not None
        if row is not None and row.sha256 == stamp.sha256 and not _is_retried(row):
            index.touch([stamp])
            return None
        content = index.content(stamp.sha256, file.format)
        if content is not None:
            with index.transaction():
                index.put_file(stamp, FileStatus.INDEXED, content_id=content)
            return None
        self._reader.submit(file.path, file.format)
        return stamp

    def _store(self, index: Index, stamp: Stamp) -> None:
        """Take the oldest submitted file from the child: its text, its terms and its row in one transaction."""
        try:
            with index.transaction():
                self._store_content(index, stamp)
        except _Unreadable as unreadable:
            empty = unreadable.info.code in {"documents.empty", "documents.scanned"}
            with index.transaction():
                index.put_file(stamp, FileStatus.EMPTY if empty else FileStatus.FAILED, unreadable.info)

    def _store_content(self, index: Index, stamp: Stamp) -> None:
        assert stamp.sha256 is not None
        assert stamp.file.format is not None
        content = index.content(stamp.sha256, stamp.file.format)
        known = content is not None
        if content is None:
            content = index.new_content(stamp.sha256, stamp.file.format)
        count = 0
        for message in self._reader.messages():
            if isinstance(message, ErrorInfo):
                raise _Unreadable(message)
            if isinstance(message, Done):
                if not known:
                    index.finish_content(content, message.characters)
            elif not known:
                if count + len(message) >= 1 << schema.ORDINAL_BITS:
                    raise errors.as_error(errors.text_too_large(stamp.file.path, self._limits.max_text_file_mb))
                index.add_passages(content, count, message)
                count += len(message)
        index.put_file(_as_read(stamp), FileStatus.INDEXED, content_id=content)


def _is_current(file: FoundFile, row: KnownFile | None) -> bool:
    """Whether the row still tells the truth, as far as size and time can say."""
    if row is None or row.size != file.size or row.mtime != file.mtime or _is_retried(row):
        return False
    if (file.error is None) != (row.error is None) and file.error is not None:
        return False
    return row.mtime < row.checked - _RACY_NS or row.status is FileStatus.UNSUPPORTED


def _is_retried(row: KnownFile) -> bool:
    return row.error is not None and row.error.code in _RETRIED


def _is_unsupported(error: ErrorInfo) -> bool:
    return error.code == "documents.unsupported"


def _as_read(stamp: Stamp) -> Stamp:
    """The stamp to store: without a time where the file changed while it was read, so that the next scan reads it."""
    try:
        now = os.lstat(stamp.file.path)
    except OSError:
        return replace(stamp, file=replace(stamp.file, mtime=-1))
    if (now.st_size, now.st_mtime_ns) == (stamp.file.size, stamp.file.mtime):
        return stamp
    return replace(stamp, file=replace(stamp.file, mtime=-1), sha256=None)


def _open(path: str) -> int:
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    return os.open(path, flags)


def _sha256(path: str) -> bytes:
    """Raises AppError."""
    try:
        with open(_open(path), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise errors.as_error(errors.special_file(path))
            return hashlib.file_digest(file, "sha256").digest()
    except PermissionError as error:
        raise errors.as_error(errors.permission(path)) from error
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise errors.as_error(errors.unreadable(path, reason)) from error
