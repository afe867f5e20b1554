"""What rooms beside each other need of one another, so that they meet only in ``services``."""

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from app.domain.cancel import CancelToken
from app.domain.events import Event
from app.domain.models import EmbeddingModel
from app.domain.sources import Passage


class PassageSearch(Protocol):
    """Search over the person's documents. Thread-safe; each call may wait for the documents thread."""

    def search(self, query: str, scope: Sequence[str], k: int, cancel: CancelToken | None = None) -> list[Passage]:
        """The ``k`` best passages among the files and folders in ``scope`` (absolute paths), best first."""
        ...

    def read(
        self, path: str, scope: Sequence[str], start: int, limit: int, cancel: CancelToken | None = None
    ) -> "DocumentText":
        """Text of one document inside ``scope``. Raises AppError for a path outside it or unreadable."""
        ...

    def files(self, scope: Sequence[str], cancel: CancelToken | None = None) -> list[str]:
        """Paths of the readable documents inside ``scope``, sorted."""
        ...


class Embedder(Protocol):
    """Turns texts into vectors, so that passages are found by their meaning. Thread-safe; calls wait."""

    @property
    def model(self) -> EmbeddingModel | None:
        """The model that ``embed`` uses, None where there is none. It may change while the program runs."""
        ...

    def embed(
        self, texts: Sequence[str], *, query: bool = False, cancel: CancelToken | None = None
    ) -> "list[array[float]]":
        """A vector of length 1 (32-bit floats) for each text; only a text's beginning counts where the model reads no
        more. ``query``: these are questions and go before passages that wait. Raises AppError, Cancelled."""
        ...


@dataclass(frozen=True, slots=True)
class DocumentText:
    """``text`` is the document's characters from ``start``; ``total`` its length in characters."""

    path: str
    text: str
    start: int
    total: int


class Clock(Protocol):
    """Time, handed in so that tests own it."""

    def now(self) -> float:
        """Seconds since 1970."""
        ...

    def monotonic(self) -> float: ...


Publish = Callable[[Event], None]
"""Puts an event into the mailbox; never blocks, any thread."""
