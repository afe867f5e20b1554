"""A file that is being downloaded: its bytes in ``NAME.part``, what is known of them in two files beside it.

``NAME.json`` names only bytes that are on the disk for sure: the data is flushed first, every few seconds, so that a
power cut costs no more than that. ``NAME.log`` is appended to all the time and never flushed: what it names survives
the death of the program, as the data itself does, in the system's memory. It holds good until the machine restarts.
"""

import hashlib
import logging
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from io import RawIOBase
from pathlib import Path
from typing import BinaryIO, cast

import psutil

from app.models.downloads.ranges import Range, Ranges
from app.storage import jsonfile
from app.storage.jsonfile import DamagedFile

_log = logging.getLogger(__name__)

_FLUSH_EVERY_S = 5.0
_SAME_BOOT_S = 2.0  # the moment is computed, and moves a little when the clock is corrected
_HASH_STEP = 1 << 20
OpenFile = Callable[[Path], RawIOBase | BinaryIO]


@dataclass(frozen=True, slots=True)
class Content:
    """Which bytes a file should hold. ``etag``: as the Hub names them, "" before it was asked; sizes in bytes."""

    url: str
    etag: str
    size: int
    sha256: str = ""

    def same(self, other: "Content") -> bool:
        """Whether bytes of ``other`` can be continued with bytes of this one."""
        if self.size != other.size:
            return False
        if self.sha256 and other.sha256:
            return self.sha256 == other.sha256
        return self.etag == other.etag


@dataclass(frozen=True, slots=True)
class _Sidecar(Content):
    ranges: Sequence[tuple[int, int]] = field(kw_only=True)


def done_on_disk(part: Path) -> int:
    """How many bytes an earlier run left, by its sidecar; 0 where there is none."""
    try:
        ranges = Ranges(jsonfile.read(part.with_suffix(".json"), _Sidecar).ranges)
    except (OSError, DamagedFile):
        return 0
    _read_log(part.with_suffix(".log"), ranges)
    return ranges.total


def open_for_writing(path: Path) -> BinaryIO:
    return cast("BinaryIO", path.open("r+b", buffering=0))


class PartFile:
    """Several threads write different ranges; ``missing`` and ``hash_more`` are for the thread that leads them."""

    def __init__(
        self,
        part: Path,
        content: Content,
        *,
        log_every: int,
        monotonic: Callable[[], float],
        open_file: OpenFile = open_for_writing,
    ) -> None:
        self.part = part
        self.sidecar = part.with_suffix(".json")
        self.log = part.with_suffix(".log")
        self.content = content
        self.open_file = open_file
        self._log_every = log_every
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._flushing = threading.Lock()
        self._flushed_at = monotonic()
        self._unlogged = Ranges()
        self._digest = hashlib.sha256()
        self._hashed = 0
        self.started_over = False
        self._ranges = self._load()

    @property
    def done(self) -> int:
        with self._lock:
            return self._ranges.total

    @property
    def complete(self) -> bool:
        return self.done == self.content.size

    def missing(self, step: int) -> list[Range]:
        """What is still to be fetched, in order, in pieces of at most ``step`` bytes."""
        with self._lock:
            gaps = list(self._ranges.gaps(self.content.size))
        return [Range(at, min(at + step, end)) for start, end in gaps for at in range(start, end, step)]

    def prepare(self) -> None:
        """Make the file, with its full length. Raises OSError."""
        self.part.parent.mkdir(parents=True, exist_ok=True)
        if not self.part.exists():
            self.part.touch()
        if self.part.stat().st_size != self.content.size:
            os.truncate(self.part, self.content.size)
        self.save()

    def wrote(self, start: int, end: int) -> None:
        """Bytes are in the file. Raises OSError."""
        with self._lock:
            self._ranges.add(start, end)
            self._unlogged.add(start, end)
            if self._unlogged.total >= self._log_every:
                self._append()
            due = self._monotonic() - self._flushed_at >= _FLUSH_EVERY_S
        if due and self._flushing.acquire(blocking=False):  # while one thread flushes, the others go on fetching
            try:
                self._flush()
            finally:
                self._flushing.release()

    def save(self) -> None:
        """Make sure that everything so far survives a power cut. Raises OSError."""
        with self._flushing:
            self._flush()

    def _append(self) -> None:
        with self.log.open("a", encoding="ascii") as log:
            log.write("".join(f"{start} {end}\n" for start, end in self._unlogged))
        self._unlogged = Ranges()

    def _flush(self) -> None:
        with self._lock:
            ranges, self._flushed_at = list(self._ranges), self._monotonic()
        with self.part.open("r+b") as file:
            os.fsync(file.fileno())
        jsonfile.write(self.sidecar, _Sidecar(**asdict(self.content), ranges=ranges))
        with self._lock:  # what came meanwhile goes into the new log
            self._unlogged = Ranges(self._ranges)
            self.log.write_text(f"{psutil.boot_time()}\n", encoding="ascii")
            self._append()

    def hash_more(self, limit: int) -> bool:
        """Put up to ``limit`` more bytes from the gapless beginning into the checksum; True while some are left."""
        with self._lock:
            prefix = self._ranges.prefix
        end = min(prefix, self._hashed + limit)
        if self._hashed < end:
            with self.part.open("rb") as file:
                file.seek(self._hashed)
                while self._hashed < end:
                    data = file.read(min(_HASH_STEP, end - self._hashed))
                    if not data:
                        raise OSError(f"{self.part} became shorter")
                    self._digest.update(data)
                    self._hashed += len(data)
        return self._hashed < prefix

    def digest(self) -> str:
        """SHA-256 of the whole file, once ``hashed`` is its size."""
        return self._digest.hexdigest()

    def discard(self) -> None:
        """Forget everything that was fetched."""
        with self._flushing, self._lock:
            self._remove()
            self._ranges, self._unlogged = Ranges(), Ranges()
            self._digest, self._hashed = hashlib.sha256(), 0

    def _load(self) -> Ranges:
        """What an earlier run left, if it was of the same content."""
        try:
            known = jsonfile.read(self.sidecar, _Sidecar)
            ranges = Ranges(known.ranges)
            _read_log(self.log, ranges)
            fits = all(start >= 0 and end <= known.size for start, end in ranges)
            if fits and self.content.same(known) and self.part.stat().st_size == known.size:
                return ranges
            self.started_over = True
        except (OSError, DamagedFile):
            pass  # nothing there, or nothing that can be trusted
        self._remove()
        return Ranges()

    def _remove(self) -> None:
        for path in (self.sidecar, self.log, self.part):
            path.unlink(missing_ok=True)


def _read_log(log: Path, ranges: Ranges) -> None:
    """Add what the log names, unless the machine was started since. Its last line may be cut off."""
    try:
        booted, *lines = log.read_text(encoding="ascii").split("\n")[:-1]
        if abs(float(booted) - psutil.boot_time()) <= _SAME_BOOT_S:
            for start, end in map(str.split, lines):
                ranges.add(int(start), int(end))
    except (OSError, ValueError) as error:
        _log.debug("%s: %r", log, error)
