"""What a person decided about single models: one JSON file, a model's file name each.

The file name says the model and its quantization, and stays when the file moves to another folder.
"""

import logging
import threading
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from app.domain.placement import KV_TYPES, LoadOverrides
from app.storage import jsonfile
from app.storage.settings import not_saved

log = logging.getLogger(__name__)

_SMALLEST, _LARGEST = {"context": 1, "threads": 1}, 1 << 24


class LoadOverridesStore:
    """Any thread; ``put`` waits for the disk. The file is read at every call: another process may have written it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def get(self, model: str) -> LoadOverrides:
        """``model``: a path, of which the file name counts."""
        try:
            return _overrides(self._entry(model))
        except OSError as error:
            log.info("what was decided about single models cannot be read: %r", error)
            return LoadOverrides()

    def put(self, model: str, overrides: LoadOverrides) -> None:
        """Raises AppError ``settings-not-saved``."""
        with self._lock:
            try:
                entry = {**self._entry(model), **asdict(overrides)}
                jsonfile.update(self._path, {Path(model).name: entry})
            except OSError as error:
                raise not_saved(self._path, error) from error

    def _entry(self, model: str) -> Mapping[str, Any]:
        entries = jsonfile.load(self._path, dict) or {}
        return jsonfile.fitting(entries, dict).get(Path(model).name, {})


def _overrides(entry: Mapping[str, Any]) -> LoadOverrides:
    """What is missing or makes no sense is left to the plan."""
    known: dict[str, Any] = {}
    for field in fields(LoadOverrides):
        value = entry.get(field.name)
        if field.name == "kv_types":
            if isinstance(value, list) and len(value) == 2 and all(kind in KV_TYPES for kind in value):
                known[field.name] = tuple(value)
        elif type(value) is int and _SMALLEST.get(field.name, 0) <= value <= _LARGEST:
            known[field.name] = value
    return LoadOverrides(**known)
