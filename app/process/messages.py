"""What children say that more than one room has to understand: a load, and texts turned into vectors."""

from dataclasses import dataclass

from app.domain.errors import ErrorInfo


@dataclass(frozen=True, slots=True)
class LoadProgress:
    """A model is being loaded; ``progress`` from 0 to 1."""

    progress: float


@dataclass(frozen=True, slots=True)
class LoadFailed:
    """The child ends by itself. ``error`` None: the load was cancelled."""

    error: ErrorInfo | None


@dataclass(frozen=True, slots=True)
class EmbedderLoaded:
    """An embedding model is ready.

    ``dimension``: numbers of a vector.
    ``lanes``: texts that it takes at the same time.
    """

    dimension: int
    lanes: int


@dataclass(frozen=True, slots=True)
class Embed:
    """Turn texts into vectors. Answered by ``Embedded``. ``query``: questions, which somebody waits for."""

    texts: tuple[str, ...]
    query: bool = False


@dataclass(frozen=True, slots=True)
class Embedded:
    """``vectors``: native 32-bit floats, one vector of length 1 after the other."""

    vectors: bytes
    error: ErrorInfo | None = None
