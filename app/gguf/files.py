"""A first look at a model file without llama.cpp: what is plainly wrong is said at once, in one sentence."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from app.domain.errors import AppError
from app.gguf.names import display_name, shards
from app.gguf.reader import no_model, unreadable

_MAGIC = b"GGUF"
_SAMPLES, _SAMPLE_BYTES = 64, 4096  # of a file, to tell it from another one


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
            name=display_name(path),
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
        raise unreadable(path, error) from error
    if not head:
        raise AppError("model-empty", "{path} is empty.", "Download the model again.", path=path)
    if head != _MAGIC:
        raise no_model(str(path))


def fingerprint(files: Sequence[Path]) -> str:
    """Tells files apart without reading all of them: their sizes, and samples of their bytes. Raises OSError."""
    digest = hashlib.blake2b(digest_size=16)
    for path in files:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            digest.update(size.to_bytes(8, "little"))
            for number in range(_SAMPLES):
                file.seek(size * number // _SAMPLES)
                digest.update(file.read(_SAMPLE_BYTES))
    return digest.hexdigest()
