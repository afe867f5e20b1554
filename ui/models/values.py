"""What the models page shows, as values of its own, and numbers as a person reads them."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from PySide6.QtCore import QCoreApplication

from app.domain.errors import ErrorInfo
from app.domain.events import DownloadState

_UNITS = ("B", "KB", "MB", "GB", "TB")


class Removal(StrEnum):
    """What "Remove" does with a model."""

    DELETE = "delete"  # the files, for good
    FORGET = "forget"  # the file stays, only its place is forgotten
    FORGET_FOLDER = "forget-folder"  # the same for a folder that the person added
    NONE = ""  # it came with the program, or belongs to another one


@dataclass(frozen=True, slots=True)
class ModelOnDisk:
    """``context`` in tokens, ``experts`` 0 for a dense model. ``error``: why it cannot be used, "" if it can."""

    name: str
    path: str
    size: int
    folder: str
    quantization: str = ""
    experts: int = 0
    experts_used: int = 0
    context: int = 0
    shipped: bool = False
    cached: bool = False  # in the Hub's cache, where other programs put it
    removal: Removal = Removal.NONE
    removal_folder: str = ""  # the one that is forgotten with it
    error: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """One quantization of a model. ``fit`` is "gpu", "memory" or "disk", and ``sentence`` says it in words.

    ``cached``: the path of the very same file in the Hub's cache, "" where it is not there. ``complete``: no shard of
    it is missing on the Hub.
    """

    name: str
    quantization: str
    size: int
    fit: str
    sentence: str
    files: int = 1
    cached: str = ""
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Offer:
    """A model of the program's own list; sizes are about right. ``context`` in tokens."""

    name: str
    maker: str
    repository: str
    description: str
    parameters: int
    active: int
    experts: int
    experts_used: int
    context: int
    licence: str
    asks: bool  # the licence wants to be read first
    note: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """A search result. ``updated``: ISO date, or ""."""

    id: str
    downloads: int
    likes: int
    licence: str
    gated: bool
    updated: str


@dataclass(frozen=True, slots=True)
class Stock:
    """A repository as the Hub has it now. ``start(choice's name, accepted)`` begins a download and returns its id;
    it raises AppError and waits for the disk. ``has_token``: there is an access token already."""

    id: str
    page: str
    licence: str
    licence_page: str
    asks: bool
    gated: bool
    has_token: bool
    choices: tuple[Choice, ...]
    start: Callable[[str, bool], str]


@dataclass(frozen=True, slots=True)
class DownloadRow:
    """A download as the page shows it. ``path``: the model, once it is finished."""

    id: str
    name: str
    done: int
    total: int
    state: DownloadState
    bytes_per_second: float = 0.0
    note: ErrorInfo | None = None
    error: ErrorInfo | None = None
    path: str = ""

    @property
    def active(self) -> bool:
        return not self.path and self.state not in (DownloadState.PAUSED, DownloadState.FAILED)


def size_text(size: float) -> str:
    """Bytes as a person reads them: ``2.2 MB``. Decimal, as disks and the Hub count."""
    value = float(size)
    unit = _UNITS[0]
    for unit in _UNITS:
        if value < 1000 or unit == _UNITS[-1]:
            break
        value /= 1000
    return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.1f} {unit}"


def memory_text(size: float) -> str:
    """Bytes of memory: ``5.8 GB``. Binary, as memory is sold."""
    for unit, step in (("TB", 1 << 40), ("GB", 1 << 30), ("MB", 1 << 20)):
        if size >= step:
            value = size / step
            return f"{value:.0f} {unit}" if value >= 100 else f"{value:.1f} {unit}"
    return f"{size / 1024:.0f} KB"


def count_text(count: int) -> str:
    """Parameters and downloads: ``30.5B``, ``1.04T``, ``12k``."""
    for unit, name, digits in ((1e12, "T", 2), (1e9, "B", 1), (1e6, "M", 1), (1e3, "k", 0)):
        if count >= unit:
            number = f"{count / unit:.{digits}f}"
            return f"{number.rstrip('0').rstrip('.') if digits else number}{name}"
    return str(count)


def context_text(tokens: int) -> str:
    """``256K`` for 262,144 tokens; 131,072 and 128,000 are both called 128K, as their makers do."""
    if tokens < 1000:
        return str(tokens)
    thousands = tokens / 1000 if tokens % 1000 == 0 else tokens / 1024
    return f"{thousands / 1000:.0f}M" if thousands >= 1000 else f"{thousands:.0f}K"


def time_text(seconds: float) -> str:
    """How long it still takes, about."""
    if seconds < 60:
        return _words("{n} s left", max(1, round(seconds)))
    if seconds < 90 * 60:
        return _words("{n} min left", round(seconds / 60))
    return _words("{n} h left", round(seconds / 3600))


def _words(text: str, number: int) -> str:
    return QCoreApplication.translate("Downloads", text).format(n=number)
