"""Whether a file on the disk is what it should be."""

import hashlib
from collections.abc import Callable
from pathlib import Path

from app.domain.cancel import CancelToken
from app.gguf.reader import Header, damaged, read_header

_STEP = 4 << 20


def check_model(path: Path, name: str) -> Header:
    """The header of a GGUF file that is long enough for its tensors. Raises AppError ``not-a-model``, ``gguf-damaged``,
    ``gguf-version``, ``gguf-tensor-type``, and OSError."""
    with path.open("rb") as file:
        size = file.seek(0, 2)

        def read(offset: int, length: int) -> bytes:
            file.seek(offset)
            return file.read(length)

        header = read_header(read, size=size, name=name)
    if header.data_offset + header.data_size > size:
        raise damaged(name)
    return header


def sha256_of(path: Path, cancel: CancelToken, progress: Callable[[int], None]) -> str:
    """Hexadecimal; ``progress`` gets the number of bytes read in each step. Raises OSError, Cancelled."""
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while data := file.read(_STEP):
            cancel.raise_if_cancelled()
            digest.update(data)
            progress(len(data))
    return digest.hexdigest()
