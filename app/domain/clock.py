"""The real clock; tests hand in their own (``app.domain.protocols.Clock``)."""

import time


class SystemClock:
    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()
