"""The documents' front door: add, search, read, report. Thread-safe.

Calls that need an up-to-date index hand a job to the documents thread and wait for it; searching itself happens on the
caller's thread, on a read-only connection that the callers share.
"""

import contextlib
import logging
import os
import sqlite3
import threading
from array import array
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from app.documents import errors
from app.documents.index import schema
from app.documents.index.index import FileStatus, KnownFile, known_files
from app.documents.index.indexer import Indexer
from app.documents.index.jobs import DocumentsThread, ScopeJob, Urgency
from app.documents.index.report import ScopeReport, report
from app.documents.index.scan import normalize
from app.documents.index.vectors import VectorMatrix
from app.documents.index.watch import FolderWatcher
from app.documents.reading.blocks import Limits
from app.documents.search import retrieve
from app.documents.search.meaning import VectorMaker
from app.documents.search.query import QueryParser
from app.domain.cancel import CancelToken
from app.domain.clock import SystemClock
from app.domain.errors import AppError, Cancelled
from app.domain.events import BackgroundFailed, IndexFinished
from app.domain.models import EmbeddingModel
from app.domain.protocols import Clock, DocumentText, Embedder, Publish
from app.domain.sources import Passage

_log = logging.getLogger(__name__)

_PATIENCE_S = 15.0
_FEW = 150  # passages whose vectors are worth waiting for before the first search


