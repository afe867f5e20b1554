"""Which model a person means who writes a name or a path."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from app.domain.errors import AppError
from app.domain.library import ModelFile, Origin
from app.gguf.names import SUFFIX, display_name, is_gguf, shards

M = TypeVar("M", bound=ModelFile)


def is_path(name_or_path: str) -> bool:
    """Whether a file is meant, there or not, and no name of a model."""
    path = Path(name_or_path).expanduser()
    return path.is_file() or is_gguf(path.name) or len(path.parts) > 1


def model_at(path: Path, origin: Origin = Origin.FOLDER) -> ModelFile:
    """The model that a file belongs to, by its first shard. Whether it is one, its reader says: no file is opened."""
    first = shards(path)[0]
    files = [part for part in shards(path) if part.is_file()]
    return ModelFile(
        name=display_name(path),
        path=str(first if first in files else path),
        size=sum(part.stat().st_size for part in files),
        origin=origin,
        files=tuple(map(str, files)),
    )


def exactly(models: Sequence[M], name_or_path: str) -> list[M]:
    """Those with this name, in any case and with or without the ending, or with this file."""
    path = str(Path(name_or_path).expanduser().absolute())
    key = name_or_path.casefold().removesuffix(SUFFIX)
    return [model for model in models if path in model.files] or [
        model for model in models if model.name.casefold() == key
    ]


def named(models: Sequence[M], name_or_path: str) -> M:
    """The model with this name or file, or the only one whose name begins so. Raises AppError ``model-not-found`` or
    ``model-ambiguous``."""
    key = name_or_path.casefold().removesuffix(SUFFIX)
    found = exactly(models, name_or_path) or [
        model for model in models if key and model.name.casefold().startswith(key)
    ]
    names = sorted({model.name for model in found})
    if not found:
        raise AppError(
            "model-not-found",
            "There is no model called “{name}”.",
            "There are: {models}. Or give the path of a .gguf file.",
            name=name_or_path,
            models=", ".join(dict.fromkeys(model.name for model in models)) or "none",
        )
    if len(names) > 1:
        raise AppError(
            "model-ambiguous",
            "More than one model begins with “{name}”: {models}.",
            "Write more of the name.",
            name=name_or_path,
            models=", ".join(names),
        )
    return found[0]
