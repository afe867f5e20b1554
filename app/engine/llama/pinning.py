"""A core for each thread, where threads compute on all of them.

Threads that spin until the last one arrives must be on different cores. Left to Linux, two of them end up on one core
as soon as another program is busy, and each waits for the other's time slice to end at every operation: a token took a
second instead of 7 ms. On a core each they lose what the other program takes, and no more. Fewer threads than cores are
free to move, away from the cores that others use.
"""

import ctypes
import os
import sys
from collections.abc import Iterable
from typing import Any

from app.engine.llama import bindings
from app.machine.cores import move_to, one_of_each_core

MOST = 512  # GGML_MAX_N_THREADS: processors in a mask


class _Params(ctypes.Structure):
    """``ggml_threadpool_params`` (ggml.h)."""

    _fields_ = [
        ("cpumask", ctypes.c_bool * MOST),
        ("n_threads", ctypes.c_int),
        ("prio", ctypes.c_int),
        ("poll", ctypes.c_uint32),
        ("strict_cpu", ctypes.c_bool),
        ("paused", ctypes.c_bool),
    ]


class Pinning:
    """Says which processors the threads of one context may use. Used by the thread that computes.

    ``possible``: whether all cores can be had, a thread on each.
    """

    def __init__(self, context: Any, cores: int, most: int) -> None:
        """``most``: threads that ever compute."""
        self._context = context
        self._all = cores
        self._allowed: set[int] = set()
        self._pools: tuple[int, int] | None = None
        self._pinned: bool | None = None
        if sys.platform != "linux" or not bindings.has_openmp():  # without OpenMP every pool has threads of its own
            return
        self._allowed = os.sched_getaffinity(0)
        own = one_of_each_core(self._allowed)
        if 1 < len(own) == cores and max(self._allowed) < MOST:
            pinned, free = _pool(own, cores, strict=True), _pool(self._allowed, most, strict=False)
            self._pools = (pinned, free) if pinned and free else None

    @property
    def possible(self) -> bool:
        return self._pools is not None

    def use(self, threads: int) -> None:
        """Before computing with at most so many threads."""
        if self._pools is None or self._pinned is (threads == self._all):
            return
        self._pinned = threads == self._all
        pinned, free = self._pools
        bindings.attach_thread_pool(self._context, pinned if self._pinned else free)
        self.release()  # a single thread computes where it is

    def release(self) -> None:
        """After computing: the calling thread has other work to do, wherever there is room.

        What the process may use can change while it runs; then it is left to the system.
        """
        if self._pools is not None and not move_to(self._allowed):
            bindings.attach_thread_pool(self._context, None)
            self._pools = None


def _pool(processors: Iterable[int], threads: int, *, strict: bool) -> int | None:
    params = _Params(n_threads=threads, poll=50, strict_cpu=strict)
    for processor in processors:
        params.cpumask[processor] = True
    return bindings.new_thread_pool(params)
