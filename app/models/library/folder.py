"""The library: every model in the folders that are searched, with what its header says.

Folders are searched at every call; the headers come from a cache. Any thread but the UI's: a first look at large models
takes a moment.
"""

import logging
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.domain.errors import AppError
from app.domain.library import LibraryModel, ModelFile, Origin
from app.gguf.names import display_name, is_gguf, is_importance_matrix, is_projector, shard_of, shards
from app.models.library import records
from app.models.library.facts import Facts, FactsCache
from app.models.library.lookup import is_path, model_at, named

log = logging.getLogger(__name__)

_DEPTH = 8  # folders below one that is searched
_FILES = 20_000  # looked at in one folder; somebody named their home


@dataclass(frozen=True, slots=True)
class Root:
    """What is searched: a folder or a single file. ``named``: as the person wrote it, "" where nobody did."""

    path: Path
    origin: Origin
    named: str = ""


class ModelLibrary:
    """``roots``: folders (or single files) to search, asked for at every look, the most important first."""

    def __init__(self, roots: Callable[[], Sequence[Root]], cache: Path) -> None:
        self._roots = roots
        self._cache = FactsCache(cache)
        self._lock = threading.Lock()

    def models(self) -> list[LibraryModel]:
        """Sorted by name within each origin; a file that two roots show is named once."""
        found: dict[str, LibraryModel] = {}
        seen: set[str] = set()
        with self._lock:
            for root in self._roots():
                for parts in _sets(_gguf_files(root.path, seen)):
                    model = self._model(parts, root)
                    if model is not None:
                        found[model.path] = model
            self._cache.save()
        order = list(Origin)
        return sorted(found.values(), key=lambda model: (order.index(model.origin), model.name.casefold(), model.path))

    def find(self, name_or_path: str) -> LibraryModel:
        """One that is in the library. Raises AppError as ``lookup.named`` does."""
        return named(self.models(), name_or_path)

    def locate(self, name_or_path: str) -> ModelFile:
        """One of the library by its name, or any file by its path, there or not. Raises AppError as ``find`` does."""
        if is_path(name_or_path):
            return model_at(Path(name_or_path).expanduser().absolute())
        return self.find(name_or_path)

    def look_at(self, path: Path) -> LibraryModel:
        """What a file is that need not be in the library, with its shards. Raises AppError ``not-a-chat-model``."""
        with self._lock:
            for parts in _sets(_gguf_files(path, set())):
                model = self._model(parts, Root(path, Origin.FOLDER))
                if model is not None:
                    return model
        raise AppError(
            "not-a-chat-model",
            "{name} is not a model that writes text.",
            "Choose a chat model.",
            name=path.name,
        )

    def _model(self, parts: dict[int, Path], root: Root) -> LibraryModel | None:
        """None for a projector, which belongs to the model beside it."""
        first = parts[min(parts)]
        missing = tuple(path.name for number, path in enumerate(shards(first), 1) if number not in parts)
        error, facts = "", Facts("", pooling=0)
        try:
            each = [self._cache.get(parts[number]) for number in sorted(parts)]
            facts = each[0]
            if facts.projector or is_projector(first.name):
                return None
            short = [part.name for part, of in zip(_ordered(parts), each, strict=True) if of.data_end > _size(part)]
            if short:
                error = f"{short[0]} is damaged or was not downloaded completely."
            parameters = 0 if missing else sum(of.parameters for of in each)
        except AppError as caught:
            error, parameters = str(caught), 0
        except OSError as caught:
            error, parameters = f"{first.name} cannot be read: {caught.strerror or caught}.", 0
        if missing and not error:
            error = f"{missing[0]} is not beside the others."
        record, inside = _record(first)
        return LibraryModel(
            name=display_name(first),
            path=str(first),
            size=sum(map(_size, parts.values())),
            origin=root.origin,
            files=tuple(map(str, _ordered(parts))),
            root=root.named,
            quantization=facts.quantization,
            architecture=facts.architecture,
            experts=facts.experts,
            experts_used=facts.experts_used,
            context=facts.context,
            parameters=parameters,
            missing=missing,
            projector=_projector(first.parent),
            pooling=facts.pooling,
            repository=record.repository if inside else "",
            licence=record.licence if inside else "",
            error=error,
        )


def record_of(file: Path) -> tuple[Path, str, records.FileRecord | None]:
    """The folder with the record that names ``file``, the file's name in it, and what it says; else None."""
    for folder in (file.parent, file.parent.parent):
        record = records.read(folder)
        name = file.relative_to(folder).as_posix()
        if name in record.files:
            return folder, name, record.files[name]
    return file.parent, file.name, None


def _record(file: Path) -> tuple[records.FolderRecord, bool]:
    folder, _, known = record_of(file)
    return (records.read(folder), True) if known else (records.FolderRecord(), False)


def _gguf_files(root: Path, seen: set[str]) -> Iterator[Path]:
    """GGUF files at or below ``root`` that are not in ``seen``; those are added. Hidden folders are left out."""
    if root.is_file():
        yield from _new(shards(root), seen)
        return
    left = _FILES
    visited: set[tuple[int, int]] = set()
    for folder, folders, files in os.walk(root, followlinks=True):
        here = Path(folder)
        if _identity(here) in visited:  # a link that leads back
            folders.clear()
            continue
        visited.add(_identity(here))
        deep = len(here.relative_to(root).parts) >= _DEPTH
        folders[:] = [] if deep else sorted(name for name in folders if not name.startswith("."))
        left -= len(files)
        if left < 0:
            log.warning("%s holds too many files, so only a part of it was searched for models", root)
            return
        yield from _new((here / name for name in sorted(files) if is_gguf(name)), seen)


def _identity(folder: Path) -> tuple[int, int]:
    """The same by whichever link one came."""
    try:
        stat = folder.stat()
    except OSError:  # gone meanwhile
        return (0, 0)
    return (stat.st_dev, stat.st_ino)


def _new(paths: Iterable[Path], seen: set[str]) -> Iterator[Path]:
    for path in paths:
        # A link and what it links to are one model; unlike Path.resolve, this takes a link that points to itself.
        key = os.path.normcase(os.path.realpath(path))
        if key not in seen and path.is_file() and not path.name.startswith(".") and not is_importance_matrix(path.name):
            seen.add(key)
            yield path.absolute()


def _sets(paths: Iterable[Path]) -> list[dict[int, Path]]:
    """Files that make up one model each, by their number."""
    sets: dict[tuple[Path, str, int], dict[int, Path]] = {}
    for path in paths:
        stem, number, count = shard_of(path)
        sets.setdefault((path.parent, stem, count), {})[number] = path
    return list(sets.values())


def _ordered(parts: dict[int, Path]) -> list[Path]:
    return [parts[number] for number in sorted(parts)]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _projector(folder: Path) -> str:
    found = sorted(path for path in folder.glob("*.gguf") if is_projector(path.name))
    return str(found[0]) if found else ""
