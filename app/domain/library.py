"""Models on this computer, in our catalogue, on the Hub and on their way, as both front ends show them."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePath
from typing import TypeAlias

from app.domain.errors import ErrorInfo
from app.domain.events import DownloadState
from app.domain.models import SamplingValues

FileProgress: TypeAlias = Callable[[int, int], None]
"""``progress(bytes done, bytes in all)``."""

# On this computer


class Origin(StrEnum):
    """Where a model comes from, which decides what may be done to it. In the order in which models are listed."""

    LIBRARY = "library"  # our own folder: we may remove it
    FOLDER = "folder"  # a folder or file that the person named: only forgotten
    CACHE = "cache"  # downloaded by another program that uses the Hub's cache: read only
    SHIPPED = "shipped"  # came with the program


class Removal(StrEnum):
    """What removing a model does."""

    DELETE = "delete"  # the files, for good
    FORGET = "forget"  # the file stays; the person named it, and it is not looked at any more
    FORGET_FOLDER = "forget-folder"  # the same for a folder that the person named
    NONE = ""  # it came with the program, or belongs to another one


class ImportBy(StrEnum):
    """How a file is taken into the library."""

    COPY = "copy"
    MOVE = "move"
    LINK = "link"  # a second name for the same bytes: a hard link, or a symbolic one to another disk
    REGISTER = "register"  # stays where it is; only its place is remembered


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A model on the disk. ``path``: its (first) file; ``files``: all that are there; ``size`` of them in bytes."""

    name: str
    path: str
    size: int = 0
    origin: Origin = Origin.FOLDER
    files: tuple[str, ...] = ()

    @property
    def shipped(self) -> bool:
        return self.origin is Origin.SHIPPED

    @property
    def folder(self) -> str:
        return str(PurePath(self.path).parent)


@dataclass(frozen=True, slots=True)
class LibraryModel(ModelFile):
    """A model that was found in a folder that is searched, with what its header says.

    ``root``: that folder (or file) as the person named it, "" for those that nobody named.
    ``missing``: names of files that are not there.
    ``experts``: 0 for a dense model; ``context`` in tokens; ``parameters``: 0 where shards are missing.
    ``projector``: path of the vision projector beside it.
    ``pooling``: how an embedding model makes one vector of a text (enum llama_pooling_type), 0 for one that writes.
    ``error``: why it cannot be used, "" if it can.
    """

    root: str = ""
    missing: tuple[str, ...] = ()
    quantization: str = ""
    architecture: str = ""
    experts: int = 0
    experts_used: int = 0
    context: int = 0
    parameters: int = 0
    projector: str = ""
    repository: str = ""
    licence: str = ""
    pooling: int = 0
    error: str = ""

    @property
    def complete(self) -> bool:
        return not self.missing and not self.error

    @property
    def writes(self) -> bool:
        """Whether it can answer: it is no embedding model and no reranker."""
        return self.pooling == 0

    @property
    def embeds(self) -> bool:
        """Whether it turns texts into vectors (mean, CLS, last)."""
        return self.pooling in (1, 2, 3)

    @property
    def removal(self) -> Removal:
        match self.origin:
            case Origin.LIBRARY:
                return Removal.DELETE
            case Origin.FOLDER:
                return Removal.FORGET if self.root in self.files else Removal.FORGET_FOLDER
            case _:
                return Removal.NONE


@dataclass(frozen=True, slots=True)
class FileCheck:
    """``checksum``: True if it was compared and is right; None where none is known. ``error``: what is wrong, or ""."""

    path: str
    checksum: bool | None
    error: str = ""


# To be had


class Fit(StrEnum):
    """Where a model would lie on this machine."""

    GPU = "gpu"
    MEMORY = "memory"
    DISK = "disk"  # larger than memory


@dataclass(frozen=True, slots=True)
class FitVerdict:
    fit: Fit
    sentence: str


@dataclass(frozen=True, slots=True)
class CatalogueQuantization:
    """``size`` in bytes, all files together; about right, the Hub says it exactly."""

    name: str
    size: int


@dataclass(frozen=True, slots=True)
class CatalogueModel:
    """A model of the program's own list.

    ``repository``: with the GGUF files; ``original``: the makers'.
    ``parameters`` and ``active`` (for one token) are counts, ``context`` in tokens.
    ``licence_page``: relative to the Hub. ``licence_asks``: shown before a download.
    ``sampling_at_once``: for answers without reasoning, None where it makes no difference.
    ``checked``: every figure was compared with a source, ``note`` tells which were not.
    """

    name: str
    maker: str
    repository: str
    original: str
    architecture: str
    parameters: int
    active: int
    experts: int
    experts_used: int
    context: int
    licence: str
    licence_page: str
    licence_asks: bool
    sampling: SamplingValues
    sampling_at_once: SamplingValues | None
    sampling_source: str
    quantizations: tuple[CatalogueQuantization, ...]
    checked: bool
    note: str
    description: str


@dataclass(frozen=True, slots=True)
class CatalogueOffer:
    """``fits``: how each quantization of ``model`` would fit just now, in their order."""

    model: CatalogueModel
    fits: tuple[FitVerdict, ...]


@dataclass(frozen=True, slots=True)
class RepoFile:
    """A file of a repository. ``path``: relative, with slashes; ``size`` in bytes; ``sha256``: hexadecimal or ""."""

    path: str
    size: int
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class QuantizedModel:
    """One model in one quantization.

    ``quantization``: as in the file's name, upper case; "" where the name tells none.
    ``files``: all its files, in order; ``expected``: how many there should be.
    """

    name: str
    quantization: str
    files: tuple[RepoFile, ...]
    expected: int = 1

    @property
    def label(self) -> str:
        """What tells it from the other models of its repository."""
        return self.quantization or self.name

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)

    @property
    def complete(self) -> bool:
        return len(self.files) == self.expected


@dataclass(frozen=True, slots=True)
class Licence:
    """``name``: as the repository states it, "" where it states none. ``asks``: to be read and accepted first."""

    name: str
    link: str = ""
    asks: bool = False


@dataclass(frozen=True, slots=True)
class RepoSummary:
    """A search result. ``updated``: ISO date, or ""."""

    id: str
    downloads: int
    likes: int
    gated: bool
    licence: str
    updated: str


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository as the Hub has it now.

    ``revision``: the commit that all of this is about. ``context`` in tokens, 0 where the Hub does not tell.
    ``models``: smallest first.
    """

    id: str
    revision: str
    licence: Licence
    gated: bool
    models: tuple[QuantizedModel, ...]
    projectors: tuple[RepoFile, ...]
    page: str
    architecture: str = ""
    context: int = 0


@dataclass(frozen=True, slots=True)
class StockItem:
    """``cached``: the path of the very same file in the Hub's cache, "" where it is not there."""

    model: QuantizedModel
    verdict: FitVerdict
    cached: str


@dataclass(frozen=True, slots=True)
class Stock:
    """What a repository has for this machine. ``has_token``: there is an access token for the Hub already."""

    repository: Repository
    items: tuple[StockItem, ...]
    has_token: bool


# On its way


@dataclass(frozen=True, slots=True)
class Download:
    """``done`` and ``total`` in bytes. ``note``: what it waits for. ``path``: the model, once it is finished."""

    id: str
    name: str
    done: int
    total: int
    state: DownloadState
    repository: str = ""
    quantization: str = ""
    bytes_per_second: float = 0.0
    note: ErrorInfo | None = None
    error: ErrorInfo | None = None
    path: str = ""

    @property
    def active(self) -> bool:
        return not self.path and self.state not in (DownloadState.PAUSED, DownloadState.FAILED)
