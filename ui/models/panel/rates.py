"""The speed of one answer while it is written, bounded however long it gets."""

from statistics import median
from typing import NamedTuple

MOST = 240  # points; a minute at four a second, then each stands for twice the time


class Spread(NamedTuple):
    least: float
    middle: float
    most: float


class Rates:
    """Tokens a second, one measurement for each equal stretch of time. When there are too many, pairs become one."""

    def __init__(self) -> None:
        self.points: list[float] = []
        self._each = 1  # measurements behind a point
        self._sum = 0.0
        self._count = 0

    def add(self, rate: float) -> None:
        if rate <= 0:
            return
        self._sum += rate
        self._count += 1
        if self._count < self._each:
            return
        self.points.append(self._sum / self._count)
        self._sum, self._count = 0.0, 0
        if len(self.points) >= MOST:
            pairs = zip(self.points[::2], self.points[1::2], strict=True)
            self.points = [(first + second) / 2 for first, second in pairs]
            self._each *= 2

    def spread(self) -> Spread | None:
        """Of all points; None before the first one."""
        return Spread(min(self.points), median(self.points), max(self.points)) if self.points else None
