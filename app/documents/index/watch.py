"""Noticing changes in folders as they happen; a rescan then finds out what they are.

One thread while something is watched. inotify sees nothing that other machines do on a network mount: those are polled.
"""

import logging
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from watchfiles import watch

from app.documents.language.words import words

_log = logging.getLogger(__name__)

_NETWORK_TYPES = words("nfs nfs4 cifs smb3 smbfs fuse.sshfs 9p vboxsf fuse.rclone afs ceph davfs")
_DEBOUNCE_MS = 400
_POLL_MS = 2000


class FolderWatcher:
    """``changed`` is called with the whole watched scope, on the watching thread."""

    def __init__(self, changed: Callable[[tuple[str, ...]], None]) -> None:
        self._changed = changed
        self._scope: tuple[str, ...] = ()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def watch(self, scope: tuple[str, ...]) -> None:
        """Watch ``scope`` and nothing else."""
        with self._lock:
            if scope == self._scope:
                return
            self._end()
            self._scope = scope
            existing = [path for path in scope if os.path.exists(path)]  # noqa: PTH110 - strings stay strings
            if existing:
                self._stop = threading.Event()
                self._thread = threading.Thread(
                    target=self._run, args=(existing, scope, self._stop), name="documents-watch", daemon=True
                )
                self._thread.start()

    def close(self) -> None:
        with self._lock:
            self._end()
            self._scope = ()

    def _end(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self, paths: list[str], scope: tuple[str, ...], stop: threading.Event) -> None:
        polling = any(_is_on_network(path) for path in paths)
        try:
            for _ in watch(
                *paths,
                debounce=_DEBOUNCE_MS,
                stop_event=stop,
                raise_interrupt=False,
                force_polling=True if polling else None,
                poll_delay_ms=_POLL_MS,
                ignore_permission_denied=True,
            ):
                self._changed(scope)
        except (OSError, RuntimeError) as error:  # no inotify watches left, a folder removed: questions rescan anyway
            _log.warning("Folders are not watched: %s", error)


def _is_on_network(path: str) -> bool:
    """By the file system type of the mount that holds ``path`` (Linux; elsewhere the system tells of such changes)."""
    if sys.platform != "linux":
        return False
    best, kind = "", ""
    try:
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    for line in mounts.splitlines():
        fields = line.split(" ")
        point = fields[1].replace("\\040", " ")
        if (path == point or path.startswith(point.rstrip("/") + "/")) and len(point) >= len(best):
            best, kind = point, fields[2]
    return kind in _NETWORK_TYPES
