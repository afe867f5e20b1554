"""From the program's threads to the UI thread: events at most once a frame, results of queries one by one.

Any thread may publish to the mailbox. Its wake-up posts one queued signal; a single-shot timer then drains whatever
has gathered, so at most one Qt event is ever pending, however fast the engine writes. Blocking queries run on a small
pool; their results arrive on the UI thread.
"""

import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot
from shiboken6 import isValid

from app.domain.errors import AppError, Cancelled, ErrorInfo
from app.mailbox import Mailbox

log = logging.getLogger(__name__)

FRAME_MS = 33
LONGEST_MS = 250
SHARE = 8  # the interval is this many times what delivering costs: the UI thread stays below 1/8 busy
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Outcome:
    deliver: Callable[[Any], object] | None
    value: object
    receiver: QObject | None


class Bridge(QObject):
    """Emits ``received`` on the UI thread for every event in the mailbox, and runs queries for the views."""

    received = Signal(object)  # one of app.domain.events
    failed = Signal(object)  # ErrorInfo of a query that nobody handles
    _woken = Signal()
    _finished = Signal(object)

    def __init__(self, mailbox: Mailbox, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._open = True
        self._cost_ms = 0.0
        self._drained = 0.0
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._drain)
        self._pool = ThreadPoolExecutor(max_workers=4, thread_name_prefix="alcove-query")
        self._woken.connect(self._schedule, Qt.ConnectionType.QueuedConnection)
        self._finished.connect(self._deliver, Qt.ConnectionType.QueuedConnection)
        self._inbox = mailbox.subscribe(self._wake)

    def run(
        self,
        function: Callable[[], T],
        on_done: Callable[[T], object] | None = None,
        on_error: Callable[[ErrorInfo], object] | None = None,
        *,
        receiver: QObject | None = None,
    ) -> None:
        """Call ``function`` on the pool, then ``on_done(result)`` or ``on_error(info)`` on the UI thread.

        Nothing is delivered once ``receiver`` is gone; it is found by itself where ``on_done`` is a QObject's method.
        Without ``on_error`` the signal ``failed`` tells of the error.
        """
        if not self._open:
            return
        self._pool.submit(self._work, function, on_done, on_error, receiver or _owner(on_done))

    def close(self) -> None:
        """Stop delivering and join the pool; queries that have not begun are dropped. Idempotent."""
        self._open = False
        self._inbox.close()
        self._timer.stop()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _wake(self) -> None:
        """Any thread."""
        if self._open:
            self._woken.emit()

    @Slot()
    def _schedule(self) -> None:
        if not self._open or self._timer.isActive():
            return
        interval = min(max(SHARE * self._cost_ms, FRAME_MS), LONGEST_MS)
        since = (time.monotonic() - self._drained) * 1000
        self._timer.start(max(0, round(interval - since)))

    @Slot()
    def _drain(self) -> None:
        if not self._open:
            return
        start = time.perf_counter()
        events = list(self._inbox.drain())
        for event in events:
            self.received.emit(event)
        cost = (time.perf_counter() - start) * 1000
        log.debug("a frame took %.1f ms for %d events", cost, len(events))
        self._cost_ms += 0.2 * (cost - self._cost_ms)
        self._drained = time.monotonic()

    def _work(
        self,
        function: Callable[[], T],
        on_done: Callable[[T], object] | None,
        on_error: Callable[[ErrorInfo], object] | None,
        receiver: QObject | None,
    ) -> None:
        """On the pool."""
        try:
            outcome = _Outcome(on_done, function(), receiver)
        except Cancelled:
            return
        except AppError as error:
            outcome = _Outcome(on_error or self.failed.emit, error.info, receiver)
        except Exception as error:  # a bug: it must be seen, but the window lives on
            log.exception("a query of the window failed")
            info = ErrorInfo(
                "internal",
                "Something went wrong inside the program.",
                "You can go on. Please report it.",
                detail=repr(error),
            )
            outcome = _Outcome(on_error or self.failed.emit, info, receiver)
        if self._open:
            self._finished.emit(outcome)

    @Slot(object)
    def _deliver(self, outcome: _Outcome) -> None:
        if not self._open or outcome.deliver is None:
            return
        if outcome.receiver is not None and not isValid(outcome.receiver):
            return
        outcome.deliver(outcome.value)


def _owner(function: Callable[..., object] | None) -> QObject | None:
    owner = getattr(function, "__self__", None)
    return owner if isinstance(owner, QObject) else None
