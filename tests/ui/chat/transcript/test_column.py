"""Heights and positions."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from app.domain.messages import Message, TextPart
from ui.chat.transcript.rows.column import Column, Position, _Sums
from ui.chat.transcript.rows.content import Metrics
from ui.chat.transcript.rows.item import MessageItem


@given(st.lists(st.integers(1, 50), max_size=40), st.lists(st.integers(1, 50), max_size=10), st.data())
def test_running_sums(values: list[int], more: list[int], data: st.DataObject) -> None:
    sums = _Sums(values)
    for value in more:
        sums.append(value)
    values = values + more
    for _ in range(3):
        if values:
            index = data.draw(st.integers(0, len(values) - 1))
            values[index] = data.draw(st.integers(1, 50))
            sums.set(index, values[index])
    assert sums.total == sum(values)
    assert [sums.before(i) for i in range(len(values) + 1)] == [sum(values[:i]) for i in range(len(values) + 1)]
    for y in range(sum(values)):
        assert sums.before(sums.find(y)) <= y < sums.before(sums.find(y) + 1)


def test_at_and_offset_agree(make_answer: Callable[..., Message]) -> None:
    column = Column(Metrics(700, 7.0, 24, 18))
    text = "\n\n".join(["# Heading", "words " * 900, "```py\nx = 1\n```", "| a |\n|---|\n| b |"])
    column.replace(MessageItem(make_answer(f"m{i}", TextPart(text)), lambda: 0.0) for i in range(5))
    position: Position | None = column.last()
    while position is not None:
        found, below = column.at(column.offset(position) + 1)
        assert (found, below) == (position, 1)
        position = column.previous(position)
