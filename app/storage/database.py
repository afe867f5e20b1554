"""SQLite files: connections, schema migrations, and what to tell a person when a file is unusable.

Used for ``chats.db`` here and for ``documents.db`` by the documents room. Nothing in here ever deletes or overwrites a
database.
"""

import contextlib
import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from app.domain.errors import AppError

log = logging.getLogger(__name__)

BUSY_TIMEOUT_MS = 10_000  # another process of ours may be inside one of its short transactions
MAX_IDLE_READERS = 4
OLDEST_SQLITE = (3, 35, 0)  # drops columns, and needs no target for ON CONFLICT


Statement: TypeAlias = str | Callable[[sqlite3.Connection], None]
"""SQL, or a function for what SQL cannot say; it works inside the step's transaction."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of a schema, run as one transaction. ``why`` is for the reader of the code and for the log."""

    why: str
    statements: tuple[Statement, ...]


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """A connection in autocommit mode; transactions are explicit (``transaction``). Any thread may use it, one at a
    time. The folder must exist. Raises AppError."""
    with sqlite_errors(path):
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rwc'}",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            timeout=BUSY_TIMEOUT_MS / 1000,
        )
        try:
            connection.execute("PRAGMA foreign_keys = ON")
            if read_only:
                connection.execute("PRAGMA query_only = ON")
            else:
                connection.execute("PRAGMA journal_mode = WAL")
                # With NORMAL a power cut may take back a commit that a person has seen; we commit about once a second.
                connection.execute("PRAGMA synchronous = FULL")
        except BaseException:
            connection.close()
            raise
    return connection


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """A write transaction: takes the lock at once, so that it cannot fail half-way for another process's sake."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite may have rolled back by itself, on a full disk for instance
            connection.execute("ROLLBACK")
        raise


def open_database(path: Path, migrations: Sequence[Migration], *, backup: bool) -> sqlite3.Connection:
    """A writing connection to ``path`` with the newest schema. ``backup``: keep a copy before an older one is changed.

    Raises AppError: ``database-newer`` (the file is left as it is), ``database-damaged``, ``database-busy``,
    ``database-unusable``, ``sqlite-too-old``.
    """
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise AppError(
            "sqlite-too-old",
            "This Python's SQLite is too old ({found}); Alcove needs {needed} or newer.",
            "Install a newer Python; the one from python.org brings its own SQLite.",
            found=sqlite3.sqlite_version,
            needed=".".join(map(str, OLDEST_SQLITE[:2])),
        )
    refuse_newer(path, len(migrations))
    connection = connect(path)
    try:
        with sqlite_errors(path):
            migrate(connection, path, migrations, backup=backup)
    except BaseException:
        connection.close()
        raise
    return connection


def refuse_newer(path: Path, newest: int) -> None:
    """Raise ``database-newer`` where a newer program wrote ``path``; looks through a read-only connection."""
    if not path.exists() or path.stat().st_size == 0:
        return
    with contextlib.closing(connect(path, read_only=True)) as reader, sqlite_errors(path):
        version = user_version(reader)
    if version > newest:
        raise AppError(
            "database-newer",
            "{path} was written by a newer version of Alcove (schema {found}, this version knows {newest}).",
            "Install the newer version again, or start with another folder by setting ALCOVE_HOME.",
            path=path,
            found=version,
            newest=newest,
        )


def migrate(connection: sqlite3.Connection, path: Path, migrations: Sequence[Migration], *, backup: bool) -> None:
    copied = not backup
    for number, migration in enumerate(migrations, start=1):
        if user_version(connection) >= number:
            continue
        with transaction(connection):
            version = user_version(connection)
            if version >= number:  # another process of ours was faster
                continue
            if not copied and version > 0:
                _keep_copy(path, version)
            copied = True
            for statement in migration.statements:
                if isinstance(statement, str):
                    connection.execute(statement)
                else:
                    statement(connection)
            connection.execute(f"PRAGMA user_version = {number}")
        log.info("%s: schema %d: %s", path.name, number, migration.why)


def user_version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def backup_path(path: Path, version: int) -> Path:
    return path.with_name(f"{path.name}.backup-v{version}")


def _keep_copy(path: Path, version: int) -> None:
    """Copy ``path`` beside itself. The caller holds the write lock, so nobody else copies or migrates meanwhile."""
    target = backup_path(path, version)
    unfinished = target.with_name(target.name + ".tmp")
    unfinished.unlink(missing_ok=True)
    try:
        # SQLite refuses to copy through the connection that holds the lock; a reader beside it sees the same.
        with (
            contextlib.closing(connect(path, read_only=True)) as source,
            contextlib.closing(sqlite3.connect(unfinished)) as copy,
        ):
            source.backup(copy)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


class ReaderPool:
    """Read-only connections, one for each call under way; a few idle ones are kept. Thread-safe."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        self._closed = False

    @contextlib.contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A connection inside one read transaction: all its queries see the same state. Raises AppError."""
        with self._lock:
            if self._closed:
                raise RuntimeError("the store is closed")
            connection = self._idle.pop() if self._idle else None
        if connection is None:
            connection = connect(self._path, read_only=True)
        try:
            with sqlite_errors(self._path):
                connection.execute("BEGIN")
                yield connection
                connection.execute("COMMIT")
        except BaseException:
            connection.close()
            raise
        self._put_back(connection)

    def close(self) -> None:
        """Close what is idle; what is in use closes itself at its end."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _put_back(self, connection: sqlite3.Connection) -> None:
        with self._lock:
            if not self._closed and len(self._idle) < MAX_IDLE_READERS:
                self._idle.append(connection)
                return
        connection.close()


@contextlib.contextmanager
def sqlite_errors(path: Path) -> Iterator[None]:
    """Turn what SQLite says about the file or the disk into an AppError; mistakes in our SQL stay as they are."""
    try:
        yield
    except sqlite3.Error as error:
        known = explain(error, path)
        if known is None:
            raise
        raise known from error


def explain(error: sqlite3.Error, path: Path) -> AppError | None:
    """Result codes: https://www.sqlite.org/rescode.html (primary code is the low byte). None for a bug of ours."""
    primary = getattr(error, "sqlite_errorcode", 0) & 0xFF
    detail = f"{path}: {error}"
    if primary in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return AppError(
            "database-damaged",
            "{path} is damaged and cannot be read.",
            "Nothing was changed: move the file to another folder and start again, or put a copy of it back "
            "(one from before the last update lies beside it, if there was an update).",
            detail=detail,
            path=path,
        )
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return AppError(
            "database-busy",
            "{path} is in use by another program.",
            "Close other windows of Alcove and whatever copies or scans this file, then try again.",
            detail=detail,
            path=path,
        )
    if primary == sqlite3.SQLITE_FULL:
        return AppError(
            "disk-full",
            "The disk is full; {path} cannot grow.",
            "Free some space and try again.",
            detail=detail,
            path=path,
        )
    if primary in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_PERM):
        return AppError(
            "database-unusable",
            "{path} cannot be opened or written.",
            "Check that the folder exists, that it is yours and that the disk works.",
            detail=detail,
            path=path,
        )
    if "no such module: fts5" in str(error):
        return AppError(
            "sqlite-without-fts5",
            "This Python's SQLite cannot search texts (FTS5 is missing).",
            "Install a Python whose SQLite has FTS5; the one from python.org has it.",
            detail=detail,
        )
    return None
