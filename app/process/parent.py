"""The program that started a child, and what the child does first. Runs in the child; cheap to import."""

import contextlib
import faulthandler
import multiprocessing
import os
import signal
import sys
import threading
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG = 1  # linux/prctl.h


@dataclass(frozen=True, slots=True)
class Parent:
    """What a child holds of the program that started it.

    ``connection``: its end of the pipe; it closes when the program ends.
    ``stop``: two shared bytes; the program sets the first one to stop what is under way, the second one stays 0.
    ``log_path``: a file for what is printed, which the program reads when the child has died.
    """

    connection: Connection
    stop: Any
    log_path: str

    @property
    def says_stop(self) -> bool:
        return bool(self.stop[0] != b"\0")

    def take_over(self) -> None:
        """Make this process a child in order: call it first.

        Ctrl+C is the program's business. On Linux the process ends with the thread that started it. What native code
        prints on its way out goes to the log.
        """
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if sys.platform == "linux":
            import ctypes

            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        log = os.open(self.log_path, os.O_WRONLY | os.O_APPEND)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.close(log)
        with contextlib.suppress(OSError):  # Windows keeps the name of an open file; there the parent removes it
            Path(self.log_path).unlink()
        faulthandler.enable(file=2)


def end_with_the_program() -> None:
    """End this process as soon as the program has ended, whatever it is doing, on every system.

    For children that look at the pipe only now and then, and have nothing to save.
    """
    threading.Thread(target=_wait_for_the_end, name="parent", daemon=True).start()


def _wait_for_the_end() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def limit_memory(megabytes: int) -> None:
    """Let this process have no more address space, and leave no core file (Linux)."""
    if sys.platform == "linux":
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        size = megabytes << 20
        resource.setrlimit(resource.RLIMIT_AS, (size if hard < 0 else min(size, hard), hard))
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
