"""The tables of ``documents.db``, and opening it: probed, of this version, built anew where it is old or broken.

A file's content is stored once, however many files have it, under (SHA-256, format). Passage ids are
``content id << 20 | ordinal``, so that the content of a search hit and the neighbours of a passage are known without a
look-up. ``chunks.hash`` names a passage by heading and text: its vectors are kept under that name, so that they stay
when the rest of its file changes, and when the index is built anew. Vectors of several embedding models lie beside each
other; one of no bytes says that none can be computed. Everything here can be built again from the files.
"""

import contextlib
import hashlib
import logging
import sqlite3
from pathlib import Path

from app.documents import errors
from app.documents.language import analysis
from app.documents.reading.readers import registry
from app.domain.models import EmbeddingModel

_log = logging.getLogger(__name__)

SCHEMA_VERSION = 3  # 2: vectors; 3: the tables of terms have names of their own
_FIRST_WITH_VECTORS = 2
ORDINAL_BITS = 20

# The tokenizer only splits at spaces: the terms come ready made from ``analysis``.
_TOKENIZER = "ascii tokenchars '_'"
_SCHEMA = f"""
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE contents (
    id INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used again: a stale hit must not find another content
    sha256 BLOB NOT NULL,
    format TEXT NOT NULL,
    characters INTEGER NOT NULL,
    UNIQUE (sha256, format)
);
CREATE TABLE files (
    id INTEGER PRIMARY KEY,
    path TEXT NOT NULL UNIQUE,
    size INTEGER NOT NULL,
    mtime INTEGER NOT NULL,  -- nanoseconds
    checked INTEGER NOT NULL,  -- nanoseconds, the clock when size and mtime were taken
    sha256 BLOB,
    status TEXT NOT NULL,
    error TEXT,  -- ErrorInfo as JSON
    content_id INTEGER REFERENCES contents (id)
);
CREATE INDEX files_content ON files (content_id);
CREATE TABLE chunks (
    id INTEGER PRIMARY KEY,
    hash BLOB NOT NULL,
    start INTEGER NOT NULL,
    "end" INTEGER NOT NULL,
    page INTEGER,
    heading TEXT NOT NULL,
    line_start INTEGER,
    line_end INTEGER,
    text TEXT NOT NULL
);
CREATE VIRTUAL TABLE chunk_terms USING fts5 (body, heading, tokenize = "{_TOKENIZER}");
CREATE VIRTUAL TABLE names USING fts5 (name, tokenize = "{_TOKENIZER}");
CREATE VIRTUAL TABLE vocabulary USING fts5vocab (chunk_terms, row);
CREATE INDEX chunks_hash ON chunks (hash);
"""
_VECTORS = """
CREATE TABLE embedders (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE);
CREATE TABLE vectors (
    id INTEGER PRIMARY KEY AUTOINCREMENT,  -- so that those that are new to a reader are found
    hash BLOB NOT NULL,  -- that of chunks
    embedder INTEGER NOT NULL REFERENCES embedders (id) ON DELETE CASCADE,
    vector BLOB NOT NULL,  -- 16-bit floats, native
    UNIQUE (hash, embedder)
);
"""


def content_of(chunk_id: int) -> int:
    return chunk_id >> ORDINAL_BITS


def chunk_range(content_id: int) -> tuple[int, int]:
    """First and last id that a passage of this content may have."""
    first = content_id << ORDINAL_BITS
    return first, first + (1 << ORDINAL_BITS) - 1


def chunk_hash(heading: str, text: str) -> bytes:
    """What a passage is known by across files and edits: 16 bytes."""
    return hashlib.blake2b(f"{heading}\0{text}".encode("utf-8", "replace"), digest_size=16).digest()


def embedder_name(model: EmbeddingModel) -> str:
    """Under which its vectors are kept."""
    return f"{model.id} {model.dimension}"


def _analysis_version() -> str:
    return f"{registry.VERSION}.{analysis.VERSION}"


def probe() -> None:
    """Raises AppError where SQLite lacks FTS5."""
    with contextlib.closing(sqlite3.connect(":memory:")) as memory:
        try:
            memory.execute("CREATE VIRTUAL TABLE probe USING fts5 (text)")
        except sqlite3.OperationalError as error:
            raise errors.as_error(errors.no_fts5()) from error


def open_for_writing(path: Path) -> sqlite3.Connection:
    """A connection to a database of this version, in autocommit mode. The caller holds the indexer's lock.

    Raises AppError for a newer schema (which is left as it is) and for a place that cannot be written.
    """
    probe()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            return _prepared(path)
        except sqlite3.DatabaseError as error:
            if not is_damage(error):  # locked, full, read-only: not a reason to throw it away
                raise
            _log.warning("The document index %s is damaged (%s) and is built again", path, error)
            remove(path)
            return _prepared(path)
    except (sqlite3.Error, OSError) as error:
        raise errors.as_error(errors.index_unusable(str(path), str(error))) from error


def _prepared(path: Path) -> sqlite3.Connection:
    connection = connect(path)
    try:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA_VERSION:
            raise errors.as_error(errors.newer_index(str(path)))
        if version < SCHEMA_VERSION or not _is_current(connection):
            _build(connection, keep_vectors=version >= _FIRST_WITH_VECTORS)
    except BaseException:
        connection.close()
        raise
    return connection


def _build(connection: sqlite3.Connection, *, keep_vectors: bool) -> None:
    """Empty tables. Vectors take minutes to compute and hang on a passage's content alone, so they may stay."""
    kept = {"vectors", "embedders"} if keep_vectors else set()
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    named = {name for (name,) in tables}
    ours = {name for name in named if not any(name.startswith(f"{table}_") for table in named)}  # FTS5 drops its own
    drops = "".join(f'DROP TABLE "{name}";' for name in sorted(ours - kept, key=_drop_order))
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA foreign_keys = OFF")
    connection.executescript(
        f"BEGIN; {drops} {_SCHEMA} {'' if keep_vectors else _VECTORS} PRAGMA user_version = {SCHEMA_VERSION};"
    )
    connection.execute("INSERT INTO meta VALUES ('analysis', ?)", (_analysis_version(),))
    connection.execute("COMMIT")
    connection.execute("PRAGMA foreign_keys = ON")


def _drop_order(table: str) -> tuple[bool, str]:
    """A table of words looks into the index that it shows, so it goes first."""
    return (table not in ("terms", "vocabulary"), table)


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file itself is broken; not that it is locked, full or out of reach."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _is_current(connection: sqlite3.Connection) -> bool:
    row = connection.execute("SELECT value FROM meta WHERE key = 'analysis'").fetchone()
    return row is not None and row[0] == _analysis_version()


def open_for_reading(path: Path) -> sqlite3.Connection:
    """A connection that cannot write. Raises AppError for a newer schema, sqlite3.Error for a broken file."""
    connection = connect(path)
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > SCHEMA_VERSION:
        connection.close()
        raise errors.as_error(errors.newer_index(str(path)))
    connection.execute("PRAGMA query_only = ON")
    return connection


def has_vectors(connection: sqlite3.Connection) -> bool:
    """False for an older index that no indexer has looked at yet."""
    return bool(connection.execute("PRAGMA user_version").fetchone()[0] >= _FIRST_WITH_VECTORS)


def connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA mmap_size = 268435456")
    connection.execute("PRAGMA cache_size = -32768")
    return connection


def remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
