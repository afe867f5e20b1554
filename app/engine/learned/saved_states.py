"""Conversations' KV caches on disk: a file for each of its latest branches, verified before use, the longest unused
deleted first.

A file, little-endian: 8 bytes magic; length and CRC-32 of the header, 4 bytes each; the header (JSON); the tokens, 4
bytes each; then the blobs as llama.cpp made them, the whole state first, checkpoints behind it. The header holds what
has to match (``key``), the number of tokens and size and CRC-32 of everything behind it. llama.cpp may abort the
process over a state that is cut off or that another setting made, so nothing reaches it unverified. A file is written
under another name and renamed; it is not forced to the disk, because the checksum tells what a power cut left.

Used by the child (writes, reads) and by the program (forgets); several programs may share a folder.
"""

import array
import contextlib
import hashlib
import json
import logging
import os
import shutil
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from app.engine.prefix import common_prefix

log = logging.getLogger(__name__)

MAGIC = b"ALCSTAT1"
MOST_BYTES = 4_000_000_000
DISK_SHARE = 0.1  # of the free disk, where that is less
OLD_S = 30 * 24 * 3600.0
LEFTOVER_S = 3600.0  # a file half written for so long belongs to nobody
CHUNK = 1 << 20
HEADER_BYTES = 1 << 16  # more is no header of ours
BLOBS = 64
MOST_BRANCHES = 3  # states of one conversation
# Tokens that a state may have for itself and still be replaced by the next one; with more it is another branch. Reading
# a thirty-second of a conversation again takes about as long as restoring the rest.
BRANCH, BRANCH_SHARE = 256, 32

Buffer = bytes | bytearray | memoryview


@dataclass(frozen=True, slots=True)
class Blob:
    """A piece of state after ``at`` tokens."""

    at: int
    data: Buffer


@dataclass(frozen=True, slots=True)
class SavedState:
    """A conversation's memory, as it is written and read.

    ``tokens``: those whose keys and values are in ``state``.
    ``whole``: it can be cut anywhere; where not, ``checkpoints`` are the earlier places that it can go back to.
    """

    tokens: tuple[int, ...]
    state: Buffer
    whole: bool = True
    checkpoints: tuple[Blob, ...] = ()


@dataclass(frozen=True, slots=True)
class _Header:
    key: str
    whole: bool
    tokens: int
    tokens_crc: int
    places: list[int]
    sizes: list[int]
    crcs: list[int]


class Damaged(Exception):
    """Not a file of ours, or not what was written."""


