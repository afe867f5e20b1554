"""One model is loaded at a time, and a prompt's tokens are those of one model: nobody may load another between."""

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterator

from app.domain.cancel import CancelToken
from app.domain.models import LoadRequest


class ModelGate:
    """Who needs the same model passes together; who needs another one waits, in order of arrival. Any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside: list[LoadRequest] = []
        self._line: deque[object] = deque()

    @contextlib.contextmanager
    def hold(
        self, request: LoadRequest, cancel: CancelToken, waits: Callable[[], None] = lambda: None
    ) -> Iterator[None]:
        """While the engine has to keep the model. ``waits`` is called where somebody else is before. Raises Cancelled
        where ``cancel`` is set before one is inside."""
        self._enter(request, cancel, waits)
        try:
            yield
        finally:
            with self._changed:
                self._inside.remove(request)
                self._changed.notify_all()

    def _enter(self, request: LoadRequest, cancel: CancelToken, waits: Callable[[], None]) -> None:
        ticket = object()

        def may() -> bool:
            return self._line[0] is ticket and all(other == request for other in self._inside)

        with self._changed:
            self._line.append(ticket)
            free = may()
        if not free:
            waits()
        forget = cancel.on_cancel(self._wake)
        try:
            with self._changed:
                self._changed.wait_for(lambda: cancel.cancelled or may())
                cancel.raise_if_cancelled()
                self._inside.append(request)
        finally:
            forget()
            with self._changed:
                self._line.remove(ticket)
                self._changed.notify_all()

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()
