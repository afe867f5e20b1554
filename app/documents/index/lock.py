"""One indexer at a time for a database: a lock on a file beside it, given up by the system when its process dies."""

import os
import sys
from pathlib import Path
from typing import Protocol


class Wait(Protocol):
    def __call__(self, timeout: float) -> bool:
        """Wait at most ``timeout`` seconds; True to give up."""
        ...


class FileLock:
    """Not reentrant; for one thread."""

    _POLL_S = 0.01

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None

    def acquire(self, timeout: float, wait: Wait) -> bool:
        """Take the lock within ``timeout`` seconds; False where another process keeps it or ``wait`` gave up."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        tries = max(1, int(timeout / self._POLL_S))
        for left in range(tries, 0, -1):
            if _try_lock(handle):
                self._handle = handle
                return True
            if left > 1 and wait(self._POLL_S):
                break
        os.close(handle)
        return False

    def release(self) -> None:
        if self._handle is not None:
            _unlock(self._handle)
            os.close(self._handle)
            self._handle = None


if sys.platform == "win32":
    import msvcrt

    def _try_lock(handle: int) -> bool:
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(handle: int) -> None:
        os.lseek(handle, 0, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _try_lock(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def _unlock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_UN)
