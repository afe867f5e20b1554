"""Whoever folds the events of an answer has, after each of them, what the answer itself would store."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from hypothesis import given, settings
from hypothesis import strategies as st

from app.agent.answer import Answer
from app.domain.answers import new_answer
from app.domain.events import Event, TurnFinished, TurnStarted
from app.domain.fold import AnswerFold
from app.domain.ids import new_id
from app.domain.messages import (
    GenerationStats,
    Message,
    MessageStatus,
    NotePart,
    Part,
    ReasoningPart,
    Role,
    SourcesPart,
    StopReason,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    ToolStatus,
)
from app.domain.sources import Locator, Source
from app.mailbox import Mailbox
from app.storage.chats.conversations import ConversationStore

Step: TypeAlias = Callable[[Answer], None]
SOURCES = SourcesPart(tuple(Source(n, f"/d/{n}.md", Locator(page=n), f"text {n}") for n in (1, 2)))
TEXTS = st.text(max_size=6) | st.sampled_from(["", "\n", " ", "[1]", "[1, 2]", "word"])


class Clock:
    seconds = 0.0

    def now(self) -> float:
        return self.seconds

    def monotonic(self) -> float:
        self.seconds += 0.25
        return self.seconds


def writes(name: str, *values: object) -> Step:
    def step(answer: Answer) -> None:
        answer.tokens += 1
        getattr(answer, name)(*values)

    return step


def goes_back(share: float) -> Step:
    """Takes up again what was broken off: the next part has an index that was there before."""

    def step(answer: Answer) -> None:
        answer.close_part()
        answer.truncate(int(share * len(answer.parts)))
        answer.add(NotePart("again", "Again."))

    return step


def gets_result(number: int) -> Step:
    def step(answer: Answer) -> None:
        calls = [part for part in answer.parts if isinstance(part, ToolCallPart)]
        if calls:
            call = calls[number % len(calls)]
            answer.add(ToolResultPart(call.id, call.name, ToolStatus.OK, "found", 0.5))

    return step


CALL_IDS = st.sampled_from(["k1", "k2", "k3"])
STEPS = st.lists(
    st.one_of(
        TEXTS.map(lambda text: writes("reasoning", text)),
        TEXTS.map(lambda text: writes("content", text)),
        CALL_IDS.map(lambda call: writes("open_call", call, "look")),
        TEXTS.map(lambda text: writes("call_arguments", text)),
        CALL_IDS.map(lambda call: writes("close_call", ToolCallPart(call, "look", '{"x": 1}'))),
        CALL_IDS.map(lambda call: writes("break_call", call, "look")),
        st.integers(0, 2).map(gets_result),
        st.just(writes("add", SOURCES)),
        st.just(writes("close_part")),
        st.floats(0, 1).map(goes_back),
    ),
    max_size=25,
)


def told(message: Message) -> tuple[Part, ...]:
    """The parts without how long an unfinished thought took so far, which no event tells."""
    *before, last = message.parts or (TextPart(""),)
    return (*before, replace(last, seconds=None, tokens=None) if isinstance(last, ReasoningPart) else last)


@settings(max_examples=200, deadline=None)
@given(STEPS)
def test_after_every_event_a_watcher_has_what_would_be_stored(steps: list[Step]) -> None:
    message = new_answer("c", "a")
    watcher = AnswerFold(message)

    def watch(event: Event) -> None:
        assert watcher.apply(event)
        assert told(watcher.message) == told(answer.snapshot())

    answer = Answer(message, watch, Clock())
    for step in steps:
        step(answer)
    answer.close_part()
    assert watcher.message == answer.snapshot()
    assert watcher.message.parts == answer.parts


@settings(max_examples=100, deadline=None)
@given(STEPS, st.data())
def test_who_comes_later_and_who_reads_slowly_has_the_same(steps: list[Step], data: st.DataObject) -> None:
    mailbox = Mailbox()
    slow, inbox = AnswerFold(new_answer("c", "a")), mailbox.subscribe()
    later: list[tuple[AnswerFold, Callable[[], list[Event]]]] = []
    answer = Answer(new_answer("c", "a"), mailbox.publish, Clock())
    for step in steps:
        step(answer)
        if data.draw(st.booleans()):
            later.append((AnswerFold(answer.snapshot()), mailbox.subscribe().drain))
        if data.draw(st.booleans()):
            for event in inbox.drain():
                assert slow.apply(event)
    answer.close_part()
    for reader, drain in ((slow, inbox.drain), *later):
        for event in drain():
            assert reader.apply(event)
        assert reader.message.parts == answer.parts


def test_the_store_gives_back_what_was_folded(tmp_path: Path) -> None:
    store = ConversationStore(tmp_path / "chats.db")
    conversation = store.create()
    question = Message(new_id(), conversation.id, None, Role.USER, MessageStatus.COMPLETE, (TextPart("?"),), 1.0)
    store.add_message(question)

    @settings(max_examples=40, deadline=None)
    @given(STEPS, STEPS)
    def check(first: list[Step], second: list[Step]) -> None:
        message = new_answer(conversation.id, new_id(), question.id, 2.0)
        store.add_message(message)
        watcher = AnswerFold(message)
        for steps in (first, second):  # stopped, then continued
            watcher.apply(TurnStarted(conversation.id, question.id, message.id))
            answer = Answer(store.message(message.id), watcher.apply, Clock())
            for step in steps:
                step(answer)
                store.save_streaming(answer.snapshot())
            answer.close_part()
            stats = GenerationStats(generated_tokens=answer.tokens)
            store.seal(answer.snapshot(MessageStatus.STOPPED, StopReason.CANCELLED, stats))
            watcher.apply(TurnFinished(conversation.id, message.id, MessageStatus.STOPPED, StopReason.CANCELLED, stats))
            assert store.message(message.id) == watcher.message
            store.reopen(message.id)

    try:
        check()
    finally:
        store.close()
