"""The files of a repository: which of them make up a model, and which may be written to a disk."""

import re
import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath

from app.domain.errors import AppError
from app.domain.library import QuantizedModel, RepoFile
from app.gguf.names import is_gguf, is_importance_matrix, is_projector, quantization_of, shard_of

_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)", re.IGNORECASE)  # Windows' device names
_MAX_PART_BYTES = 240  # most file systems take 255; the rest is for our endings
_MAX_DEPTH = 6


def group(files: Iterable[RepoFile]) -> tuple[tuple[QuantizedModel, ...], tuple[RepoFile, ...]]:
    """The models among ``files``, smallest first, and the projectors. Other files, importance matrices too, are left
    out."""
    sets: dict[tuple[str, str, int], dict[int, RepoFile]] = {}
    projectors = []
    for file in files:
        if not is_gguf(file.path) or is_importance_matrix(file.path):
            continue
        if is_projector(file.path):
            projectors.append(file)
            continue
        stem, number, count = shard_of(file.path)
        sets.setdefault((str(PurePosixPath(file.path).parent), stem, count), {})[number] = file
    models = [
        QuantizedModel(stem, quantization_of(parts[min(parts)].path), tuple(parts[n] for n in sorted(parts)), count)
        for (_, stem, count), parts in sets.items()
    ]
    models.sort(key=lambda model: (model.size, model.name))
    return tuple(models), tuple(sorted(projectors, key=lambda file: (file.size, file.path)))


def check_path(path: str) -> PurePosixPath:
    """``path`` if it is a plain relative path that every file system takes. Raises AppError ``unsafe-name``: absolute,
    with ``..``, with characters that are reserved or cannot be seen."""
    parts = path.split("/")
    if not 1 <= len(parts) <= _MAX_DEPTH or not all(map(_safe, parts)):
        raise AppError(
            "unsafe-name",
            "The repository has a file with an unsafe name ({name}), so nothing was downloaded.",
            "Choose another repository.",
            name=repr(path)[:200],
        )
    return PurePosixPath(path)


def _safe(part: str) -> bool:
    return (
        bool(part)
        and part not in (".", "..")
        and not part.startswith((".", " "))
        and not part.endswith((".", " "))
        and not _RESERVED.match(part)
        and len(part.encode("utf-8", "surrogatepass")) <= _MAX_PART_BYTES
        and not any(character in '<>:"|?*\\' or unicodedata.category(character)[0] == "C" for character in part)
    )
