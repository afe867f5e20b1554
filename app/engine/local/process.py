"""A model's child process, seen from the program: started, talked to, ended, and its end explained."""

import contextlib
import logging
import multiprocessing
import os
import re
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from multiprocessing.sharedctypes import RawArray
from pathlib import Path
from typing import Any

from app.domain.errors import AppError
from app.domain.models import LoadRequest
from app.engine.learned.states import StateFolder
from app.engine.llama.failures import memory_error
from app.engine.messages import Command, Reply, decode

log = logging.getLogger(__name__)

END_S = 3.0  # how long a child may take to end by itself
LOG_CHARS = 4000

# What allocators say before they give up (C++, CUDA, Vulkan, Metal, Windows' STATUS_NO_MEMORY and _COMMITMENT_LIMIT).
_NO_MEMORY = re.compile("bad_alloc|failed to allocate|out of memory|OutOfDeviceMemory|OutOfHostMemory|Cannot allocate")
_NO_MEMORY_CODES = (0xC0000017, 0xC000012D)
# Where llama.cpp gives up on a grammar it quotes what the model wrote.
_QUOTED = re.compile(r"(after accepting piece: ).*?( \(\d+\))", re.DOTALL)

# glibc reads its tunables when a process begins. In huge pages a child's weights and cache are found with fewer
# look-ups: answers are 1 to 4% faster.
TUNABLES, HUGE_PAGES = "GLIBC_TUNABLES", "glibc.malloc.hugetlb=1"
_STARTING = threading.Lock()

Target = Callable[[Connection, Any, LoadRequest, str, StateFolder | None], None]


@dataclass(frozen=True, slots=True)
class Death:
    """``memory``: there was not enough of it, as far as one can tell."""

    error: AppError
    memory: bool


@contextlib.contextmanager
def _huge_pages() -> Iterator[None]:
    """For the processes that are started meanwhile, and not for whatever the person opens from here later. The variable
    stays, empty: C code on another thread may be looking through the environment."""
    if sys.platform != "linux":
        yield
        return
    with _STARTING:
        given = os.environ.get(TUNABLES, "")
        if HUGE_PAGES.partition("=")[0] not in given:  # the person's own wish counts
            os.environ[TUNABLES] = ":".join(filter(None, (given, HUGE_PAGES)))
        try:
            yield
        finally:
            os.environ[TUNABLES] = given


class ChildProcess:
    """One child. Made, used and closed on the worker thread; ``stop`` alone may be called from any thread."""

    def __init__(self, target: Target, request: LoadRequest, states: StateFolder | None = None) -> None:
        """``target`` runs in the child (``app.engine.llama.child.run``). Raises OSError, or what
        else keeps a process from starting."""
        spawn = multiprocessing.get_context("spawn")  # fork would copy locks and threads; it is the only one everywhere
        handle, log_path = tempfile.mkstemp(prefix="alcove-engine-", suffix=".log")
        # The child opens the file by its name and removes the name, so that nothing is left whoever dies first.
        self._log = os.fdopen(handle, "rb")
        self._log_path = Path(log_path)
        # llama.cpp looks at the first byte through strlen; the second one stays 0.
        self._stop = RawArray("c", 2)
        self.connection, theirs = spawn.Pipe()
        self._process = spawn.Process(
            target=target, args=(theirs, self._stop, request, log_path, states), name="alcove-engine", daemon=True
        )
        try:
            with _huge_pages():
                self._process.start()
        except BaseException:
            self.connection.close()
            self._remove_log()
            raise
        finally:
            theirs.close()

    @property
    def sentinel(self) -> int:
        return self._process.sentinel

    @property
    def pid(self) -> int | None:
        return self._process.pid

    def send(self, command: Command) -> None:
        """A child that is already gone is noticed by whoever reads."""
        data = ForkingPickler.dumps(command)
        log.debug("to the child: %s, %d bytes", type(command).__name__, len(data))
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.connection.send_bytes(data)

    def receive(self) -> Reply | None:
        """The next message, None when there is none now. Raises EOFError or OSError when the child is gone."""
        if not self.connection.poll():
            return None
        data = self.connection.recv_bytes()
        reply = decode(data)
        log.debug("from the child: %s, %d bytes", type(reply).__name__, len(data))
        error = getattr(reply, "error", None)
        if error is not None and error.code == "engine-bug":
            log.error("The engine made a mistake of its own:\n%s", error.detail)
        return reply

    def stop(self) -> None:
        """End what is under way: a load, a prompt, an answer."""
        self._stop[0] = b"\1"

    def allow(self) -> None:
        """Take ``stop`` back before the next request."""
        self._stop[0] = b"\0"

    def close(self) -> None:
        """End the process in any case, and free what belongs to it."""
        self.stop()
        self.connection.close()
        self._process.join(END_S)
        if self._process.is_alive():
            self._process.terminate()
            self._process.join(END_S)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._process.close()
        self._remove_log()

    def died(self, loading: str = "") -> Death:
        """Why it ended by itself, as what the person is told. ``loading``: the model that it was about to load. Call
        before ``close``."""
        self._process.join(END_S)
        code = self._process.exitcode
        tail = _QUOTED.sub(r"\1…\2", self._log.read().decode("utf-8", "replace"))[-LOG_CHARS:].strip()
        error = AppError(
            "engine-died",
            "The engine stopped unexpectedly.",
            "It starts again, with a safer plan, when you go on.",
            detail=f"{_ending(code)}\n{tail}".strip(),
        )
        # Linux's out-of-memory killer says nothing; nobody else is likely to send SIGKILL.
        killed = code is not None and code == -getattr(signal, "SIGKILL", 9)
        memory = killed or code in _NO_MEMORY_CODES or _NO_MEMORY.search(tail) is not None
        if loading:
            detail = error.info.detail
            error = memory_error(loading, detail) if memory else _load_crashed(loading, detail)
        return Death(error, memory)

    def _remove_log(self) -> None:
        self._log.close()
        self._log_path.unlink(missing_ok=True)


def no_process(error: Exception) -> AppError:
    """What the person is told where no child could be started."""
    return AppError(
        "engine-unavailable",
        "The engine's process could not be started ({reason}).",
        "Close other programs and try again.",
        detail="".join(traceback.format_exception(error)),
        reason=(error.strerror if isinstance(error, OSError) else None) or type(error).__name__,
    )


def _load_crashed(name: str, detail: str) -> AppError:
    return AppError(
        "load-crashed",
        "Loading {name} made the engine stop.",
        "The file may be damaged or of a kind that cannot be run here: download it again, or choose another model.",
        detail=detail,
        name=name,
    )


def _ending(code: int | None) -> str:
    if code is None:
        return "the process does not answer"
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {signal.Signals(-code).name}"
    except ValueError:
        return f"signal {-code}"
