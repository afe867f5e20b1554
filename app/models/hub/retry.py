"""Trying again: which failures pass by themselves, and how long to wait before the next attempt."""

import random
from collections.abc import Callable
from typing import TypeVar

from app.domain.cancel import CancelToken
from app.domain.errors import AppError, ErrorInfo

LONGEST_WAIT_S = 300.0  # a server that asks for more is not waited for
_FIRST_S, _LONGEST_BACK_OFF_S = 1.0, 60.0

Wait = Callable[[float, CancelToken], None]
Notice = Callable[[ErrorInfo], None]
Result = TypeVar("Result")


class Passing(AppError):
    """A failure that may pass: a dropped line, a busy server. ``retry_after``: seconds that the server asked for."""

    def __init__(
        self,
        code: str,
        message: str,
        hint: str = "",
        *,
        detail: str = "",
        retry_after: float | None = None,
        **values: object,
    ) -> None:
        super().__init__(code, message, hint, detail=detail, **values)
        self.retry_after = retry_after


def wait(seconds: float, cancel: CancelToken) -> None:
    """Wait, unless ``cancel`` is or becomes set: then raises Cancelled."""
    cancel.wait(seconds)
    cancel.raise_if_cancelled()


class Patience:
    """Counts the failures in a row of one piece of work and waits between them."""

    def __init__(self, attempts: int, wait: Wait = wait, notice: Notice | None = None) -> None:
        self._attempts = attempts
        self._wait = wait
        self._notice = notice
        self._failures = 0

    def progress(self) -> None:
        """Something arrived: the count starts anew."""
        self._failures = 0

    def failed(self, error: Passing, cancel: CancelToken) -> None:
        """Wait before the next attempt; raises ``error`` when there were enough or the wait would be too long."""
        self._failures += 1
        if self._failures >= self._attempts or (error.retry_after or 0) > LONGEST_WAIT_S:
            raise error
        if self._notice is not None:
            self._notice(error.info)
        self._wait(self._seconds(error), cancel)

    def _seconds(self, error: Passing) -> float:
        if error.retry_after is not None:
            return error.retry_after
        doubled: float = min(_FIRST_S * 2.0 ** (self._failures - 1), _LONGEST_BACK_OFF_S)
        return doubled * random.uniform(0.75, 1.25)  # noqa: S311 - spreads clients out, guards nothing


def with_patience(work: Callable[[], Result], patience: Patience, cancel: CancelToken) -> Result:
    while True:
        cancel.raise_if_cancelled()
        try:
            return work()
        except Passing as error:
            patience.failed(error, cancel)
