"""Vectors for passages, so that they are found by their meaning: which are missing, and making them, newest first.

Runs on the documents thread, in slices so short that a question hardly waits, each under the indexer's lock. Full-text
search works meanwhile; what was made is stored at once and never made again.
"""

import logging
from collections.abc import Callable, Generator, Sequence

from app.documents.index.index import Index
from app.documents.index.report import ScopeReport, report
from app.domain.cancel import CancelToken
from app.domain.errors import AppError
from app.domain.models import EmbeddingModel
from app.domain.protocols import Clock, Embedder

_log = logging.getLogger(__name__)

_SLICE_S = 0.2
_MOST = 64  # passages in a slice
_LONGEST = 4000  # characters of a passage that are looked at
_DIED = "embedding-died"


class VectorMaker:
    """``opened``: hands out the index's writing side."""

    def __init__(self, opened: Callable[[], Index], embedder: Embedder, clock: Clock) -> None:
        self._opened = opened
        self._embedder = embedder
        self._clock = clock
        self._batch = 1
        self._complete: set[tuple[tuple[str, ...], EmbeddingModel]] = set()

    def changed(self) -> None:
        """The index is another one than when we last looked."""
        self._complete.clear()

    def fill(self, scope: tuple[str, ...], cancel: CancelToken) -> Generator[None, None, tuple[ScopeReport, bool]]:
        """Make the vectors that passages in ``scope`` lack; yields between slices. Raises AppError, Cancelled."""
        nothing = report(scope, (), ()), False
        model = self._embedder.model
        if model is None or (scope, model) in self._complete:
            return nothing
        index = self._opened()
        embedder = index.embedder(model)
        contents = {row.content_id for row in index.known(scope).values() if row.content_id is not None}
        made = 0
        for content in sorted(contents, reverse=True):
            while rows := index.without_vector(content, embedder, self._batch):
                cancel.raise_if_cancelled()
                started = self._clock.monotonic()
                vectors = self._vectors([_text(heading, text) for _, heading, text in rows], model, cancel)
                if self._embedder.model != model:
                    return nothing  # what was made may be of either model
                with index.transaction():
                    index.add_vectors(embedder, [(row[0], vector) for row, vector in zip(rows, vectors, strict=True)])
                made += len(rows)
                self._adapt(len(rows), self._clock.monotonic() - started)
                yield
        if made:
            _log.info("made %d vectors with %s", made, model.name)
        self._complete.add((scope, model))
        return nothing

    def _adapt(self, count: int, seconds: float) -> None:
        """Towards as many passages as a slice has time for."""
        fitting = int(count * _SLICE_S / max(seconds, 1e-6))
        self._batch = max(1, min(fitting, 2 * self._batch, _MOST))

    def _vectors(self, texts: Sequence[str], model: EmbeddingModel, cancel: CancelToken) -> list[bytes]:
        """As they are stored. A passage whose text brings the model down gets an empty one."""
        try:
            return [stored(vector, model) for vector in self._embedder.embed(texts, cancel=cancel)]
        except AppError as error:
            if error.code != _DIED:
                raise
        found: list[bytes] = []
        for text in texts:
            try:
                found.append(stored(self._embedder.embed([text], cancel=cancel)[0], model))
            except AppError as error:
                if error.code != _DIED:
                    raise
                found.append(b"")
        return found


def _text(heading: str, text: str) -> str:
    return (f"{heading}\n{text}" if heading else text)[:_LONGEST]


def stored(vector: Sequence[float], model: EmbeddingModel) -> bytes:
    """16-bit floats: half the size, and the order of what is near stays."""
    import numpy as np  # takes a tenth of a second and some megabytes

    assert len(vector) == model.dimension
    return np.asarray(vector, dtype=np.float16).tobytes()
