"""The file of a running window. Ending in order removes it, so a file whose process is gone tells of a crash.

Python writes into it where each thread stood when native code ended the process. Windows of several homes have folders
of their own, several windows of one home a file each.
"""

import contextlib
import faulthandler
import logging
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil

from app.domain.errors import AppError
from app.storage.chats.processes import ProcessMark, is_alive, this_process
from app.storage.paths import make_private

log = logging.getLogger(__name__)

CRASH_FILE = "crash.txt"  # of the newest crash, kept for reports
LONGEST = 64_000  # characters of it
_NAME = re.compile(r"run-(\d+)-(\d+)\.txt")


@dataclass(frozen=True, slots=True)
class Crash:
    """``when``: seconds since 1970. ``trace``: where each thread stood, "" where it was killed from outside."""

    when: float
    trace: str


class RunFile:
    """Begun and closed on the main thread, before the first window and after the last. A folder that cannot be written
    costs the file and nothing else."""

    def __init__(self, folder: Path) -> None:
        self.crash: Crash | None = None  # of the run before
        self._file: IO[bytes] | None = None
        try:
            make_private(folder)
            self.crash = _crash_before(folder)
            self._file = self._open(folder)
        except (OSError, AppError) as error:
            log.info("no file tells that the program runs: %s", error)

    def close(self) -> None:
        """The program ends in order. Idempotent."""
        file, self._file = self._file, None
        if file is not None:
            faulthandler.disable()
            file.close()
            with contextlib.suppress(OSError):
                self._path.unlink(missing_ok=True)

    def _open(self, folder: Path) -> IO[bytes]:
        mark = this_process()
        self._path = folder / f"run-{mark.pid}-{mark.started * 1000:.0f}.txt"
        file = os.fdopen(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb", buffering=0)
        faulthandler.enable(file)
        return file


def last_crash(folder: Path) -> Crash | None:
    """The newest crash that is known of."""
    return _read(folder / CRASH_FILE)


def _crash_before(folder: Path) -> Crash | None:
    """Of the files whose process is gone the newest becomes ``CRASH_FILE``.

    Where the computer was switched off meanwhile, and Python wrote nothing, it was no crash of ours.
    """
    crash = None
    for path in sorted(folder.glob("run-*.txt"), key=_changed):
        match = _NAME.fullmatch(path.name)
        if match is None or is_alive(ProcessMark(int(match[1]), int(match[2]) / 1000)):
            continue
        found = _read(path)
        if found is None:
            continue  # another window was quicker
        with contextlib.suppress(FileNotFoundError):
            if found.trace or psutil.boot_time() <= int(match[2]) / 1000:
                path.replace(folder / CRASH_FILE)
                crash = found
            else:
                path.unlink()
    return crash


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _read(path: Path) -> Crash | None:
    try:
        with path.open("rb") as file:
            return Crash(path.stat().st_mtime, file.read(LONGEST).decode("utf-8", "replace").strip())
    except OSError:
        return None
