"""What one rendering of a template may use: steps, characters, time."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from jinja2.exceptions import TemplateError

MAX_SECONDS = 5.0
MAX_STEPS = 2_000_000  # loop steps, calls and operators
MAX_CHARACTERS = 16_000_000  # of one value, and of everything that is put out
MAX_ITEMS = 1_000_000  # of one list
MAX_MADE = 1_500_000_000  # bytes, about, of all values together, kept or not: some templates add to one long text
ITEM = 64  # bytes, about, of a small object


class TooMuch(TemplateError):
    """The template ran into a limit."""


class Budget:
    """What one rendering may still use."""

    def __init__(self, seconds: float = MAX_SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._deadline = clock() + seconds
        self._steps = 0
        self._characters = 0
        self._made = 0

    def step(self, count: int = 1) -> None:
        self._steps += count
        if self._steps > MAX_STEPS:
            raise TooMuch("it takes too many steps")
        if self._steps & 7 == 0 or count > 7:
            self.check_time()

    def check_time(self) -> None:
        if self._clock() > self._deadline:
            raise TooMuch("it takes too long")

    def write(self, characters: int) -> None:
        self._characters += characters
        if self._characters > MAX_CHARACTERS:
            raise TooMuch("it writes too much")
        self.step(1 + characters // 4096)

    def weigh(self, value: Any) -> int:
        """About how many characters ``str(value)`` has; parts that are shared count each time. Stops at the limit."""
        size, stack = 0, [value]
        while stack and size <= MAX_CHARACTERS:
            item = stack.pop()
            size += len(item) + 2 if isinstance(item, str) else 8
            if isinstance(item, Mapping):
                stack += item.keys()
                stack += item.values()
            elif isinstance(item, list | tuple | set):
                stack += item
            self.step()
        return size

    def text(self, value: Any) -> str:
        """``str(value)``, measured before it is made."""
        if isinstance(value, str):
            return value
        self.allow(self.weigh(value))
        return str(value)

    def allow(self, size: int, limit: int = MAX_CHARACTERS) -> None:
        """A value of ``size`` is about to be looked through."""
        if size > limit:
            raise TooMuch("a value in it grows too large")
        self.step(1 + size // 4096)

    def make(self, size: int, limit: int = MAX_CHARACTERS, *, each: int = 1) -> None:
        """A value of ``size`` parts of ``each`` bytes is about to be made."""
        self.allow(size, limit)
        self._made += size * each
        if self._made > MAX_MADE:
            raise TooMuch("it uses too much memory")

    def copy(self, value: str | list[Any] | tuple[Any, ...], size: int | None = None) -> None:
        """A value of the kind of ``value``, and as long unless ``size`` says otherwise, is about to be made."""
        size = len(value) if size is None else size
        if isinstance(value, str):
            self.make(size, each=width(value))
        else:
            self.make(size, MAX_ITEMS, each=8)


def width(text: str) -> int:
    """Bytes that each character of ``text`` takes."""
    return 1 if text.isascii() else min(4, max(1, sys.getsizeof(text) // len(text)))


class Counted:
    """An iterable whose steps are counted."""

    def __init__(self, items: Iterable[Any], budget: Budget) -> None:
        self._items = items
        self._budget = budget

    def __iter__(self) -> Iterator[Any]:
        for item in self._items:
            self._budget.step()
            yield item

    def __len__(self) -> int:
        return len(self._items)  # type: ignore[arg-type]  # Jinja asks, and takes the TypeError for "unknown"
