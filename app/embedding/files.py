"""What a file says of the embedding model in it, without loading it."""

import logging
from pathlib import Path

from app.domain.errors import AppError
from app.domain.models import EmbeddingModel
from app.embedding.prefixes import prefixes
from app.gguf.files import fingerprint
from app.gguf.names import display_name
from app.gguf.reader import read_file

log = logging.getLogger(__name__)


def describe(path: Path) -> EmbeddingModel | None:
    """What the header says; None for a file that cannot be read or is no embedding model."""
    try:
        header = read_file(path, max_array=0)
        dimension = header.arch("embedding_length_out") or header.arch("embedding_length")
        name = display_name(path)
        if dimension <= 0:
            return None
        return EmbeddingModel(f"{fingerprint([path])}{prefixes(name)[1]}", name, dimension)
    except (AppError, OSError) as error:
        log.info("%s is no embedding model: %s", path, error)
        return None
