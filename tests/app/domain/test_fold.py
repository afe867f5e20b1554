"""An answer folded from its events is the answer that is stored, whenever somebody looks."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from time import thread_time
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.answers import new_answer
from app.domain.errors import ErrorInfo
from app.domain.events import (
    ApprovalRequested,
    Event,
    PartDelta,
    PartFinished,
    PartStarted,
    PrefillProgress,
    ToolStatusChanged,
    TurnFinished,
    TurnStarted,
)
from app.domain.fold import AnswerFold, ToolCall
from app.domain.messages import (
    GenerationStats,
    MessageStatus,
    NotePart,
    Part,
    ReasoningPart,
    StopReason,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    ToolStatus,
)

CALL = ToolCallPart("k", "calculator", '{"x":1}')
RESULT = ToolResultPart("k", "calculator", ToolStatus.OK, "4", 0.2)


def clock() -> Iterator[float]:
    return map(float, count(100))


def answer(*parts: Part) -> AnswerFold:
    """A growing answer whose clock goes on by a second at every look."""
    return AnswerFold(replace(new_answer("c", "a"), parts=parts), clock().__next__)


def started(index: int, part: Part) -> Event:
    return PartStarted("c", "a", index, part)


def delta(index: int, text: str) -> Event:
    return PartDelta("c", "a", index, text)


def ended(index: int, part: Part) -> Event:
    return PartFinished("c", "a", index, part)


def status(value: ToolStatus, call_id: str = "k") -> Event:
    return ToolStatusChanged("c", "a", call_id, value)


STOPPED = TurnFinished("c", "a", MessageStatus.STOPPED, StopReason.CANCELLED, GenerationStats())
CONTINUED = TurnStarted("c", "q", "a")


def fold(into: AnswerFold, *events: Event) -> AnswerFold:
    for event in events:
        assert into.apply(event)
    return into


def test_deltas_grow_the_part_that_they_name() -> None:
    live = fold(answer(), started(0, ReasoningPart("")), delta(0, "I "), delta(0, "think"))
    assert live.message.parts == (ReasoningPart("I think"),)
    assert live.is_open(0)
    fold(live, ended(0, ReasoningPart("I think.", 1.5, 3)))
    assert not live.is_open(0)
    fold(live, started(1, TextPart("")), delta(1, "Yes"))
    assert live.message.parts == (ReasoningPart("I think.", 1.5, 3), TextPart("Yes"))
    assert (live.length, live.kind(1), live.part(1)) == (2, TextPart, TextPart("Yes"))


def test_a_call_grows_by_its_arguments_and_a_result_by_its_text() -> None:
    live = fold(answer(), started(0, ToolCallPart("k", "calculator", "")), delta(0, '{"x":1}'))
    fold(live, started(1, ToolResultPart("k", "calculator", ToolStatus.RUNNING, "")), delta(1, "4"))
    assert live.message.parts == (CALL, ToolResultPart("k", "calculator", ToolStatus.RUNNING, "4"))


def test_a_continued_answer_goes_back_to_the_part_that_starts_again() -> None:
    live = answer(ReasoningPart("old"), TextPart("half an ans"), CALL)
    fold(live, delta(2, "more"), started(0, ReasoningPart("")), delta(0, "new"))
    assert live.message.parts == (ReasoningPart("new"),)
    assert live.calls() == []


def test_the_end_seals_it() -> None:
    live = answer(TextPart("x"))
    stats = GenerationStats(generated_tokens=3)
    error = ErrorInfo("engine-died", "It {what}.", "Ask again.", {"what": "died"})
    fold(live, TurnFinished("c", "a", MessageStatus.INTERRUPTED, StopReason.CANCELLED, stats, error))
    sealed = live.message
    assert (sealed.status, sealed.stop_reason, sealed.stats) == (MessageStatus.INTERRUPTED, StopReason.CANCELLED, stats)
    assert sealed.error == "It died. Ask again."
    assert not live.streaming


def test_a_stopped_answer_goes_on_where_it_was() -> None:
    live = fold(answer(), started(0, TextPart("")), delta(0, "Half an ans"), STOPPED, CONTINUED, delta(0, "wer."))
    assert live.message.parts == (TextPart("Half an answer."),)
    assert (live.message.status, live.message.stop_reason) == (MessageStatus.STREAMING, None)
    assert live.is_open(0)


@pytest.mark.parametrize(
    "event",
    [
        delta(3, "lost"),
        delta(-1, "lost"),
        delta(2, "lost"),
        started(4, TextPart("lost")),
        ended(4, TextPart("lost")),
        started(-1, TextPart("lost")),
        status(ToolStatus.RUNNING, "unknown"),
        PrefillProgress("c", "a", 1, 2, 0),
        PartDelta("c", "another", 0, "lost"),
        PartStarted("c", "another", 0, TextPart("lost")),
        "nonsense",
    ],
)
def test_what_does_not_fit_is_left_out(event: object) -> None:
    live = answer(TextPart("x"), CALL, NotePart("n", "A note."))
    before = live.message
    assert not live.apply(event)
    assert live.message is before


@pytest.mark.parametrize("event", [delta(0, "late"), started(0, TextPart("late")), ended(0, TextPart("")), STOPPED])
def test_what_comes_after_the_end_is_left_out(event: Event) -> None:
    live = fold(answer(TextPart("x")), delta(0, "y"), STOPPED)
    assert not live.apply(event)
    assert live.message.parts == (TextPart("xy"),)


# Calls


def test_a_call_from_its_first_letter_to_its_result() -> None:
    live = fold(answer(TextPart("So")), started(1, ToolCallPart("k", "calculator", "")), delta(1, '{"x"'))
    assert live.calls() == [ToolCall("k", "calculator", '{"x"', 1)]
    fold(
        live, ended(1, CALL), status(ToolStatus.WAITING), ApprovalRequested("c", "a", "k", "calculator", CALL.arguments)
    )
    asking = ToolCall("k", "calculator", CALL.arguments, 1, ToolStatus.WAITING)
    assert (live.call("k"), live.begun()) == (asking, (asking,))
    fold(live, status(ToolStatus.RUNNING))
    assert live.call("k") == ToolCall("k", "calculator", CALL.arguments, 1, ToolStatus.RUNNING, since=100.0)
    fold(live, started(2, RESULT), ended(2, RESULT))
    ran = ToolCall("k", "calculator", CALL.arguments, 1, ToolStatus.OK, "4", 0.2)
    assert ran.ended
    assert [live.call_at(index) for index in range(3)] == [None, ran, ran]
    assert live.begun() == ()
    assert not live.apply(status(ToolStatus.RUNNING))  # too late


def test_what_was_cut_off_with_its_answer_never_gets_a_result() -> None:
    calls = [ToolCallPart(name, "send", "{") for name in ("ran", "asked", "half")]
    live = answer(*calls)
    fold(live, status(ToolStatus.RUNNING, "ran"), status(ToolStatus.WAITING, "asked"), STOPPED)
    assert [call.status for call in live.calls()] == [
        ToolStatus.CANCELLED,
        ToolStatus.CANCELLED,
        ToolStatus.INCOMPLETE,
    ]
    assert live.begun() == ()
    assert [call.status for call in AnswerFold(live.message).calls()] == [ToolStatus.INCOMPLETE] * 3
    assert [call.status for call in fold(live, CONTINUED).calls()] == [None] * 3


def test_who_comes_later_is_told_what_the_message_does_not_say() -> None:
    live = answer(CALL, RESULT, ToolCallPart("n", "send", "{}"), ToolCallPart("m", "send", "{}"))
    fold(live, status(ToolStatus.RUNNING, "n"), status(ToolStatus.WAITING, "m"))
    later = AnswerFold(live.message, begun=live.begun())
    assert later.calls() == live.calls()
    assert [call.id for call in live.begun()] == ["n", "m"]


def test_a_call_that_is_written_again_has_not_begun() -> None:
    live = fold(answer(CALL), status(ToolStatus.RUNNING), started(0, TextPart("")), started(1, CALL))
    assert live.calls() == [ToolCall("k", "calculator", CALL.arguments, 1)]


# Time


@settings(max_examples=50)
@given(st.lists(st.lists(st.text(max_size=8), max_size=6), max_size=5), st.data())
def test_whenever_somebody_looks_the_text_is_whole(parts: list[list[str]], data: st.DataObject) -> None:
    live = answer()
    for index, deltas in enumerate(parts):
        fold(live, started(index, TextPart("")))
        for number, text in enumerate(deltas, 1):
            fold(live, delta(index, text))
            if data.draw(st.booleans()):
                assert live.part(index) == TextPart("".join(deltas[:number]))
    assert live.message.parts == tuple(TextPart("".join(deltas)) for deltas in parts)


def test_a_delta_costs_the_same_at_the_end_of_a_long_answer_as_at_its_beginning() -> None:
    live = fold(answer(), started(0, TextPart("")))
    costs = []
    for _ in range(10):
        begun = thread_time()
        for _ in range(20_000):
            live.apply(PartDelta("c", "a", 0, "word "))
        costs.append(thread_time() - begun)
    assert min(costs[5:]) < 3 * min(costs[:5])
    assert len(cast("TextPart", live.part(0)).text) == 5 * 200_000
