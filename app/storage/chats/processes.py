"""Naming a process so that it can be told from a later one with the same number."""

from typing import NamedTuple

import psutil

# The start time is computed from the boot time, which moves a little when the clock is corrected.
TOLERANCE_S = 2.0


class ProcessMark(NamedTuple):
    """``started``: seconds since 1970."""

    pid: int
    started: float


def this_process() -> ProcessMark:
    process = psutil.Process()
    return ProcessMark(process.pid, process.create_time())


def is_alive(mark: ProcessMark) -> bool:
    """Whether that very process still runs. Where the system does not tell, it is taken to be alive."""
    try:
        process = psutil.Process(mark.pid)
        if abs(process.create_time() - mark.started) > TOLERANCE_S:
            return False
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True
