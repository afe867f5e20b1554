"""The person's settings: one declared, typed schema in one JSON file."""

import contextlib
import json
import logging
import os
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from types import UnionType
from typing import Any, Literal, get_args, get_origin

from app.domain.errors import AppError
from app.storage.paths import make_private

log = logging.getLogger(__name__)

Theme = Literal["system", "light", "dark"]
ApprovalLevel = Literal["effects", "always", "never-read-only"]
Listener = Callable[["Settings"], None]


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting with its default. None and "" leave the choice to the program."""

    model: str = ""  # the last one chosen: a path or a library name
    recent_models: tuple[str, ...] = ()  # paths that the person opened, the last one first
    model_folders: tuple[str, ...] = ()  # searched besides our own
    context: int | None = None  # tokens
    gpu_layers: int | None = None
    threads: int | None = None
    unload_after_minutes: int = 30  # without work; 0: never
    system_prompt: str = ""  # "" is ours
    approval: ApprovalLevel = "effects"  # which calls ask first
    constrain_calls: bool = True  # to the tools' schemas, as the model writes them
    keep_reasoning_open: bool = False
    max_text_file_mb: int = 64
    offline: bool = False  # not one socket
    proxy: str = ""  # URL; "" is the system's
    theme: Theme = "system"
    language: str = ""  # "de", "pt_BR"; "" is the system's
    window_geometry: str = ""  # opaque to all but the window


class SettingsStore:
    """Reads once, writes on every change. Any thread; ``update`` waits for the disk."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._listeners: list[Listener] = []
        try:
            self._settings = from_json(read_object(path))
        except OSError as error:
            log.warning("the settings in %s cannot be read (%s); defaults are used", path, error)
            self._settings = Settings()

    def get(self) -> Settings:
        return self._settings

    def update(self, **changes: object) -> Settings:
        """Change some settings, write the file, tell the listeners (on this thread) and return all settings.

        Raises TypeError for a name that is no setting, ValueError for a value of a wrong type, AppError
        ``settings-not-saved`` where the file cannot be written; nothing has changed then.
        """
        for field in fields(Settings):
            if field.name in changes and not _fits(changes[field.name], field.type):
                raise ValueError(f"setting {field.name}: {changes[field.name]!r} is no {field.type}")
        with self._lock:
            settings = replace(self._settings, **changes)  # type: ignore[arg-type] # checked above
            write_changes(self._path, changes)
            self._settings = settings
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener(settings)
        return settings

    def on_change(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` after every update; returns a function that takes it back."""
        with self._lock:
            self._listeners.append(listener)

        def forget() -> None:
            with self._lock, contextlib.suppress(ValueError):
                self._listeners.remove(listener)

        return forget


def read_object(path: Path) -> dict[str, Any]:
    """What a file of settings holds, nothing where it is not there; a damaged one is set aside. Raises OSError where it
    is there and cannot be read."""
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(stored, dict):
            return stored
    except FileNotFoundError:
        return {}
    except (ValueError, RecursionError):  # not UTF-8, not JSON
        pass
    aside = path.with_name(path.name + ".broken")
    log.warning("the settings in %s are damaged; the file is now %s and defaults are used", path, aside)
    with contextlib.suppress(OSError):
        path.replace(aside)
    return {}


def write_changes(path: Path, changes: Mapping[str, object]) -> None:
    """Put ``changes`` into a file of settings, leaving the rest as it is: another process of ours may have changed that
    meanwhile. Raises AppError ``settings-not-saved``."""
    make_private(path.parent)
    try:
        replace_file(path, json.dumps({**read_object(path), **changes}, indent=2, sort_keys=True) + "\n")
    except OSError as error:
        raise AppError(
            "settings-not-saved",
            "The settings cannot be written to {path}: {reason}.",
            "Check that the disk is not full and that the folder is yours.",
            detail=repr(error),
            path=path,
            reason=error.strerror or error,
        ) from error


def replace_file(path: Path, text: str) -> None:
    """Write a whole file or nothing: a crash at any moment leaves the old or the new content."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def from_json(stored: Mapping[str, Any]) -> Settings:
    """Settings from a file's content; what is missing or of a wrong type takes its default."""
    values: dict[str, Any] = {}
    for field in fields(Settings):
        if field.name not in stored:
            continue
        value = stored[field.name]
        if isinstance(value, list):
            value = tuple(value)
        if _fits(value, field.type):
            values[field.name] = value
        else:
            log.warning("setting %s is not valid, the default is used", field.name)
    return Settings(**values)


def _fits(value: object, declared: object) -> bool:
    """Whether ``value`` is of the ``declared`` type: one of those used in ``Settings``."""
    if get_origin(declared) is Literal:
        return value in get_args(declared)
    if get_origin(declared) is tuple:
        return isinstance(value, tuple) and all(isinstance(item, str) for item in value)
    if isinstance(declared, UnionType):
        return any(_fits(value, option) for option in get_args(declared))
    if declared is int:
        return type(value) is int and value >= 0  # exactly: True is an int, but no number of threads
    return type(value) is declared
