"""A child process, seen from the program: started, talked to, ended, and its end explained."""

import contextlib
import multiprocessing
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from multiprocessing.sharedctypes import RawArray
from pathlib import Path

from app.process.ending import Ending
from app.process.parent import Parent

END_S = 3.0  # how long a child may take to end by itself
LOG_CHARS = 4000

# glibc reads its tunables when a process begins. In huge pages a model's weights and cache are found with fewer
# look-ups: answers are 1 to 4% faster.
TUNABLES, HUGE_PAGES = "GLIBC_TUNABLES", "glibc.malloc.hugetlb=1"
_STARTING = threading.Lock()


class ChildProcess:
    """One child. Made, used and closed on one thread; ``stop`` and ``kill`` may be called from any."""

    def __init__(self, target: Callable[..., None], *arguments: object, name: str, huge_pages: bool = False) -> None:
        """Start ``target(parent, *arguments)`` in a process of its own.

        ``target`` and ``arguments`` are pickled; ``parent`` is a ``Parent``.
        ``huge_pages``: for children that fill a good part of the memory (Linux).
        Raises OSError, or what else keeps a process from starting.
        """
        spawn = multiprocessing.get_context("spawn")  # fork would copy locks and threads; it is the only one everywhere
        handle, log_path = tempfile.mkstemp(prefix=f"{name}-", suffix=".log")
        # The child opens the file by its name and removes the name, so that nothing is left whoever dies first.
        self._log = os.fdopen(handle, "rb")
        self._log_path = Path(log_path)
        self._stop = RawArray("c", 2)  # the child's code may read it as a C string: the second byte stays 0
        self.connection, theirs = spawn.Pipe()
        self._process = spawn.Process(
            target=target, args=(Parent(theirs, self._stop, log_path), *arguments), name=name, daemon=True
        )
        try:
            with _huge_pages() if huge_pages else contextlib.nullcontext():
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

    def send(self, message: object) -> None:
        """Pickled. A child that is already gone is noticed by whoever reads."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.connection.send(message)

    def send_bytes(self, message: bytes | memoryview) -> None:
        """As ``send``, for messages that are not pickles."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.connection.send_bytes(message)

    def stop(self) -> None:
        """End what is under way in the child, through a shared byte that it looks at."""
        self._stop[0] = b"\1"

    def allow(self) -> None:
        """Take ``stop`` back before the next request."""
        self._stop[0] = b"\0"

    def kill(self) -> None:
        """End the process at once. Whoever reads from it comes back with an error; it still has to be closed."""
        with contextlib.suppress(ValueError, AttributeError):  # closed meanwhile
            self._process.kill()

    def close(self, patience_s: float | None = None) -> None:
        """End the process in any case, and free what belongs to it. Idempotent.

        ``patience_s``: how long it may take to end by itself (None: ``END_S``); 0 kills it at once.
        """
        patience_s = END_S if patience_s is None else patience_s
        if self.connection.closed:
            return
        self.stop()
        self.connection.close()
        if patience_s > 0:
            self._process.join(patience_s)
            if self._process.is_alive():
                self._process.terminate()
                self._process.join(patience_s)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        with contextlib.suppress(ValueError):  # somebody else has waited for it
            self._process.close()
        self._remove_log()

    def ending(self, clean: Callable[[str], str] = lambda log: log) -> Ending:
        """How it ended by itself. Waits for that; call it before ``close``.

        ``clean``: takes out of what the child printed what nobody is to read.
        """
        self._process.join(END_S)
        log = clean(self._log.read().decode("utf-8", "replace"))[-LOG_CHARS:].strip()
        return Ending(self._process.exitcode, log)

    def _remove_log(self) -> None:
        self._log.close()
        self._log_path.unlink(missing_ok=True)


@contextlib.contextmanager
def _huge_pages() -> Iterator[None]:
    """For the processes that are started meanwhile, and not for whatever the person opens from here later.

    The variable stays, empty: C code on another thread may be looking through the environment.
    """
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
