"""The memory a plan may use, as values: RAM from the operating system, GPUs from whoever asked llama.cpp's child.

Sizes in bytes; "GB" as hardware is sold, 24GB of memory being 24 GiB. Bandwidth is what the weights of one token can be
read with, in bytes a second: measured for the RAM of this machine, assumed for everything else.
"""

import ctypes
import logging
import re
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import psutil

from app.domain.errors import AppError

log = logging.getLogger(__name__)

GIB = 1 << 30
SYSTEM_SHARE = 4 * GIB  # of an invented machine's RAM, for the system and other programs; at most a quarter

# What decoding reaches in practice, below what a data sheet promises. GPUs by their memory.
RAM_BANDWIDTH = 50e9  # two channels of DDR5
SERVER_RAM, SERVER_RAM_BANDWIDTH = 384 * GIB, 200e9  # as much RAM needs a server's eight or twelve channels
GPU_BANDWIDTHS = ((10 * GIB, 250e9), (20 * GIB, 450e9), (64 * GIB, 700e9), (1 << 62, 1400e9))
UNIFIED_SHARE = 0.9  # of the RAM: a GPU that claims so much of it uses it
DISK_BANDWIDTH = 2.5e9  # an NVMe disk, read in pieces of an expert

LOOK_S, BUSY_PERCENT = 1.0, 25.0  # of all processors over so many seconds: figures would be those of a busy machine

_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?)i?B?\s*", re.IGNORECASE)
_UNITS = {"": 0, "K": 10, "M": 20, "G": 30, "T": 40}


class Kind(StrEnum):
    GPU = "gpu"
    RAM = "ram"


@dataclass(frozen=True, slots=True)
class Device:
    """``unified``: a GPU whose memory is the RAM. ``measured``: whether the bandwidth is."""

    name: str
    kind: Kind
    total: int
    free: int
    bandwidth: float
    measured: bool = False
    unified: bool = False


@dataclass(frozen=True, slots=True)
class Machine:
    """GPUs in llama.cpp's order. ``amx``: llama.cpp can lay weights out for this processor's matrix units."""

    ram: Device
    gpus: tuple[Device, ...] = ()
    disk_bandwidth: float = DISK_BANDWIDTH
    amx: bool = False


def gpu(name: str, total: int, free: int | None = None, *, unified: bool = False) -> Device:
    bandwidth = next(speed for size, speed in GPU_BANDWIDTHS if total < size)
    return Device(name, Kind.GPU, total, total if free is None else free, bandwidth, unified=unified)


def found_gpu(name: str, total: int, free: int, ram: Device) -> Device:
    """A GPU of this machine.

    Apple's and those inside a processor use the RAM: they claim about as much of it as there is.
    """
    return gpu(name, total, free, unified="Apple" in name or total >= UNIFIED_SHARE * ram.total)


def this_ram(*, measure: bool = True) -> Device:
    """This machine's RAM; measuring its bandwidth takes about a tenth of a second on all cores."""
    memory = psutil.virtual_memory()
    found = _ram(memory.total, memory.available)
    return replace(found, bandwidth=read_bandwidth(), measured=True) if measure else found


def on_battery() -> bool:
    """Whether this computer runs on its battery now, as far as one can tell."""
    ask = getattr(psutil, "sensors_battery", None)  # not on every system
    try:
        battery = ask() if ask is not None else None
    except (OSError, RuntimeError, ValueError) as error:
        log.info("the battery cannot be asked: %r", error)
        return False
    return battery is not None and battery.power_plugged is False


def is_busy(wait: Callable[[float], object]) -> bool:
    """Whether something computes on this machine. ``wait`` waits for seconds."""
    psutil.cpu_percent()  # from now on, for this thread
    wait(LOOK_S)
    return psutil.cpu_percent() > BUSY_PERCENT


def invented_ram(total: int) -> Device:
    """RAM of a machine that is not here."""
    return _ram(total, total - min(SYSTEM_SHARE, total // 4))


def _ram(total: int, free: int) -> Device:
    return Device("RAM", Kind.RAM, total, free, SERVER_RAM_BANDWIDTH if total >= SERVER_RAM else RAM_BANDWIDTH)


def invented_gpus(sizes: Sequence[int]) -> tuple[Device, ...]:
    return tuple(gpu(f"GPU {number}", size) for number, size in enumerate(sizes, 1))


def parse_size(text: str) -> int:
    """``24GB``, ``24 GiB``, ``0.5T``, ``24`` (gigabytes) -> bytes. Raises AppError ``plan-size``."""
    match = _SIZE.fullmatch(text)
    if match is None or float(match[1]) <= 0:
        raise AppError("plan-size", "“{text}” is not an amount of memory.", "Write it like 24GB or 512MB.", text=text)
    unit = match[2].upper() or ("" if "B" in text.upper() else "G")
    size = float(match[1]) * (1 << _UNITS[unit])
    if not (1 << 20) <= size < (1 << 50):
        raise AppError("plan-size", "“{text}” is not an amount of memory.", "Write it like 24GB or 512MB.", text=text)
    return int(size)


def read_bandwidth(size: int = 64 << 20, rounds: int = 3) -> float:
    """Bytes a second that all cores together read from RAM, the best of ``rounds``.

    Each core reads ``size`` bytes with the C library's memchr, which runs without Python's lock.
    """
    search = ctypes.CDLL("ucrtbase" if sys.platform == "win32" else None).memchr
    search.argtypes, search.restype = (ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t), ctypes.c_void_p
    count = psutil.cpu_count(logical=False) or 1
    buffers = [ctypes.create_string_buffer(size) for _ in range(min(count, 16))]
    for buffer in buffers:
        ctypes.memset(buffer, 1, size)
    best = 0.0
    for _ in range(rounds):
        threads = [threading.Thread(target=search, args=(buffer, 2, size)) for buffer in buffers]
        started = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        best = max(best, size * len(buffers) / (time.perf_counter() - started))
    return best
