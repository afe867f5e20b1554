"""The processors that this process may use, how busy they are, and which of them a thread is on."""

import os
import sys
import time
from collections.abc import Iterable, Set
from dataclasses import dataclass
from pathlib import Path

import psutil

TOPOLOGY = Path("/sys/devices/system/cpu")


def cores() -> int:
    """Physical cores that this process may use. Hyper-threads do not help: both halves wait for the same memory."""
    physical = psutil.cpu_count(logical=False) or os.cpu_count() or 1
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else physical
    return max(1, min(physical, allowed))


def one_of_each_core(processors: Iterable[int], topology: Path = TOPOLOGY) -> tuple[int, ...]:
    """One processor of each core among these; () where the system does not tell."""
    first: dict[str, int] = {}
    try:
        for processor in sorted(processors):
            core = (topology / f"cpu{processor}" / "topology" / "thread_siblings_list").read_text()
            first.setdefault(core, processor)
    except OSError:
        return ()
    return tuple(first.values())


def move_to(processors: Set[int]) -> bool:
    """Let the calling thread run on these alone; False where the system does not (Linux alone does)."""
    if sys.platform != "linux":
        return False
    try:
        os.sched_setaffinity(0, processors)
        return os.sched_getaffinity(0) == processors
    except OSError:
        return False


@dataclass(frozen=True, slots=True)
class ProcessorTime:
    """Seconds so far: of the clock, of all processors at work (``busy``), of this process at work (``own``)."""

    wall: float
    busy: float
    own: float


def processor_time() -> ProcessorTime:
    """Costs 0.1 to 0.5 ms."""
    times = psutil.cpu_times()._asdict()
    idle = ("idle", "iowait", "guest", "guest_nice")  # a guest's time is counted in user time already
    busy = sum(seconds for kind, seconds in times.items() if kind not in idle)
    return ProcessorTime(time.perf_counter(), busy, time.process_time())
