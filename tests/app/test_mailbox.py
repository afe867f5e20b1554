import threading
import time
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.events import (
    ConversationChanged,
    Event,
    IndexProgress,
    ModelLoading,
    PartDelta,
    PartFinished,
    PartStarted,
    PrefillProgress,
    TokenRate,
    TurnStarted,
)
from app.domain.messages import TextPart
from app.mailbox import Mailbox, Subscription

Script = list[tuple[Any, int, str, str, bool]]


def delta(text: str, index: int = 0, answer: str = "a") -> PartDelta:
    return PartDelta("c", answer, index, text)


def started(index: int = 0, answer: str = "a") -> PartStarted:
    return PartStarted("c", answer, index, TextPart(""))


def finished(index: int = 0, answer: str = "a") -> PartFinished:
    return PartFinished("c", answer, index, TextPart("x"))


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def inbox(mailbox: Mailbox) -> Subscription:
    return mailbox.subscribe()


def published(*events: Event) -> list[Event]:
    mailbox = Mailbox()
    inbox = mailbox.subscribe()
    for event in events:
        mailbox.publish(event)
    return inbox.drain()


def test_deltas_of_one_part_merge() -> None:
    assert published(started(), delta("a"), delta("b"), delta("c")) == [started(), delta("abc")]


def test_deltas_of_two_answers_merge_each_by_itself() -> None:
    events = [delta("1"), delta("x", answer="b"), delta("2"), delta("y", answer="b")]
    assert published(*events) == [delta("12"), delta("xy", answer="b")]


def test_a_delta_never_moves_past_another_event_of_its_answer() -> None:
    events: list[Event] = [delta("a"), finished(), started(1), delta("b", 1), delta("c", 0), delta("d", 1)]
    assert published(*events) == events


def test_progress_is_replaced_by_the_newest_of_the_same_ids() -> None:
    events: list[Event] = [
        PrefillProgress("c", "a", 1, 9, 0),
        PrefillProgress("c", "b", 2, 9, 0),
        ModelLoading("/m", "m", 0.1),
        IndexProgress(1, 5),
        TokenRate("c", "a", 1.0, 1, 2),
        PrefillProgress("c", "a", 3, 9, 0),
        ModelLoading("/m", "m", 0.2),
        ModelLoading("/n", "n", 0.5),
        IndexProgress(2, 5),
        TokenRate("c", "a", 2.0, 1, 2),
    ]
    assert published(*events) == [events[i] for i in (1, 5, 6, 7, 8, 9)]


def test_other_events_all_arrive_even_when_they_are_equal() -> None:
    events: list[Event] = [ConversationChanged("c"), ConversationChanged("c"), TurnStarted("c", "u", "a")]
    assert published(*events) == events


def test_wake_is_called_once_until_the_next_drain(mailbox: Mailbox) -> None:
    woken: list[int] = []
    inbox = mailbox.subscribe(lambda: woken.append(1))
    for _ in range(5):
        mailbox.publish(delta("x"))
        mailbox.publish(IndexProgress(1, 2))
    assert len(woken) == 1
    inbox.drain()
    assert inbox.drain() == []
    mailbox.publish(delta("x"))
    assert len(woken) == 2


def test_every_subscriber_gets_its_own_copy_until_it_closes(mailbox: Mailbox) -> None:
    woken: list[int] = []
    mailbox.publish(delta("before"))
    one, other = mailbox.subscribe(), mailbox.subscribe(lambda: woken.append(1))
    mailbox.publish(delta("x"))
    assert one.drain() == other.drain() == [delta("x")]
    other.close()
    other.close()
    mailbox.publish(delta("y"))
    assert one.drain() == [delta("y")]
    assert other.drain() == []
    assert woken == [1]


def test_wait_returns_what_comes_from_another_thread(mailbox: Mailbox, inbox: Subscription) -> None:
    assert inbox.wait(0) == []
    thread = threading.Thread(target=mailbox.publish, args=(delta("x"),))
    thread.start()
    assert inbox.wait(10) == [delta("x")]
    thread.join()


def test_nothing_is_lost_between_many_threads(mailbox: Mailbox, inbox: Subscription) -> None:

    def write(answer: str) -> None:
        for n in range(500):
            mailbox.publish(delta(f"{n},", answer=answer))

    threads = [threading.Thread(target=write, args=(str(n),)) for n in range(4)]
    for thread in threads:
        thread.start()
    texts = dict.fromkeys("0123", "")
    whole = "".join(f"{n}," for n in range(500))
    while any(text != whole for text in texts.values()):
        for event in inbox.wait(10):
            assert isinstance(event, PartDelta)
            texts[event.answer_id] += event.text
            assert whole.startswith(texts[event.answer_id])
    for thread in threads:
        thread.join()


def test_a_long_answer_that_nobody_drains_costs_linear_time() -> None:
    def cost(n: int) -> float:
        mailbox = Mailbox()
        inbox = mailbox.subscribe()
        begin = time.process_time()
        for _ in range(n):
            mailbox.publish(delta("word "))
        assert inbox.drain() == [delta("word " * n)]
        return time.process_time() - begin

    cost(1000)
    assert min(cost(40_000) for _ in range(3)) < 40 * min(cost(4_000) for _ in range(3))


kinds = st.sampled_from([delta, started, finished, lambda *_: TokenRate("c", "a", 1.0, 1, 2)])
events = st.lists(
    st.tuples(kinds, st.integers(0, 2), st.sampled_from("ab"), st.text(max_size=2), st.booleans()), max_size=40
)


@given(events)
def test_what_a_reader_builds_is_the_same_however_often_it_drains(script: Script) -> None:
    """Folding the events of an answer gives the same with a drain after each event as with few drains."""

    def fold(received: Iterable[Event]) -> dict[str, list[tuple[Any, Any]]]:
        state: dict[str, list[tuple[Any, Any]]] = {}
        for event in received:
            match event:
                case PartDelta():
                    log = state.setdefault(event.answer_id, [])
                    if log and log[-1][0] == ("delta", event.index):
                        log[-1] = (log[-1][0], log[-1][1] + event.text)
                    else:
                        log.append((("delta", event.index), event.text))
                case PartStarted() | PartFinished():
                    state.setdefault(event.answer_id, []).append((type(event), event.index))
        return state

    mailbox = Mailbox()
    every: list[Event] = []
    few: list[Event] = []
    inbox = mailbox.subscribe()
    for make, index, answer, text, drain in script:
        event = make(text, index, answer) if make is delta else make(index, answer)
        every.append(event)
        mailbox.publish(event)
        if drain:
            few += inbox.drain()
    few += inbox.drain()
    assert fold(few) == fold(every)


def test_a_wake_that_drains_at_once_is_fine(mailbox: Mailbox) -> None:
    received: list[Event] = []

    def wake() -> None:
        received.extend(reader.drain())

    reader = mailbox.subscribe(wake)
    mailbox.publish(delta("x"))
    mailbox.publish(delta("y"))
    assert received == [delta("x"), delta("y")]
