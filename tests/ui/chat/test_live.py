"""The answer put together from events equals the answer that is stored."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.errors import ErrorInfo
from app.domain.events import PartDelta, PartFinished, PartStarted, TurnFinished
from app.domain.messages import (
    GenerationStats,
    Message,
    MessageStatus,
    Part,
    ReasoningPart,
    Role,
    StopReason,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    ToolStatus,
)
from ui.chat.live import LiveAnswer


def answer(*parts: Part) -> LiveAnswer:
    return LiveAnswer(Message("a", "c", "q", Role.ASSISTANT, MessageStatus.STREAMING, parts, 0.0))


def test_deltas_grow_the_part_that_they_name() -> None:
    live = answer()
    live.apply(PartStarted("c", "a", 0, ReasoningPart("")))
    for text in ("I ", "think"):
        live.apply(PartDelta("c", "a", 0, text))
    assert live.snapshot().parts == (ReasoningPart("I think"),)
    live.apply(PartFinished("c", "a", 0, ReasoningPart("I think.", 1.5, 3)))
    live.apply(PartStarted("c", "a", 1, TextPart("")))
    live.apply(PartDelta("c", "a", 1, "Yes"))
    assert live.snapshot().parts == (ReasoningPart("I think.", 1.5, 3), TextPart("Yes"))


def test_a_call_grows_by_its_arguments_and_a_result_by_its_text() -> None:
    live = answer()
    live.apply(PartStarted("c", "a", 0, ToolCallPart("k", "calculator", "")))
    live.apply(PartDelta("c", "a", 0, '{"x":1}'))
    live.apply(PartStarted("c", "a", 1, ToolResultPart("k", "calculator", ToolStatus.RUNNING, "")))
    live.apply(PartDelta("c", "a", 1, "4"))
    call, result = live.snapshot().parts
    assert call == ToolCallPart("k", "calculator", '{"x":1}')
    assert isinstance(result, ToolResultPart)
    assert result.result == "4"


def test_a_continued_answer_goes_back_to_the_part_that_starts_again() -> None:
    live = answer(ReasoningPart("old"), TextPart("half an ans"))
    live.apply(PartStarted("c", "a", 0, ReasoningPart("")))
    live.apply(PartDelta("c", "a", 0, "new"))
    assert live.snapshot().parts == (ReasoningPart("new"),)


def test_the_end_seals_it() -> None:
    live = answer(TextPart("x"))
    stats = GenerationStats(generated_tokens=3)
    error = ErrorInfo("engine-died", "It {what}.", "Ask again.", {"what": "died"})
    live.apply(TurnFinished("c", "a", MessageStatus.INTERRUPTED, StopReason.CANCELLED, stats, error))
    sealed = live.snapshot()
    assert (sealed.status, sealed.stop_reason, sealed.stats) == (MessageStatus.INTERRUPTED, StopReason.CANCELLED, stats)
    assert sealed.error == "It died. Ask again."


@settings(max_examples=50)
@given(st.lists(st.lists(st.text(max_size=8), max_size=6), max_size=5), st.data())
def test_whenever_somebody_looks_the_text_is_whole(parts: list[list[str]], data: st.DataObject) -> None:
    live = answer()
    for index, deltas in enumerate(parts):
        live.apply(PartStarted("c", "a", index, TextPart("")))
        for text in deltas:
            live.apply(PartDelta("c", "a", index, text))
            if data.draw(st.booleans()):
                live.snapshot()
    assert live.snapshot().parts == tuple(TextPart("".join(deltas)) for deltas in parts)


@pytest.mark.parametrize("event", [PartDelta("c", "a", 3, "lost"), "nonsense"])
def test_what_does_not_fit_is_left_out(event: object) -> None:
    live = answer(TextPart("x"))
    live.apply(event)
    assert live.snapshot().parts == (TextPart("x"),)
