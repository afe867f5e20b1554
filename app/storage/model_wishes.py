"""What a person decided about single models: one JSON file, a model's file name each.

The file name says the model and its quantization, and stays when the file moves to another folder.
"""

import logging
import threading
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from app.domain.placement import KV_TYPES, ModelWishes
from app.storage.settings import read_object, write_changes

log = logging.getLogger(__name__)

_SMALLEST, _LARGEST = {"context": 1, "threads": 1}, 1 << 24


class ModelWishesStore:
    """Any thread; ``put`` waits for the disk. The file is read at every call: another process may have written it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def get(self, model: str) -> ModelWishes:
        """``model``: a path, of which the file name counts."""
        try:
            return _wishes(read_object(self._path).get(Path(model).name))
        except OSError as error:
            log.info("the wishes for single models cannot be read: %r", error)
            return ModelWishes()

    def put(self, model: str, wishes: ModelWishes) -> None:
        """Raises AppError ``settings-not-saved``."""
        with self._lock:
            write_changes(self._path, {Path(model).name: asdict(wishes)})


def _wishes(entry: object) -> ModelWishes:
    """What is missing or makes no sense is left to the plan."""
    if not isinstance(entry, Mapping):
        return ModelWishes()
    known: dict[str, Any] = {}
    for field in fields(ModelWishes):
        value = entry.get(field.name)
        if field.name == "kv_types":
            if isinstance(value, list) and len(value) == 2 and all(kind in KV_TYPES for kind in value):
                known[field.name] = tuple(value)
        elif type(value) is int and _SMALLEST.get(field.name, 0) <= value <= _LARGEST:
            known[field.name] = value
    return ModelWishes(**known)
