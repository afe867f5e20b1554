"""Where the rows of a conversation stand: heights, most of them estimated, and positions. No Qt in here."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from ui.chat.transcript.rows.content import Metrics
from ui.chat.transcript.rows.item import MessageItem
from ui.chat.transcript.rows.segment import Segment

TOP_MARGIN = 8  # px above the first message, besides its own gap
BOTTOM_MARGIN = 24


class Position(NamedTuple):
    """A row: index of its message, index within the message."""

    item: int
    row: int


class Placed(NamedTuple):
    """A row on the screen: ``y`` of its box in px from the top of the view; the box begins with ``gap`` empty px."""

    position: Position
    segment: Segment
    y: int
    gap: int

    @property
    def bottom(self) -> int:
        return self.y + self.gap + self.segment.height


Measure = Callable[[Segment], int]


class Column:
    """The messages of a conversation, from top to bottom. Rows of a message are made when it is first walked over."""

    def __init__(self, metrics: Metrics) -> None:
        self.items: list[MessageItem] = []
        self._metrics = metrics
        self._heights = _Sums()

    def replace(self, items: Iterable[MessageItem]) -> None:
        self.items = list(items)
        self._heights = _Sums(item.estimated_height(self._metrics) for item in self.items)

    def append(self, item: MessageItem) -> None:
        self.items.append(item)
        self._heights.append(item.estimated_height(self._metrics))

    def set_metrics(self, metrics: Metrics) -> None:
        """The column became wider or narrower: every height is an estimate again."""
        scale = self._metrics.width / metrics.width
        self._metrics = metrics
        heights = []
        for item in self.items:
            for segment in item.segments:
                segment.width = 0
                segment.height = max(20, round(segment.height * scale))
            heights.append(item.height() if item.built else item.estimated_height(metrics))
        self._heights = _Sums(heights)

    @property
    def total(self) -> int:
        return TOP_MARGIN + self._heights.total + BOTTOM_MARGIN

    def refresh(self, index: int) -> None:
        """The message's content changed."""
        item = self.items[index]
        item.update(self._metrics)
        self._heights.set(index, item.height())

    def clamp(self, position: Position) -> Position:
        item = min(max(0, position.item), len(self.items) - 1)
        self._make(item)
        return Position(item, min(max(0, position.row), len(self.items[item].segments) - 1))

    def offset(self, position: Position) -> int:
        """px from the top of the content to the row's box."""
        before = self.items[position.item].segments[: position.row]
        gap = self.items[position.item].top_gap if position.row else 0
        return TOP_MARGIN + self._heights.before(position.item) + gap + sum(s.gap + s.height for s in before)

    def at(self, y: int) -> tuple[Position, int]:
        """The row at ``y`` px from the top of the content, and how far ``y`` is below the top of its box."""
        index = min(self._heights.find(y - TOP_MARGIN), len(self.items) - 1)
        self._make(index)
        rest = y - TOP_MARGIN - self._heights.before(index)
        segments = self.items[index].segments
        for row in range(len(segments)):
            box = self._gap(Position(index, row)) + segments[row].height
            if rest < box or row == len(segments) - 1:
                return Position(index, row), min(rest, box)
            rest -= box
        raise AssertionError("a message has at least one row")

    def first(self) -> Position:
        return self.clamp(Position(0, 0))

    def last(self) -> Position:
        item = len(self.items) - 1
        self._make(item)
        return Position(item, len(self.items[item].segments) - 1)

    def down(self, position: Position, y: int, limit: int, measure: Measure) -> list[Placed]:
        """Rows from ``position``, whose box stands at ``y``, down to ``limit`` px."""
        placed = []
        following: Position | None = position
        while following is not None and y < limit:
            row = self._place(following, y, measure)
            placed.append(row)
            y = row.bottom
            following = self.next(following)
        return placed

    def up(self, position: Position, bottom: int, limit: int, measure: Measure) -> list[Placed]:
        """Rows that end with ``position``, whose lower edge stands at ``bottom``, up to ``limit`` px; top first."""
        placed = []
        previous: Position | None = position
        while previous is not None and bottom > limit:
            row = self._place(previous, 0, measure)
            row = row._replace(y=bottom - row.bottom)
            placed.append(row)
            bottom = row.y
            previous = self.previous(previous)
        return placed[::-1]

    def previous(self, position: Position) -> Position | None:
        if position.row > 0:
            return Position(position.item, position.row - 1)
        if position.item == 0:
            return None
        self._make(position.item - 1)
        return Position(position.item - 1, len(self.items[position.item - 1].segments) - 1)

    def next(self, position: Position) -> Position | None:
        if position.row + 1 < len(self.items[position.item].segments):
            return Position(position.item, position.row + 1)
        if position.item + 1 == len(self.items):
            return None
        self._make(position.item + 1)
        return Position(position.item + 1, 0)

    def _place(self, position: Position, y: int, measure: Measure) -> Placed:
        segment = self.items[position.item].segments[position.row]
        before = segment.height
        segment.height = measure(segment)
        if segment.height != before:
            self._heights.add(position.item, segment.height - before)
        return Placed(position, segment, y, self._gap(position))

    def _gap(self, position: Position) -> int:
        item = self.items[position.item]
        gap = item.segments[position.row].gap
        return gap + item.top_gap if position.row == 0 else gap

    def _make(self, index: int) -> None:
        if not self.items[index].built:
            self.refresh(index)


class _Sums:
    """Numbers with their running sums (a Fenwick tree): everything in logarithmic time."""

    def __init__(self, values: Iterable[int] = ()) -> None:
        self._values = list(values)
        self._tree = [0, *self._values]
        self.total = sum(self._values)
        for i in range(1, len(self._tree)):
            parent = i + (i & -i)
            if parent < len(self._tree):
                self._tree[parent] += self._tree[i]

    def append(self, value: int) -> None:
        i = len(self._tree)
        self._tree.append(value + self.before(i - 1) - self.before(i - (i & -i)))
        self._values.append(value)
        self.total += value

    def set(self, index: int, value: int) -> None:
        self.add(index, value - self._values[index])

    def add(self, index: int, change: int) -> None:
        self._values[index] += change
        self.total += change
        i = index + 1
        while i < len(self._tree):
            self._tree[i] += change
            i += i & -i

    def before(self, index: int) -> int:
        """Sum of the first ``index`` numbers."""
        total = 0
        while index > 0:
            total += self._tree[index]
            index -= index & -index
        return total

    def find(self, value: int) -> int:
        """The index whose number reaches over ``value``, as running sums go; the length when none does."""
        position = 0
        step = 1 << len(self._values).bit_length()
        while step:
            following = position + step
            if following < len(self._tree) and self._tree[following] <= value:
                position = following
                value -= self._tree[following]
            step >>= 1
        return position
