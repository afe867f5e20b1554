"""How fast an answer comes and how full the context is, told several times a second."""

from app.domain.protocols import Clock
from app.responders.protocol import Rate, Tell

RATE_S = 0.25  # between two looks at the speed


class RateMeter:
    """The first token starts the clock, since reading the prompt is no part of the speed; a short rest at the end has
    no speed of its own."""

    def __init__(self, tell: Tell, clock: Clock, used: int, size: int) -> None:
        """``used`` of ``size`` tokens of the context hold the prompt."""
        self._tell = tell
        self._clock = clock
        self._used = used
        self._size = size
        self._since: float | None = None
        self._tokens = 0
        self._rate = 0.0

    def count(self, tokens: int) -> None:
        self._used += tokens
        if self._since is None:
            self._since = self._clock.monotonic()
            return
        self._tokens += tokens
        if self._clock.monotonic() - self._since >= RATE_S:
            self.tell()

    def tell(self) -> None:
        now = self._clock.monotonic()
        elapsed = now - self._since if self._since is not None else 0.0
        if elapsed >= RATE_S or (elapsed > 0 and not self._rate):
            self._rate, self._since, self._tokens = self._tokens / elapsed, now, 0
        self._tell(Rate(self._rate, self._used, self._size))