@dataclass(frozen=True, slots=True)
class StateFolder:
    """``path`` is made when something is written. ``max_bytes`` None: 4 GB or a tenth of the free disk."""

    path: Path
    max_bytes: int | None = None

    def write(
        self,
        key: str,
        conversation: str,
        saved: SavedState,
        go_on: Callable[[], bool] = lambda: True,
        dropped: Sequence[int] = (),
    ) -> Path | None:
        """Write a state, and return its file.

        It takes the place of the states that it goes on from, and of those that are a part of ``dropped``: tokens that
        no prompt will begin with any more.
        None where ``go_on`` said no between two chunks, or there is no room.
        Raises OSError.
        """
        blobs = [Blob(len(saved.tokens), saved.state), *saved.checkpoints][:BLOBS]
        if sum(len(blob.data) for blob in blobs) > self.limit():
            return None
        self.path.mkdir(parents=True, exist_ok=True)
        path, others = self._place(key, conversation, (saved.tokens, dropped))
        part = path.with_name(f"{path.stem}.{os.getpid()}-{threading.get_ident()}.part")
        try:
            with part.open("wb") as file:
                if not _write(file, key, saved, blobs, go_on):
                    return None
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        for other in others:
            self._delete(other)
        self.trim(keep=path)
        return path

    def best(self, key: str, prompt: Sequence[int], more_than: int, room: int) -> Path | None:
        """The state that holds the longest prefix of ``prompt``.

        Only states of at most ``room`` tokens that hold more than ``more_than``. Damaged ones are deleted.
        """
        best: Path | None = None
        for path in self._files(f"{key}-*.state"):
            try:
                reach, tokens = look_into(path, key, prompt)
            except (Damaged, OSError):
                self._delete(path)
                continue
            if reach > more_than and tokens <= room:
                best, more_than = path, reach
        return best

    def read(self, path: Path, key: str) -> SavedState | None:
        """Everything verified; None, and no file any more, where that fails."""
        try:
            saved = read_state(path, key)
            os.utime(path)
        except (Damaged, OSError, MemoryError) as error:
            log.info("a saved state is not usable: %s", error)
            self._delete(path)
            return None
        return saved

    def forget(self, conversation: str) -> None:
        """Delete the conversation's states, whichever model they belong to."""
        for path in self._files(f"*-{_hash(conversation)}*.state"):
            self._delete(path)

    def drop(self, path: Path) -> None:
        self._delete(path)

    def limit(self) -> int:
        if self.max_bytes is not None:
            return self.max_bytes
        folder = self.path
        while not folder.exists() and folder != folder.parent:
            folder = folder.parent
        try:
            free = shutil.disk_usage(folder).free
        except OSError:
            return 0
        used = sum(size for _, size, _ in self._stats("*.state"))
        return min(MOST_BYTES, int((free + used) * DISK_SHARE))

    def trim(self, keep: Path | None = None) -> None:
        """Delete what is old, and the longest unused until the rest fits."""
        now = time.time()
        for path, _, used in self._stats("*.part"):
            if now - used > LEFTOVER_S:
                self._delete(path)
        room = self.limit()
        for path, size, used in sorted(self._stats("*.state"), key=lambda stat: (stat[0] != keep, -stat[2])):
            room -= size
            if path != keep and (room < 0 or now - used > OLD_S):
                self._delete(path)

    def _place(self, key: str, conversation: str, known: Sequence[Sequence[int]]) -> tuple[Path, list[Path]]:
        """Which file to write, and which to delete then. ``known``: tokens whose states are no longer needed."""
        name = f"{key}-{_hash(conversation)}"
        idle: list[tuple[float, Path]] = []
        replaced: list[Path] = []
        for path, _, used in self._stats(f"{name}*.state"):
            try:
                tokens = tokens_of(path, key)
            except (Damaged, OSError):
                replaced.append(path)
                continue
            if any(is_same_branch(tokens, common_prefix(tokens, other)) for other in known):
                replaced.append(path)
            else:
                idle.append((used, path))
        idle.sort()
        replaced += [path for _, path in idle[: len(idle) + 1 - MOST_BRANCHES]]
        if replaced:
            return replaced[0], replaced[1:]
        names = (self.path / f"{name}-{number}.state" for number in range(MOST_BRANCHES))
        return next(path for path in names if path not in {other for _, other in idle}), []

    def _files(self, pattern: str) -> list[Path]:
        try:
            return sorted(self.path.glob(pattern))
        except OSError:
            return []

    def _stats(self, pattern: str) -> Iterator[tuple[Path, int, float]]:
        for path in self._files(pattern):
            with contextlib.suppress(OSError):
                stat = path.stat()
                yield path, stat.st_size, stat.st_mtime

    @staticmethod
    def _delete(path: Path) -> None:
        with contextlib.suppress(OSError):  # another program reads it (Windows): next time
            path.unlink(missing_ok=True)


def key_of(*parts: object) -> str:
    """A short name for everything that has to be the same for a state to fit."""
    return _hash("\n".join(map(str, parts)))


