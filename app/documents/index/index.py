"""Writing the index: what is known of files, and one transaction for all that changes with one of them.

Used on the documents thread only, while the indexer's lock is held.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path, PurePath
from typing import NamedTuple

from app.documents.index import schema
from app.documents.index.scan import FoundFile
from app.documents.language.analysis import Analyzer, Language
from app.documents.reading.readers.registry import DocumentFormat
from app.documents.reading.reading import PassageRow
from app.domain.errors import ErrorInfo
from app.domain.models import EmbeddingModel


class FileStatus(StrEnum):
    INDEXED = "indexed"
    EMPTY = "empty"  # no text, or scanned
    FAILED = "failed"  # could not be read
    UNSUPPORTED = "unsupported"  # not a kind that is read


class KnownFile(NamedTuple):
    """A row of ``files``; times in nanoseconds."""

    path: str
    size: int
    mtime: int
    checked: int
    status: FileStatus
    error: ErrorInfo | None
    content_id: int | None
    sha256: bytes | None


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a file was when it was read: ``checked`` is the clock's time in nanoseconds."""

    file: FoundFile
    checked: int
    sha256: bytes | None = None


class Index:
    """The writing side of ``documents.db``."""

    def __init__(self, path: Path) -> None:
        self._connection = schema.open_for_writing(path)
        self._names = Analyzer(Language.ENGLISH)

    def close(self) -> None:
        self._connection.close()

    def known(self, scope: Sequence[str]) -> dict[str, KnownFile]:
        return {row.path: row for row in known_files(self._connection, scope)}

    def content(self, sha256: bytes, kind: DocumentFormat) -> int | None:
        """The id of a content that has been read already."""
        row = self._connection.execute(
            "SELECT id FROM contents WHERE sha256 = ? AND format = ?", (sha256, kind.value)
        ).fetchone()
        return None if row is None else int(row[0])

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def new_content(self, sha256: bytes, kind: DocumentFormat) -> int:
        cursor = self._connection.execute(
            "INSERT INTO contents (sha256, format, characters) VALUES (?, ?, 0)", (sha256, kind.value)
        )
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def add_passages(self, content_id: int, ordinal: int, rows: Sequence[PassageRow]) -> None:
        """``ordinal``: how many passages the content has so far."""
        first = schema.chunk_range(content_id)[0] + ordinal
        self._connection.executemany(
            "INSERT INTO chunks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (first + i, schema.chunk_hash(row.heading, row.text), row.start, row.end, row.page, row.heading,
                 row.line_start, row.line_end, row.text)
                for i, row in enumerate(rows)
            ],
        )  # fmt: skip
        self._connection.executemany(
            "INSERT INTO chunk_terms (rowid, body, heading) VALUES (?, ?, ?)",
            [(first + i, row.body_terms, row.heading_terms) for i, row in enumerate(rows)],
        )

    def finish_content(self, content_id: int, characters: int) -> None:
        self._connection.execute("UPDATE contents SET characters = ? WHERE id = ?", (characters, content_id))

    def put_file(
        self, stamp: Stamp, status: FileStatus, error: ErrorInfo | None = None, content_id: int | None = None
    ) -> None:
        """What is true of a file now. Its old content is found no more; ``sweep`` removes it."""
        file = stamp.file
        old = self._connection.execute("SELECT id FROM files WHERE path = ?", (file.path,)).fetchone()
        values = (file.size, file.mtime, stamp.checked, stamp.sha256, status.value,
                  None if error is None else json.dumps(asdict(error)), content_id)  # fmt: skip
        if old is None:
            cursor = self._connection.execute(
                "INSERT INTO files (size, mtime, checked, sha256, status, error, content_id, path)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (*values, file.path),
            )
            self._connection.execute(
                "INSERT INTO names (rowid, name) VALUES (?, ?)", (cursor.lastrowid, self._name_terms(file.path))
            )
            return
        self._connection.execute(
            "UPDATE files SET size = ?, mtime = ?, checked = ?, sha256 = ?, status = ?, error = ?, content_id = ?"
            " WHERE id = ?",
            (*values, old[0]),
        )

    def touch(self, stamps: Iterable[Stamp]) -> None:
        """Same content, other times."""
        self._connection.executemany(
            "UPDATE files SET size = ?, mtime = ?, checked = ? WHERE path = ?",
            [(stamp.file.size, stamp.file.mtime, stamp.checked, stamp.file.path) for stamp in stamps],
        )

    def remove(self, path: str) -> None:
        """Forget a file. Its content stays until ``sweep``: the file may turn up under another name."""
        row = self._connection.execute("SELECT id FROM files WHERE path = ?", (path,)).fetchone()
        if row is not None:
            self._connection.execute("DELETE FROM files WHERE id = ?", row)
            self._connection.execute("DELETE FROM names WHERE rowid = ?", row)

    def sweep(self) -> None:
        """Remove the contents that no file has any more."""
        orphans = self._connection.execute(
            "SELECT id FROM contents WHERE id NOT IN (SELECT content_id FROM files WHERE content_id IS NOT NULL)"
        ).fetchall()
        for (content_id,) in orphans:
            ids = schema.chunk_range(content_id)
            with self.transaction():
                self._connection.execute(
                    "DELETE FROM vectors WHERE hash IN (SELECT hash FROM chunks c WHERE c.id BETWEEN ? AND ? AND NOT"
                    " EXISTS (SELECT 1 FROM chunks o WHERE o.hash = c.hash AND o.id NOT BETWEEN ? AND ?))",
                    (*ids, *ids),
                )
                self._connection.execute("DELETE FROM chunk_terms WHERE rowid BETWEEN ? AND ?", ids)
                self._connection.execute("DELETE FROM chunks WHERE id BETWEEN ? AND ?", ids)
                self._connection.execute("DELETE FROM contents WHERE id = ?", (content_id,))

    def embedder(self, model: EmbeddingModel) -> int:
        """The number under which the model's vectors are kept. Those of the model before it are kept, too; of older
        ones they go."""
        name = schema.embedder_name(model)
        with self.transaction():
            row = self._connection.execute("SELECT id FROM embedders WHERE name = ?", (name,)).fetchone()
            if row is None:
                self._connection.execute(
                    "DELETE FROM embedders WHERE id NOT IN (SELECT id FROM embedders ORDER BY id DESC LIMIT 1)"
                )
                row = (self._connection.execute("INSERT INTO embedders (name) VALUES (?)", (name,)).lastrowid,)
        return int(row[0])

    def without_vector(self, content_id: int, embedder: int, limit: int) -> list[tuple[bytes, str, str]]:
        """(hash, heading, text) of the content's next passages for which there is none."""
        return self._connection.execute(
            "SELECT hash, heading, text FROM chunks c WHERE id BETWEEN ? AND ?"
            " AND NOT EXISTS (SELECT 1 FROM vectors v WHERE v.hash = c.hash AND v.embedder = ?) ORDER BY id LIMIT ?",
            (*schema.chunk_range(content_id), embedder, limit),
        ).fetchall()

    def add_vectors(self, embedder: int, vectors: Sequence[tuple[bytes, bytes]]) -> None:
        """(hash, vector as 16-bit floats) each."""
        self._connection.executemany(
            "INSERT OR IGNORE INTO vectors (hash, embedder, vector) VALUES (?, ?, ?)",
            [(digest, embedder, vector) for digest, vector in vectors],
        )

    def _name_terms(self, path: str) -> str:
        """The file's name and the two folders it lies in."""
        parts = PurePath(path).parts[-3:]
        return self._names.terms(" ".join((*parts[:-1], PurePath(path).stem, parts[-1])))


def known_files(connection: sqlite3.Connection, scope: Sequence[str]) -> list[KnownFile]:
    """The rows of all files in a normalized scope, sorted by path."""
    rows: list[KnownFile] = []
    for entry in scope:
        below = entry.rstrip("/\\")
        for path, size, mtime, checked, status, error, content_id, sha256 in connection.execute(
            "SELECT path, size, mtime, checked, status, error, content_id, sha256 FROM files"
            " WHERE path = ? OR (path > ? AND path < ?) OR (path > ? AND path < ?)",
            (entry, below + "/", below + "0", below + "\\", below + "]"),
        ):
            info = None if error is None else ErrorInfo(**json.loads(error))
            rows.append(KnownFile(path, size, mtime, checked, FileStatus(status), info, content_id, sha256))
    rows.sort(key=lambda row: row.path)
    return rows
