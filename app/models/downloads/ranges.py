"""Which bytes of a file are there: sorted, disjoint half-open ranges."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import NamedTuple


class Range(NamedTuple):
    """Bytes from ``start`` up to, not including, ``end``."""

    start: int
    end: int


class Ranges:
    """Not thread-safe."""

    def __init__(self, ranges: Iterable[tuple[int, int]] = ()) -> None:
        self._ranges: list[Range] = []
        for start, end in ranges:
            self.add(start, end)

    def add(self, start: int, end: int) -> None:
        if start >= end:
            return
        # The first range that ends at or after the new one's start touches it, or comes after it.
        first = bisect_left(self._ranges, start, key=lambda known: known.end)
        last = first
        while last < len(self._ranges) and self._ranges[last].start <= end:
            last += 1
        if first < last:
            start, end = min(start, self._ranges[first].start), max(end, self._ranges[last - 1].end)
        self._ranges[first:last] = [Range(start, end)]

    @property
    def total(self) -> int:
        return sum(known.end - known.start for known in self._ranges)

    @property
    def prefix(self) -> int:
        """How many bytes there are from the start of the file without a gap."""
        return self._ranges[0].end if self._ranges and self._ranges[0].start == 0 else 0

    def gaps(self, size: int) -> Iterator[Range]:
        """What is missing of a file of ``size`` bytes."""
        at = 0
        for start, end in self._ranges:
            if at < start:
                yield Range(at, start)
            at = end
        if at < size:
            yield Range(at, size)

    def __iter__(self) -> Iterator[Range]:
        return iter(self._ranges)