def is_same_branch(tokens: Sequence[int], shared: int) -> bool:
    """Whether a state of ``tokens`` has so little besides what it shares with another that the other can replace it."""
    return len(tokens) - shared <= max(BRANCH, len(tokens) // BRANCH_SHARE)


def tokens_of(path: Path, key: str) -> tuple[int, ...]:
    """Raises Damaged, OSError."""
    with path.open("rb") as file:
        return _tokens(file, _header(file, key))


def look_into(path: Path, key: str, prompt: Sequence[int]) -> tuple[int, int]:
    """How many tokens of the prompt it saves, and how many it has. Raises Damaged, OSError."""
    with path.open("rb") as file:
        header = _header(file, key)
        tokens = _tokens(file, header)
    shared = common_prefix(tokens, prompt)
    if not header.whole:
        shared = max((place for place in header.places if place <= shared), default=0)
    return shared, len(tokens)


def read_state(path: Path, key: str) -> SavedState:
    """Raises Damaged, OSError, MemoryError."""
    with path.open("rb") as file:
        header = _header(file, key)
        tokens = _tokens(file, header)
        blobs = [
            Blob(at, _blob(file, size, crc))
            for at, size, crc in zip(header.places, header.sizes, header.crcs, strict=True)
        ]
    return SavedState(tokens, blobs[0].data, header.whole, tuple(blobs[1:]))


def _write(file: BinaryIO, key: str, saved: SavedState, blobs: Sequence[Blob], go_on: Callable[[], bool]) -> bool:
    ids = _packed(saved.tokens)
    places, sizes = [blob.at for blob in blobs], [len(blob.data) for blob in blobs]
    header = _Header(key, saved.whole, len(saved.tokens), zlib.crc32(ids), places, sizes, [0] * len(blobs))
    room = len(_encoded(header)) + 16 * len(blobs)  # the checksums, known at the end
    file.seek(len(MAGIC) + 8 + room)
    file.write(ids)
    for index, blob in enumerate(blobs):
        crc = 0
        view = memoryview(blob.data)
        for start in range(0, len(view), CHUNK):
            if not go_on():
                return False
            chunk = view[start : start + CHUNK]
            crc = zlib.crc32(chunk, crc)
            file.write(chunk)
        header.crcs[index] = crc
    data = _encoded(header).ljust(room)
    file.seek(0)
    file.write(MAGIC + len(data).to_bytes(4, "little") + zlib.crc32(data).to_bytes(4, "little") + data)
    return True


def _header(file: BinaryIO, key: str) -> _Header:
    start = file.read(len(MAGIC) + 8)
    if len(start) != len(MAGIC) + 8 or not start.startswith(MAGIC):
        raise Damaged("the magic number is missing")
    length = int.from_bytes(start[-8:-4], "little")
    data = file.read(min(length, HEADER_BYTES))
    if length > HEADER_BYTES or len(data) != length or zlib.crc32(data) != int.from_bytes(start[-4:], "little"):
        raise Damaged("the header is damaged")
    try:
        header = _Header(**json.loads(data))
        behind = 4 * header.tokens + sum(header.sizes)
        whole = 1 <= len(header.sizes) <= BLOBS and len(header.sizes) == len(header.places) == len(header.crcs)
        whole = whole and min(header.sizes) >= 0 and header.places[0] == header.tokens
        whole = whole and 0 <= min(header.places) <= max(header.places) <= header.tokens
    except (ValueError, TypeError) as error:
        raise Damaged("the header is of another version") from error
    if header.key != key or not whole or os.fstat(file.fileno()).st_size != len(start) + length + behind:
        raise Damaged("the file has another length or belongs to another model")
    return header


def _tokens(file: BinaryIO, header: _Header) -> tuple[int, ...]:
    data = file.read(4 * header.tokens)
    if len(data) != 4 * header.tokens or zlib.crc32(data) != header.tokens_crc:
        raise Damaged("the tokens are damaged")
    ids = array.array("i", data)
    if sys.byteorder == "big":
        ids.byteswap()
    return tuple(ids)


def _blob(file: BinaryIO, size: int, crc: int) -> bytearray:
    data = bytearray(size)
    view = memoryview(data)
    have = 0
    for start in range(0, size, CHUNK):
        chunk = view[start : start + CHUNK]
        if file.readinto(chunk) != len(chunk):  # type: ignore[attr-defined]  # a buffered reader has it
            raise Damaged("the file is cut off")
        have = zlib.crc32(chunk, have)
    if have != crc:
        raise Damaged("the checksum is another one")
    return data


def _encoded(header: _Header) -> bytes:
    return json.dumps(asdict(header)).encode()


def _packed(tokens: Sequence[int]) -> bytes:
    ids = array.array("i", tokens)
    if sys.byteorder == "big":
        ids.byteswap()
    return ids.tobytes()


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:20]
