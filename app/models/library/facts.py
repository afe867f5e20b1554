"""What a model's header tells a person, and a cache of it: headers of large vocabularies take a moment to read."""

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from app.gguf.names import quantization_of
from app.gguf.reader import Header, read_file
from app.gguf.types import FILE_TYPES
from app.storage import jsonfile

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Facts:
    """From a GGUF header.

    ``context`` in tokens, ``parameters`` of this file alone; ``experts``: 0 for a dense model.
    ``projector``: no language model but a vision model's projector.
    ``data_end``: where the last tensor ends in the file, in bytes.
    ``pooling``: how an embedding model makes one vector of a text (enum llama_pooling_type), 0 for a model that writes;
    without a default, so that what older versions cached is read again.
    """

    architecture: str
    quantization: str = ""
    experts: int = 0
    experts_used: int = 0
    context: int = 0
    parameters: int = 0
    data_end: int = 0
    projector: bool = False
    pooling: int = field(kw_only=True)


def facts_of(header: Header, file_name: str) -> Facts:
    """Keys: ggml's docs/gguf.md."""
    architecture = header.text("general.architecture")
    return Facts(
        architecture=architecture,
        quantization=quantization_of(file_name) or FILE_TYPES.get(header.number("general.file_type", -1), ""),
        experts=header.arch("expert_count"),
        experts_used=header.arch("expert_used_count"),
        context=header.arch("context_length"),
        parameters=sum(tensor.elements for tensor in header.tensors),
        data_end=header.data_offset + header.data_size,
        projector=architecture == "clip" or header.text("general.type") == "mmproj",
        pooling=header.arch("pooling_type"),
    )


class _Entry(NamedTuple):
    """What a file held when it was so large and of that time."""

    size: int
    time: int
    facts: Facts


class FactsCache:
    """Facts by path, as long as size and time of the file stay. Not thread-safe."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._known: dict[str, _Entry] | None = None
        self._fresh: dict[str, _Entry] = {}

    def get(self, path: Path) -> Facts:
        """Raises AppError as ``read_file`` does, and OSError."""
        known = self._known if self._known is not None else self._load()
        status = path.stat()
        key = str(path)
        entry = self._fresh.get(key) or known.get(key)
        if entry is None or entry[:2] != (status.st_size, status.st_mtime_ns):
            facts = facts_of(read_file(path, max_array=1024), path.name)
            entry = _Entry(status.st_size, status.st_mtime_ns, facts)
        self._fresh[key] = entry
        return entry.facts

    def save(self) -> None:
        """Keep what was asked for since the last save. A cache: that it cannot be written is only logged."""
        if self._fresh == self._known:
            self._fresh = {}
            return
        try:
            jsonfile.write(self._file, self._fresh)
        except OSError as error:
            log.warning("the cache of model headers cannot be written: %s", error)
        self._known, self._fresh = self._fresh, {}

    def _load(self) -> dict[str, _Entry]:
        self._known = {}
        try:
            self._known = jsonfile.fitting(jsonfile.load(self._file, dict) or {}, _Entry)
        except OSError as error:
            log.warning("the cache of model headers cannot be read: %s", error)
        return self._known
