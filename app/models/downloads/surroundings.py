"""What a download needs of the machine; tests put their own in its place."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app.models.disk import free_bytes
from app.models.downloads.partfile import OpenFile, open_for_writing
from app.models.hub import retry


@dataclass(frozen=True, slots=True)
class Pacing:
    """``stall_s``: without a byte for so long, a connection is given up and made anew. ``piece``: bytes asked for at
    once, at least and at most. ``attempts``: failures in a row without a byte; with back-off about two minutes."""

    connections: int = 4
    stall_s: float = 30.0
    piece: tuple[int, int] = (256 << 10, 32 << 20)
    attempts: int = 8


USUAL = Pacing()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """``free``: bytes left on the disk of a folder, which need not exist yet."""

    monotonic: Callable[[], float]
    wait: retry.Wait = retry.wait
    free: Callable[[Path], int] = free_bytes
    open_file: OpenFile = open_for_writing
    pacing: Pacing = USUAL
