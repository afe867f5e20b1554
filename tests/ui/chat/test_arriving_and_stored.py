"""An answer that arrived is shown as the same one read from the store, in the transcript and in the list of calls."""

from collections.abc import Callable
from typing import TypeAlias

from hypothesis import given, settings
from hypothesis import strategies as st

from app.agent.answer import Answer
from app.domain.answers import new_answer
from app.domain.clock import SystemClock
from app.domain.events import Event, TurnFinished
from app.domain.messages import (
    GenerationStats,
    MessageStatus,
    NotePart,
    SourcesPart,
    StopReason,
    ToolCallPart,
    ToolResultPart,
    ToolStatus,
)
from app.domain.sources import Locator, Source
from ui.chat.calls.model import ToolCallModel, entries
from ui.chat.transcript.rows.content import Metrics
from ui.chat.transcript.rows.item import MessageItem

Step: TypeAlias = Callable[[Answer], None]
METRICS = Metrics(width=700, letter=7.0, line=20, code_line=18)
SOURCES = SourcesPart((Source(1, "/d/1.md", Locator(page=1), "text"),))
TEXTS = st.sampled_from(["word ", "[1] ", "\n\n", "# Head\n", "```\ncode [1]\n", "```\n", "- item\n", "| a |\n|---|\n"])


def calls(number: int, *, whole: bool) -> Step:
    call = ToolCallPart(f"k{number}", "look", f'{{"x": {number}}}')

    def step(answer: Answer) -> None:
        if any(isinstance(part, ToolCallPart) and part.id == call.id for part in answer.parts):
            return
        answer.open_call(call.id, call.name)
        answer.call_arguments('{"x"')
        if whole:
            answer.close_call(call)
            answer.add(ToolResultPart(call.id, call.name, ToolStatus.OK, "found", 0.5))

    return step


def goes_back(share: float) -> Step:
    def step(answer: Answer) -> None:
        answer.close_part()
        answer.truncate(int(share * len(answer.parts)))
        answer.add(NotePart("again", "Again."))

    return step


STEPS = st.lists(
    st.one_of(
        TEXTS.map(lambda text: lambda answer: answer.content(text)),
        TEXTS.map(lambda text: lambda answer: answer.reasoning(text)),
        st.builds(calls, st.integers(0, 9), whole=st.booleans()),
        st.just(lambda answer: answer.add(SOURCES)),
        st.floats(0, 1).map(goes_back),
    ),
    max_size=20,
)


@settings(max_examples=150, deadline=None)
@given(STEPS, st.randoms(use_true_random=False))
def test_what_arrived_is_shown_as_what_is_stored(steps: list[Step], random: object) -> None:
    item, model = MessageItem(new_answer("c", "a"), lambda: 0.0), ToolCallModel()

    def watch(event: Event) -> None:
        assert item.apply(event)
        model.apply(event)
        if random.random() < 0.3:  # hypothesis' own Random
            item.update(METRICS)

    answer = Answer(new_answer("c", "a"), watch, SystemClock())
    for step in steps:
        step(answer)
    answer.close_part()
    watch(TurnFinished("c", "a", MessageStatus.COMPLETE, StopReason.STOP, GenerationStats()))
    sealed = answer.snapshot(MessageStatus.COMPLETE, StopReason.STOP, GenerationStats())
    stored = MessageItem(sealed, lambda: 0.0)
    item.update(METRICS)
    stored.update(METRICS)
    assert [segment.content for segment in item.segments] == [segment.content for segment in stored.segments]
    assert item.text() == stored.text()
    assert item.citations == stored.citations
    assert [model.entry(row) for row in range(model.rowCount())] == entries(sealed)
