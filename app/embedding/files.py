"""What a file says of the embedding model in it, without loading it."""

import hashlib
import logging
from pathlib import Path

from app.domain.errors import AppError
from app.domain.models import EmbeddingModel
from app.embedding.prefixes import prefixes
from app.gguf.files import display_name
from app.gguf.reader import read_file

log = logging.getLogger(__name__)

SAMPLES, SAMPLE_BYTES = 64, 4096  # of a file, to tell it from another one


def describe(path: Path) -> EmbeddingModel | None:
    """What the header says; None for a file that cannot be read or is no embedding model."""
    try:
        header = read_file(path, max_array=0)
        dimension = header.arch("embedding_length_out") or header.arch("embedding_length")
        name = display_name(str(path))
        if dimension <= 0:
            return None
        return EmbeddingModel(f"{_content_id(path)}{prefixes(name)[1]}", name, dimension)
    except (AppError, OSError) as error:
        log.info("%s is no embedding model: %s", path, error)
        return None


def _content_id(path: Path) -> str:
    """The same wherever the file lies: of its size and samples of its bytes."""
    size = path.stat().st_size
    digest = hashlib.blake2b(size.to_bytes(8, "little"), digest_size=16)
    with path.open("rb") as file:
        for number in range(SAMPLES):
            file.seek(size * number // SAMPLES)
            digest.update(file.read(SAMPLE_BYTES))
    return digest.hexdigest()
