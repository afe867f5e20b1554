"""The passages' vectors in memory, and which of them are near to a question's.

One matrix of 32-bit floats, a row a passage: 100,000 passages of 384 numbers take 154 MB and are compared in about 10
ms; read from the database for each question they would take 350. Used while the reading connection is held.
"""

import sqlite3
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from app.documents.index import schema
from app.domain.models import EmbeddingModel

if TYPE_CHECKING:
    import numpy as np

    Floats = np.ndarray[Any, np.dtype[np.float32]]
    Ids = np.ndarray[Any, np.dtype[np.int64]]


class VectorMatrix:
    """Follows the database: ``refresh`` reads what is new since the last one, and forgets what is gone."""

    def __init__(self) -> None:
        self._connection: sqlite3.Connection | None = None
        self._model: EmbeddingModel | None = None
        self._clear()

    def _clear(self) -> None:
        self._version = -1  # of the data, as SQLite counts it for the connection
        self._last_vector = 0
        self._last_content = 0
        self._count = 0
        self._rows: Floats | None = None  # the first ``_count`` are in use
        self._ids: Ids | None = None  # passage ids

    def __len__(self) -> int:
        """How many passages have a vector."""
        return self._count

    def refresh(self, connection: sqlite3.Connection, model: EmbeddingModel) -> None:
        """Raises sqlite3.Error."""
        if connection is not self._connection or model != self._model:
            self._clear()
            self._connection, self._model = connection, model
        version = connection.execute("PRAGMA data_version").fetchone()[0]
        if version == self._version:
            return
        if not schema.has_vectors(connection):
            return
        connection.execute("BEGIN")  # one state of the data for all that follows
        try:
            self._forget(connection)
            self._add(connection, model)
        finally:
            connection.execute("COMMIT")
        self._version = version

    def similarities(self, question: Sequence[float], contents: Collection[int] | None) -> "Similarities":
        """Cosines with the passages of ``contents`` (None: of all)."""
        import numpy as np

        if self._rows is None or self._ids is None:
            return Similarities(np.zeros(0, np.int64), np.zeros(0, np.float32))
        ids = self._ids[: self._count]
        cosines = self._rows[: self._count] @ np.asarray(question, dtype=np.float32)
        if contents is not None:
            wanted = np.isin(ids >> schema.ORDINAL_BITS, np.fromiter(contents, np.int64, len(contents)))
            ids, cosines = ids[wanted], cosines[wanted]
        return Similarities(ids, cosines)

    def _forget(self, connection: sqlite3.Connection) -> None:
        if self._rows is None or self._ids is None:
            return
        import numpy as np

        there = np.fromiter((row[0] for row in connection.execute("SELECT id FROM contents")), np.int64)
        kept = np.isin(self._ids[: self._count] >> schema.ORDINAL_BITS, there)
        if not kept.all():
            self._rows, self._ids = self._rows[: self._count][kept], self._ids[: self._count][kept]
            self._count = len(self._ids)

    def _add(self, connection: sqlite3.Connection, model: EmbeddingModel) -> None:
        """Vectors that are new, and new passages that have an old one. Contents and vectors are numbered upwards."""
        import numpy as np

        name = schema.embedder_name(model)
        embedder = connection.execute("SELECT id FROM embedders WHERE name = ?", (name,)).fetchone()
        last_vector, last_content = connection.execute(
            "SELECT (SELECT max(id) FROM vectors), (SELECT max(id) FROM contents)"
        ).fetchone()
        if embedder is None or last_vector is None:
            return
        new = connection.execute(
            "SELECT c.id, v.vector FROM vectors v JOIN chunks c ON c.hash = v.hash"
            " WHERE v.embedder = ?1 AND v.id > ?2 AND c.id < ?3 AND v.vector != x''"
            " UNION ALL SELECT c.id, v.vector FROM chunks c JOIN vectors v ON v.hash = c.hash AND v.embedder = ?1"
            " WHERE c.id >= ?3 AND v.vector != x''",
            (embedder[0], self._last_vector, schema.chunk_range(self._last_content + 1)[0]),
        ).fetchall()
        self._last_vector, self._last_content = last_vector, last_content
        if not new:
            return
        count = self._count + len(new)
        if self._rows is None or self._ids is None or len(self._rows) < count:
            rows = np.empty((max(count, count * 5 // 4 if self._count else count), model.dimension), np.float32)
            ids = np.empty(len(rows), np.int64)
            if self._rows is not None and self._ids is not None:
                rows[: self._count], ids[: self._count] = self._rows[: self._count], self._ids[: self._count]
            self._rows, self._ids = rows, ids
        for number, (chunk, vector) in enumerate(new, self._count):
            self._ids[number] = chunk
            self._rows[number] = np.frombuffer(vector, np.float16)
        self._count = count


class Similarities:
    """Cosines of a question with passages."""

    def __init__(self, ids: "Ids", cosines: "Floats") -> None:
        self._ids = ids
        self._cosines = cosines

    def __len__(self) -> int:
        return len(self._ids)

    def nearest(self, count: int) -> dict[int, float]:
        """Passage id -> cosine of the ``count`` nearest, the nearest first."""
        import numpy as np

        few = len(self._ids) <= count
        best = np.arange(len(self._ids)) if few else np.argpartition(self._cosines, -count)[-count:]
        best = best[np.argsort(-self._cosines[best], kind="stable")]
        return {int(self._ids[at]): float(self._cosines[at]) for at in best}

    def of(self, passages: Collection[int]) -> dict[int, float]:
        """Those of ``passages`` that have a vector."""
        import numpy as np

        at = np.flatnonzero(np.isin(self._ids, np.fromiter(passages, np.int64, len(passages))))
        return {int(self._ids[place]): float(self._cosines[place]) for place in at}
