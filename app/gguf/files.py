"""A first look at a model file without llama.cpp: what is plainly wrong is said at once, in one sentence."""

import re
from pathlib import Path

from app.domain.errors import AppError

_SHARD = re.compile(r"-(\d{5})-of-(\d{5})\.gguf$")  # llama.cpp's LLM split naming, llama_split_path
_MAGIC = b"GGUF"


def display_name(path: str) -> str:
    """The file's name without ending and shard number."""
    name = _SHARD.sub("", Path(path).name)
    return name.removesuffix(".gguf")


def shards(path: Path) -> list[Path]:
    """All files of the model in order: one, or every shard that belongs to the name, there or not."""
    match = _SHARD.search(path.name)
    if match is None:
        return [path]
    count = int(match[2])
    stem = path.name[: match.start()]
    return [path.with_name(f"{stem}-{index:05d}-of-{count:05d}.gguf") for index in range(1, count + 1)]


def check_model_file(path: Path) -> list[Path]:
    """The model's files in order (see ``shards``). Raises AppError: missing, a folder, unreadable, empty, not GGUF."""
    parts = shards(path)
    if not path.exists() and not any(part.exists() for part in parts):
        raise AppError(
            "model-missing",
            "There is no file {path}.",
            "Check the name, or choose another model.",
            path=path,
        )
    missing = [part.name for part in parts if not part.exists()]
    if missing:
        raise AppError(
            "shard-missing",
            "{name} comes in {count} files, and {missing} is not beside the others.",
            "Put all files into one folder, or download the model again.",
            name=display_name(str(path)),
            count=len(parts),
            missing=missing[0],
        )
    for part in parts:
        _check_header(part)
    return parts


def _check_header(path: Path) -> None:
    if path.is_dir():
        raise AppError(
            "model-is-folder", "{path} is a folder, not a model file.", "Choose a .gguf file in it.", path=path
        )
    try:
        with path.open("rb") as file:
            head = file.read(len(_MAGIC))
    except OSError as error:
        raise AppError(
            "model-unreadable",
            "{path} cannot be read ({reason}).",
            "Check the file's permissions.",
            path=path,
            reason=error.strerror or error,
        ) from error
    if not head:
        raise AppError("model-empty", "{path} is empty.", "Download the model again.", path=path)
    if head != _MAGIC:
        raise AppError(
            "not-a-model",
            "{path} is not a GGUF model file.",
            "Choose a file that was made for llama.cpp; its first four letters are GGUF.",
            path=path,
        )
