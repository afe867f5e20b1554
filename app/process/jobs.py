"""Jobs done on a thread of their own, in steps: a more urgent job goes in between two steps of another one."""

import itertools
import threading
import time
from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

J = TypeVar("J")


class _Entry(NamedTuple, Generic[J]):
    urgency: int
    order: int
    job: J


class JobThread(Generic[J]):
    """Does jobs until it is closed. The thread starts with the first one; a job stays in the queue until it has ended.

    Every method may be called from any thread; every function that is handed in is called on this one.
    """

    def __init__(
        self,
        name: str,
        step: Callable[[J], bool],
        *,
        refuse: Callable[[J], object],
        at_end: Callable[[], None],
        idle_s: Callable[[], float | None] = lambda: None,
        rest: Callable[[], None] = lambda: None,
    ) -> None:
        """``step``: does a part of a job; True when the job has ended.

        ``refuse``: told of every job that is left when the thread ends. ``at_end``: called last.
        ``rest``: called when nothing was to do for ``idle_s()`` seconds (None: never).
        """
        self._name = name
        self._step, self._refuse, self._at_end = step, refuse, at_end
        self._idle_s, self._rest = idle_s, rest
        self._entries: list[_Entry[J]] = []
        self._count = itertools.count()
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def closing(self) -> bool:
        return self._closing.is_set()

    @property
    def jobs(self) -> list[J]:
        """Those that were not taken out of the queue yet, the one that is under way among them."""
        with self._changed:
            return [entry.job for entry in self._entries]

    def post(self, job: J, urgency: int, *, newest_first: bool = False) -> bool:
        """Add a job; False where the thread is closing. The lowest ``urgency`` goes first, of equal ones the oldest."""
        with self._changed:
            if self._closing.is_set():
                return False
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()
            number = next(self._count)
            self._entries.append(_Entry(urgency, -number if newest_first else number, job))
            self._changed.notify_all()
        return True

    def pause(self, seconds: float) -> bool:
        """Wait so long at most; True at once when the thread is to end."""
        return self._closing.wait(seconds)

    def close(self) -> None:
        """End after the current step, and wait for that. Idempotent."""
        self.end()
        thread = self._thread
        if thread is not None:
            thread.join()

    def end(self) -> None:
        """As ``close``, without waiting."""
        with self._changed:
            self._closing.set()
            self._changed.notify_all()

    def _run(self) -> None:
        try:
            while (job := self._next()) is not None:
                if self._step(job):
                    self._take_out(job)
        finally:
            self.end()  # also where this thread ends by a bug: nobody may wait for ever
            for job in self.jobs:
                self._take_out(job)
                self._refuse(job)
            self._at_end()

    def _next(self) -> J | None:
        """The most urgent job; waits for one. None at the end."""
        idle_since = time.monotonic()
        while True:
            with self._changed:
                if self._closing.is_set():
                    return None
                if self._entries:
                    return min(self._entries, key=lambda entry: entry[:2]).job
                limit = self._idle_s()
                left = None if limit is None else idle_since + limit - time.monotonic()
                if left is None or left > 0:
                    self._changed.wait(left)
                    continue
            self._rest()
            idle_since = time.monotonic()

    def _take_out(self, job: J) -> None:
        with self._changed:
            self._entries = [entry for entry in self._entries if entry.job is not job]
