"""What a model's header tells a person, and a cache of it: headers of large vocabularies take a moment to read."""

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from app.domain.errors import AppError
from app.gguf.reader import Header, read_file
from app.gguf.types import FILE_TYPES
from app.models.library.shards import quantization_of, shard_of
from app.storage.paths import make_private
from app.storage.settings import replace_file

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Facts:
    """From a GGUF header. ``context`` in tokens, ``parameters`` of this file alone; ``experts`` 0 for a dense model.

    ``projector``: no language model but a vision model's projector. ``shards``: as the header counts them, at least 1.
    ``data_end``: where the last tensor ends in the file, in bytes. ``pooling``: how an embedding model makes one vector
    of a text (enum llama_pooling_type), 0 for a model that writes; without a default, so that what older versions
    cached is read again.
    """

    architecture: str
    name: str = ""
    quantization: str = ""
    experts: int = 0
    experts_used: int = 0
    context: int = 0
    parameters: int = 0
    shards: int = 1
    data_end: int = 0
    projector: bool = False
    pooling: int = field(kw_only=True)


def facts_of(header: Header, file_name: str) -> Facts:
    """Keys: ggml's docs/gguf.md."""
    architecture = header.text("general.architecture")
    return Facts(
        architecture=architecture,
        name=header.text("general.name"),
        quantization=quantization_of(file_name) or FILE_TYPES.get(header.number("general.file_type", -1), ""),
        experts=header.arch("expert_count"),
        experts_used=header.arch("expert_used_count"),
        context=header.arch("context_length"),
        parameters=sum(tensor.elements for tensor in header.tensors),
        shards=max(1, header.number("split.count"), shard_of(Path(file_name).stem)[2]),
        data_end=header.data_offset + header.data_size,
        projector=architecture == "clip" or header.text("general.type") == "mmproj",
        pooling=header.arch("pooling_type"),
    )


class FactsCache:
    """Facts by path, as long as size and time of the file stay. Not thread-safe."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._known: dict[str, tuple[int, int, Facts]] | None = None
        self._fresh: dict[str, tuple[int, int, Facts]] = {}

    def get(self, path: Path) -> Facts:
        """Raises AppError as ``read_file`` does, and OSError."""
        known = self._known if self._known is not None else self._load()
        status = path.stat()
        key = str(path)
        entry = self._fresh.get(key) or known.get(key)
        if entry is None or entry[:2] != (status.st_size, status.st_mtime_ns):
            entry = (status.st_size, status.st_mtime_ns, facts_of(read_file(path, max_array=1024), path.name))
        self._fresh[key] = entry
        return entry[2]

    def save(self) -> None:
        """Keep what was asked for since the last save. A cache: that it cannot be written is only logged."""
        if self._fresh == self._known:
            self._fresh = {}
            return
        text = json.dumps({key: [size, time, asdict(facts)] for key, (size, time, facts) in self._fresh.items()})
        try:
            make_private(self._file.parent)
            replace_file(self._file, text)
        except (OSError, AppError) as error:
            log.warning("the cache of model headers cannot be written: %s", error)
        self._known, self._fresh = self._fresh, {}

    def _load(self) -> dict[str, tuple[int, int, Facts]]:
        self._known = {}
        try:
            stored: Mapping[str, Any] = json.loads(self._file.read_text(encoding="utf-8"))
            for key, (size, time, facts) in stored.items():
                self._known[key] = (int(size), int(time), Facts(**facts))
        except (OSError, ValueError, TypeError, AttributeError) as error:
            log.debug("no cache of model headers: %r", error)
        return self._known
