"""Questions of which only the newest counts, and work of which only one runs.

The bridge has few threads, and a look-up on the Hub may hold one for half a minute. A lane never holds more than one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Signal

from app.domain.cancel import CancelToken
from app.domain.errors import Cancelled, ErrorInfo
from ui.bridge import Bridge

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Question:
    function: Callable[[CancelToken], Any]
    on_done: Callable[[Any], object]
    on_error: Callable[[ErrorInfo], object]
    cancel: CancelToken


class Lane(QObject):
    """UI thread. A newer question stops the running one and takes the place of the one that waits."""

    busy_changed = Signal(bool)

    def __init__(self, bridge: Bridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._running: _Question | None = None
        self._waiting: _Question | None = None

    @property
    def busy(self) -> bool:
        return self._running is not None

    def ask(
        self,
        function: Callable[[CancelToken], T],
        on_done: Callable[[T], object],
        on_error: Callable[[ErrorInfo], object],
    ) -> None:
        """Call ``function`` on the bridge's pool, then one of the others on the UI thread, unless it was stopped."""
        question = _Question(function, on_done, on_error, CancelToken())
        if self._running is not None:
            self._running.cancel.cancel()
            self._waiting = question
        else:
            self._run(question)

    def stop(self) -> None:
        """Nobody wants an answer any more."""
        self._waiting = None
        if self._running is not None:
            self._running.cancel.cancel()

    def _run(self, question: _Question) -> None:
        self._running = question
        self.busy_changed.emit(True)
        self._bridge.run(
            partial(_answer, question), partial(self._done, question), partial(self._failed, question), receiver=self
        )

    def _done(self, question: _Question, value: object) -> None:
        self._next()
        if not question.cancel.cancelled:
            question.on_done(value)

    def _failed(self, question: _Question, error: ErrorInfo) -> None:
        self._next()
        if not question.cancel.cancelled:
            question.on_error(error)

    def _next(self) -> None:
        self._running = None
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            self._run(waiting)
        else:
            self.busy_changed.emit(False)


def _answer(question: _Question) -> object:
    """On the pool. A stopped question has an answer too, which nobody gets, so that the lane is free again."""
    try:
        question.cancel.raise_if_cancelled()
        return question.function(question.cancel)
    except Cancelled:
        question.cancel.cancel()
        return None