class DocumentService:
    """Implements ``app.domain.protocols.PassageSearch``. Starts nothing before the first call; ``close`` when done.

    ``scope`` is a sequence of files and folders everywhere. ``publish`` gets IndexProgress and IndexFinished, on the
    documents thread. ``patience_s``: how long a question waits for another process that indexes, before it searches
    what is there already. ``embedder``: with its vectors passages are found by their meaning, too, as soon as they
    have been made in the background; without one, or where it fails, by their words.
    """

    def __init__(
        self,
        database: Path,
        publish: Publish,
        limits: Limits | None = None,
        clock: Clock | None = None,
        patience_s: float = _PATIENCE_S,
        embedder: Embedder | None = None,
    ) -> None:
        self._database = database
        self._publish = publish
        self._patience_s = patience_s
        self._parser = QueryParser()
        clock = clock or SystemClock()
        self._indexer = Indexer(database, limits or Limits(), publish, clock, self._close_reader)
        self._embedder = embedder
        self._maker = VectorMaker(self._indexer.opened, embedder, clock) if embedder else None
        self._matrix = VectorMatrix()
        self._thread = DocumentsThread(
            self._start,
            database.with_name(database.name + ".lock"),
            on_end=self._ended,
            on_idle=self._indexer.rest,
            on_close=self._indexer.close,
        )
        self._watcher = FolderWatcher(self._changed_on_disk)
        self._reading = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._closed = False

    def add(self, scope: Sequence[str]) -> None:
        """Bring ``scope`` up to date in the background; ends with IndexFinished or BackgroundFailed."""
        self._thread.submit(ScopeJob(normalize(scope), Urgency.ADDED))

    def update(self, scope: Sequence[str], cancel: CancelToken | None = None) -> ScopeReport:
        """Bring ``scope`` up to date and wait for it. Raises AppError, Cancelled."""
        paths = normalize(scope)
        if not paths:
            raise errors.as_error(errors.no_scope())
        try:
            return self._thread.submit(ScopeJob(paths, Urgency.QUESTION, self._patience_s)).result(cancel)
        except AppError as error:
            if error.code != errors.busy().code:
                raise
            _log.info("Another process indexes; searching what is there")
            found = self.status(paths)
            if not found.indexed:
                raise
            return found

    def search(self, query: str, scope: Sequence[str], k: int, cancel: CancelToken | None = None) -> list[Passage]:
        """Passages of the up-to-date ``scope``, best first. Raises AppError where nothing in it can be read."""
        self.update(scope, cancel).require_readable()
        try:
            return self.find(query, scope, k, cancel)
        except AppError as error:
            if error.code != errors.index_damaged().code:
                raise
        self.update(scope, cancel)  # builds it again
        return self.find(query, scope, k, cancel)

    def find(self, query: str, scope: Sequence[str], k: int, cancel: CancelToken | None = None) -> list[Passage]:
        """``search`` in what is indexed already."""
        paths = normalize(scope)
        asked = self._vector(query, cancel)
        with self._reader() as connection:
            if connection is None:
                return []
            contents = retrieve.contents_of(connection, paths)
            near = None
            if asked is not None:
                self._matrix.refresh(connection, asked[0])
                near = self._matrix.similarities(asked[1], None if contents.everything else contents.paths)
            return retrieve.find(connection, self._parser.parse(query), contents, k, near)

    def await_vectors(self, scope: Sequence[str], seconds: float) -> None:
        """Wait so long at most for what finds passages by their meaning, where ``scope`` is small enough for that to
        help; a large one is searched by its words until it has been made in the background."""
        paths = normalize(scope)
        model = self._embedder.model if self._embedder is not None else None
        with self._reader() as connection:
            if connection is None or model is None:
                return
            missing = retrieve.without_vector(connection, retrieve.contents_of(connection, paths), model)
        if 0 < missing <= _FEW and (job := self._fill_in(paths)) is not None:
            job.wait(seconds)

    def read(
        self, path: str, scope: Sequence[str], start: int, limit: int, cancel: CancelToken | None = None
    ) -> DocumentText:
        """``limit`` characters from ``start``. ``path``: absolute, or the end of one document's path in ``scope``."""
        self.update(scope, cancel)
        with self._reader() as connection:
            if connection is None:
                raise errors.as_error(errors.outside_scope(path))
            row = _document(path, known_files(connection, normalize(scope)))
            if row.error is not None or row.content_id is None:
                raise AppError.of(row.error or errors.outside_scope(path))
            text, total = retrieve.document_text(connection, row.content_id, max(0, start), max(0, limit))
        return DocumentText(row.path, text, min(max(0, start), total), total)

    def files(self, scope: Sequence[str], cancel: CancelToken | None = None) -> list[str]:
        """Paths of the readable documents in the up-to-date ``scope``, sorted."""
        return list(self.update(scope, cancel).indexed)

    def status(self, scope: Sequence[str]) -> ScopeReport:
        """What is known now, without looking at the disk beyond whether an entry exists."""
        paths = normalize(scope)
        with self._reader() as connection:
            known = [] if connection is None else known_files(connection, paths)
        notes = [(path, errors.missing(path)) for path in paths if not os.path.exists(path)]  # noqa: PTH110 - these are strings
        return report(paths, known, notes)

    def watch(self, scope: Sequence[str]) -> None:
        """Keep these folders up to date from now on, instead of those watched before; () to stop."""
        self._watcher.watch(normalize(scope))

    def close(self) -> None:
        """Stop watching, reading, indexing and searching, in this order. The next scan takes up what was left."""
        if self._closed:
            return
        self._closed = True
        self._watcher.close()
        self._indexer.abort()
        self._thread.close()
        self._close_reader()

    def _close_reader(self) -> None:
        with self._reading:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _start(self, job: ScopeJob) -> Generator[None, None, tuple[ScopeReport, bool]]:
        if job.urgency is Urgency.VECTORS and self._maker is not None:
            return self._fill(self._maker, job)
        return self._indexer.update(job.scope, job.cancel)

    def _fill(self, maker: VectorMaker, job: ScopeJob) -> Generator[None, None, tuple[ScopeReport, bool]]:
        try:
            return (yield from maker.fill(job.scope, job.cancel))
        except sqlite3.Error as error:
            if schema.is_damage(error):
                self._indexer.condemn(error)
                raise errors.as_error(errors.index_damaged()) from error
            self._indexer.close_index()
            raise errors.as_error(errors.index_unusable(str(self._database), str(error))) from error

    def _fill_in(self, scope: tuple[str, ...]) -> ScopeJob | None:
        """The job that makes the vectors of ``scope``; None without a maker, and while closing."""
        if self._maker is None:
            return None
        with contextlib.suppress(AppError):
            return self._thread.queued(scope, Urgency.VECTORS) or self._thread.submit(ScopeJob(scope, Urgency.VECTORS))
        return None

    def _vector(self, query: str, cancel: CancelToken | None) -> "tuple[EmbeddingModel, array[float]] | None":
        """The question's vector and whose it is; None where there is nothing to compare it with, or no way to. Raises
        Cancelled."""
        if self._embedder is None or (model := self._embedder.model) is None:
            return None
        with self._reader() as connection:
            if connection is None:
                return None
            self._matrix.refresh(connection, model)
            if not len(self._matrix):
                return None
        try:
            vector = self._embedder.embed([query], query=True, cancel=cancel)[0]
        except AppError as error:
            _log.info("Searching by words alone: %s", error)
            return None
        return (model, vector) if len(vector) == model.dimension else None

    def _changed_on_disk(self, scope: tuple[str, ...]) -> None:
        try:
            if not self._thread.waiting(scope, Urgency.WATCHED):
                self._thread.submit(ScopeJob(scope, Urgency.WATCHED))
        except AppError:
            _log.debug("A change came while closing")

    def _ended(self, job: ScopeJob, found: ScopeReport | None, error: Exception | None) -> None:
        if job.urgency is Urgency.VECTORS:
            if isinstance(error, AppError) and not self._closed:
                _log.info("Passages are found by their words alone: %s %s", error, error.info.detail)
            return
        if found is not None:
            if job.changed and self._maker is not None:
                self._maker.changed()
            self._fill_in(job.scope)
            if job.changed or job.urgency is Urgency.ADDED:
                self._publish(IndexFinished(found.scope, len(found.indexed), found.skipped))
        elif job.urgency is not Urgency.QUESTION and isinstance(error, AppError) and not self._closed:
            self._publish(BackgroundFailed("documents", error.info))
        elif error is not None and not isinstance(error, AppError | Cancelled):
            _log.error("Reading documents failed", exc_info=error)

    @contextmanager
    def _reader(self) -> Iterator[sqlite3.Connection | None]:
        """The shared reading connection, alone for this thread; None while there is no index yet."""
        with self._reading:
            if self._closed:
                raise errors.as_error(errors.closed())
            try:
                if self._connection is None and self._database.exists():
                    self._connection = schema.open_for_reading(self._database)
                yield self._connection
            except sqlite3.Error as error:
                if self._connection is not None:
                    self._connection.close()
                    self._connection = None
                if schema.is_damage(error):
                    self._indexer.condemn(error)
                    raise errors.as_error(errors.index_damaged()) from error
                raise errors.as_error(errors.index_unusable(str(self._database), str(error))) from error


def _document(path: str, known: Sequence[KnownFile]) -> KnownFile:
    """The row that ``path`` means. Raises AppError for none and for several."""
    real = os.path.realpath(os.path.expanduser(path))  # noqa: PTH111 - strings stay strings
    exact = [row for row in known if row.path == real]
    if not exact:
        wanted = "/" + path.replace("\\", "/").removeprefix("./").lstrip("/")
        exact = [row for row in known if row.path.replace("\\", "/").endswith(wanted)]
    readable = [row for row in exact if row.status is FileStatus.INDEXED] or exact
    if not readable:
        raise errors.as_error(errors.outside_scope(path))
    if len(readable) > 1:
        raise errors.as_error(errors.ambiguous(path))
    return readable[0]
