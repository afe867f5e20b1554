"""What a person decided about single models: one JSON file, a model's file name each.

The file name says the model and its quantization, and stays when the file moves to another folder.
"""

import json
import logging
import threading
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from app.domain.errors import AppError
from app.domain.placement import KV_TYPES, ModelWishes
from app.storage.paths import make_private
from app.storage.settings import replace_file

log = logging.getLogger(__name__)

_SMALLEST = {"context": 1, "threads": 1}


class ModelWishesStore:
    """Any thread; ``put`` waits for the disk. The file is read at every call: another process may have written it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def get(self, model: str) -> ModelWishes:
        """``model``: a path, of which the file name counts."""
        return _wishes(self._read().get(Path(model).name))

    def put(self, model: str, wishes: ModelWishes) -> None:
        """Raises AppError ``settings-not-saved``."""
        with self._lock:
            stored = self._read()
            stored[Path(model).name] = {key: value for key, value in asdict(wishes).items() if value is not None}
            text = json.dumps({name: entry for name, entry in stored.items() if entry}, indent=2, sort_keys=True)
            make_private(self._path.parent)
            try:
                replace_file(self._path, text + "\n")
            except OSError as error:
                raise AppError(
                    "settings-not-saved",
                    "The settings cannot be written to {path}: {reason}.",
                    "Check that the disk is not full and that the folder is yours.",
                    detail=repr(error),
                    path=self._path,
                    reason=error.strerror or error,
                ) from error

    def _read(self) -> dict[str, Any]:
        try:
            stored = json.loads(self._path.read_text("utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, RecursionError) as error:
            log.info("the wishes for single models cannot be read: %r", error)
            return {}
        return stored if isinstance(stored, dict) else {}


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
        elif type(value) is int and value >= _SMALLEST.get(field.name, 0):
            known[field.name] = value
    return ModelWishes(**known)
