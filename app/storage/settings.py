"""The person's settings in one JSON file: what differs from the defaults that ``app.domain.settings`` declares."""

import contextlib
import json
import logging
import re
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from app.domain.errors import AppError, ErrorInfo
from app.domain.setting import Declared, declarations
from app.domain.settings import Settings
from app.storage import jsonfile
from app.storage.jsonfile import DamagedFile

log = logging.getLogger(__name__)

Listener = Callable[[Settings], None]

_KEY = re.compile(r'"(\w+)"\s*:\s*')


class SettingsStore:
    """Reads once, writes on every change. Any thread; ``update`` waits for the disk.

    Whatever becomes of the file, ``offline`` is never switched off by it: where nobody can tell what was set, the
    program is offline, and ``problem`` says so.
    """

    def __init__(self, path: Path, of: type[Settings] = Settings) -> None:
        self._path = path
        self._of = of
        self._declared = declarations(of)
        self._lock = threading.Lock()
        self._listeners: list[Listener] = []
        self._seen = self._stamp()
        self.problem: ErrorInfo | None = None  # what was wrong with the file, for a person
        try:
            self._settings = self._from(self._stored({}))
        except OSError as error:
            log.warning("the settings in %s cannot be read: %s", path, error)
            self._settings = of(**self._safe())
            self.problem = _unreadable(path, error)

    def get(self) -> Settings:
        return self._settings

    def latest(self) -> Settings:
        """As ``get``, with what another process of ours wrote meanwhile. Looks at the disk.

        ``alcove settings set offline true`` counts so for a window that is open. Where the disk tells nothing, what is
        known holds on.
        """
        with self._lock:
            stamp = self._stamp()
            if stamp is None or stamp == self._seen:
                return self._settings
            try:
                settings = self._from(self._stored(self._ours()))
            except OSError as error:
                log.warning("the settings in %s cannot be read: %s", self._path, error)
                return self._settings
            changed, self._settings, self._seen = settings != self._settings, settings, stamp
            listeners = tuple(self._listeners) if changed else ()
        for listener in listeners:
            listener(settings)
        return settings

    def update(self, **changes: object) -> Settings:
        """Change some settings, write the file, tell the listeners (on this thread) and return all settings.

        What another process of ours wrote meanwhile is taken over. Raises TypeError for a name that is no setting,
        ValueError for a value that does not fit, AppError ``settings-not-saved`` where the file cannot be written;
        nothing has changed then.
        """
        for key, value in changes.items():
            if key not in self._declared:
                raise TypeError(f"there is no setting {key}")
            if not self._declared[key].fits(value):
                raise ValueError(f"setting {key}: {value!r} is not {self._declared[key].takes}")
        with self._lock:
            settings = self._write(changes)
            self._settings, self._seen = settings, self._stamp()
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener(settings)
        return settings

    def reset(self, *keys: str) -> Settings:
        """Take the defaults of some settings, as ``update`` does."""
        return self.update(**{key: self._declared[key].default for key in keys})

    def on_change(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` after every update; returns a function that takes it back."""
        with self._lock:
            self._listeners.append(listener)

        def forget() -> None:
            with self._lock, contextlib.suppress(ValueError):
                self._listeners.remove(listener)

        return forget

    def _stored(self, otherwise: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the file holds, ``otherwise`` where it is gone. A damaged one is set aside, and what can be told of it
        takes its place. Raises OSError."""
        try:
            return jsonfile.read(self._path, dict)
        except FileNotFoundError:
            return otherwise
        except DamagedFile:
            told = _salvaged(self._path.read_bytes(), self._declared)
            kept = {**self._safe(), **otherwise, **told}
            aside = jsonfile.set_aside(self._path, kept)
            self.problem = _damaged(aside, offline=kept.get("offline") is True and "offline" not in told)
            return kept

    def _safe(self) -> dict[str, Any]:
        """What holds where a file cannot tell, as far as it differs from the defaults."""
        return {key: each.if_unreadable for key, each in self._declared.items() if each.setting.safe is not None}

    def _from(self, stored: Mapping[str, Any]) -> Settings:
        """What is missing or not valid takes its default, or what is safe."""
        values: dict[str, Any] = {}
        for key, each in self._declared.items():
            if key not in stored:
                continue
            values[key] = _value(stored[key])
            if not each.fits(values[key]):
                log.warning("setting %s is not valid, it takes %s", key, each.takes)
                values[key] = each.if_unreadable
                if each.setting.safe is not None:
                    self.problem = _not_valid(self._path, key, each.takes, each.if_unreadable)
        return self._of(**values)

    def _write(self, changes: Mapping[str, object]) -> Settings:
        """Only what differs from the defaults is in the file; what it holds besides our settings stays there."""
        try:
            stored = {**self._stored(self._ours()), **changes}
            defaults = {key for key, value in changes.items() if value == self._declared[key].default}
            jsonfile.update(self._path, stored, without=defaults)
        except OSError as error:
            raise not_saved(self._path, error) from error
        return self._from(stored)

    def _ours(self) -> dict[str, Any]:
        """What is known to differ from the defaults."""
        known = {key: getattr(self._settings, key) for key in self._declared}
        return {key: value for key, value in known.items() if value != self._declared[key].default}

    def _stamp(self) -> object:
        """Another one when the file became another; None where it is not there, or nobody may look."""
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino


def not_saved(path: Path, error: OSError) -> AppError:
    return AppError(
        "settings-not-saved",
        "The settings cannot be written to {path}: {reason}.",
        "Check that the disk is not full and that the folder is yours.",
        detail=repr(error),
        path=path,
        reason=error.strerror or error,
    )


def _value(stored: object) -> object:
    return tuple(stored) if isinstance(stored, list) else stored


def _salvaged(data: bytes, declared: Mapping[str, Declared]) -> dict[str, Any]:
    """The pairs of a damaged file that can still be told. A key's last one counts, unless an earlier one is safe."""
    text = data.decode(json.detect_encoding(data), "replace")
    found: dict[str, Any] = {}
    for pair in _KEY.finditer(text):
        key = pair[1]
        if key not in declared or (key in found and found[key] == declared[key].setting.safe):
            continue
        with contextlib.suppress(ValueError, RecursionError):
            value, end = json.JSONDecoder().raw_decode(text, pair.end())
            cut = type(value) is int and end == len(text)  # more digits may have followed
            if declared[key].fits(_value(value)) and not cut:
                found[key] = value
    return found


def _damaged(aside: Path, *, offline: bool) -> ErrorInfo:
    return ErrorInfo(
        "settings-damaged",
        "The settings were damaged and are as far back as they could be read; the old file is {path}.",
        "Alcove is offline until you say otherwise in the settings." if offline else "Look through them once.",
        {"path": str(aside)},
    )


def _unreadable(path: Path, error: OSError) -> ErrorInfo:
    return ErrorInfo(
        "settings-unreadable",
        "The settings in {path} cannot be read ({reason}), so the defaults are used and Alcove is offline.",
        "Make the file readable or move it away, then start Alcove again.",
        {"path": str(path), "reason": error.strerror or str(error)},
        repr(error),
    )


def _not_valid(path: Path, key: str, takes: str, safe: object) -> ErrorInfo:
    return ErrorInfo(
        "setting-not-valid",
        "The setting {key} in {path} takes {takes} and holds something else, so it counts as {safe}.",
        "Choose it again in the settings.",
        {"key": key, "path": str(path), "takes": takes, "safe": json.dumps(safe)},
    )
