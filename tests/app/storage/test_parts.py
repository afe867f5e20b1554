"""A growing answer in its rows: only what is new or changed is written, and what is read is what was saved last."""

import dataclasses
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain.messages import (
    GeneratedSpan,
    Message,
    MessageStatus,
    Part,
    ReasoningPart,
    Role,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    ToolStatus,
)
from app.storage.chats.conversations import ConversationStore
from app.storage.chats.processes import ProcessMark

MakeMessage = Callable[..., Message]
Rows = list[tuple[object, ...]]


@pytest.fixture
def answer(store: ConversationStore, make_message: MakeMessage) -> Message:
    """A streaming one that has nothing yet."""
    message = make_message(store.create().id, role=Role.ASSISTANT, status=MessageStatus.STREAMING)
    empty = dataclasses.replace(message, parts=())
    store.add_message(empty)
    return empty


def sealed(message: Message, *parts: Part) -> Message:
    return dataclasses.replace(message, parts=parts, status=MessageStatus.COMPLETE)


def save(store: ConversationStore, message: Message) -> Message:
    """What is stored after a save, which is waited for."""
    store.save_streaming(message)
    store.set_model(message.conversation_id, "behind it in the queue")
    return store.message(message.id)


def with_call(message: Message, number: int) -> Message:
    call = ToolCallPart(f"c{number}", "search", "{}")
    result = ToolResultPart(call.id, call.name, ToolStatus.OK, f"result {number}")
    span = GeneratedSpan(number, f"round {number}", (number,), "v")
    return dataclasses.replace(message, parts=(*message.parts, call, result), spans=(*message.spans, span))


@contextmanager
def written(store: ConversationStore) -> Iterator[list[str]]:
    """The statements that change rows of parts and spans."""
    statements: list[str] = []
    changes = ("INSERT INTO parts", "INSERT INTO spans", "DELETE FROM parts", "DELETE FROM spans")
    connection = store._writer._connection
    connection.set_trace_callback(lambda sql: statements.append(sql) if sql.startswith(changes) else None)
    yield statements
    connection.set_trace_callback(None)


def raw(path: Path, sql: str, *values: object) -> Rows:
    with closing(sqlite3.connect(path)) as connection, connection:
        return connection.execute(sql, values).fetchall()


def test_a_save_writes_what_grew_and_what_came_behind_it(store: ConversationStore, answer: Message) -> None:
    for number in range(300):
        answer = with_call(answer, number)
        assert save(store, answer) == answer
    growing = dataclasses.replace(answer, parts=(*answer.parts, TextPart("so")))
    assert save(store, growing) == growing
    grown = dataclasses.replace(answer, parts=(*answer.parts, TextPart("so it is"), ReasoningPart("hm")))
    with written(store) as statements:
        assert save(store, grown) == grown
    assert len(statements) == 2
    with written(store) as statements:
        assert save(store, dataclasses.replace(grown, model="other")) == dataclasses.replace(grown, model="other")
    assert statements == []
    with written(store) as statements:
        store.seal(sealed(grown, *grown.parts, TextPart("the end")))
    assert len(statements) == 1
    assert store.message(answer.id) == sealed(grown, *grown.parts, TextPart("the end"))


def test_an_answer_that_is_continued_writes_only_what_is_other(store: ConversationStore, answer: Message) -> None:
    for number in range(50):
        answer = with_call(answer, number)
    store.seal(sealed(answer, *answer.parts, TextPart("half"), ReasoningPart("an answer")))
    store.reopen(answer.id)
    begun = store.message(answer.id)
    shorter = dataclasses.replace(begun, parts=(*begun.parts[:-2], TextPart("half of")), spans=begun.spans[:-1])
    with written(store) as statements:
        assert save(store, shorter) == shorter
    assert len(statements) == 3  # a part changed, a part and a span gone
    assert save(store, with_call(shorter, 49)) == with_call(shorter, 49)


def test_parts_of_a_newer_version_are_skipped_but_not_lost(
    store: ConversationStore, answer: Message, chats_db: Path
) -> None:
    known = (TextPart("known"), ReasoningPart("behind"), TextPart("last"))
    store.seal(sealed(answer, *known))
    for moved in ("-1 - 3 * position", "-position"):  # in two steps: no two may be the same meanwhile
        raw(chats_db, f"UPDATE parts SET position = {moved}")
    raw(chats_db, """UPDATE parts SET fields = '{"text":"known","colour":"red"}' WHERE position = 1""")
    newer = [("hologram", '{"depth":3}'), ("text", '{"body":"without its text"}'), ("", '["odd"]'), ("", "{broken")]
    for position, row in zip((0, 3, 6, 8), newer, strict=True):
        raw(chats_db, "INSERT INTO parts SELECT seq, ?, ?, ? FROM messages", position, *row)
    assert store.message(answer.id).parts == known
    store.reopen(answer.id)
    assert save(store, dataclasses.replace(answer, parts=known[:1])).parts == known[:1]
    assert save(store, dataclasses.replace(answer, parts=(known[0], TextPart("other")))).text() == "knownother"
    store.seal(sealed(answer, known[0], TextPart("other and more")))
    rows = raw(chats_db, "SELECT kind, fields FROM parts ORDER BY position")
    assert rows == [
        newer[0],
        ("text", '{"text":"known","colour":"red"}'),
        *newer[1:],
        ("text", '{"text":"other and more"}'),
    ]


@pytest.mark.expect_log("a streaming answer was not saved: .* is full")
def test_a_save_that_failed_is_made_up_for_by_the_next(store: ConversationStore, answer: Message) -> None:
    three = dataclasses.replace(answer, parts=(TextPart("one"), ReasoningPart("two"), TextPart("three")))
    save(store, three)
    connection = store._writer._connection
    connection.execute(f"PRAGMA max_page_count = {connection.execute('PRAGMA page_count').fetchone()[0]}")
    large = GeneratedSpan(0, "x" * 1_000_000, (1,), "v")
    assert save(store, dataclasses.replace(three, parts=three.parts[:1], spans=(large,))) == three
    connection.execute("PRAGMA max_page_count = 100000")
    assert save(store, answer) == answer
    assert save(store, three) == three


def test_an_answer_that_another_process_goes_on_with_is_left_to_it(
    store: ConversationStore, answer: Message, chats_db: Path
) -> None:
    mine = dataclasses.replace(answer, parts=(TextPart("mine"), ReasoningPart("mine")))
    save(store, mine)
    # After a change of the clock it takes us for dead.
    with closing(ConversationStore(chats_db, process=ProcessMark(1, 1.0), alive=lambda mark: False)) as other:
        assert other.recover() == [answer.id]
        other.reopen(answer.id)
        theirs = dataclasses.replace(answer, parts=(TextPart("theirs"), TextPart("all"), TextPart("of it")))
        assert save(other, theirs) == theirs
        assert save(store, dataclasses.replace(mine, parts=(*mine.parts, TextPart("late")))) == theirs
        ended = sealed(mine, *mine.parts, TextPart("the end"))
        store.seal(ended)  # who ends it first has the last word
        assert save(other, dataclasses.replace(theirs, parts=(*theirs.parts, TextPart("late")))) == ended
        with pytest.raises(ValueError, match="sealed already"):
            other.seal(sealed(theirs))


def test_an_answer_that_another_process_ended_goes_on_with_what_that_wrote(
    store: ConversationStore, answer: Message, chats_db: Path
) -> None:
    mine = dataclasses.replace(answer, parts=(TextPart("mine"), ReasoningPart("mine")))
    save(store, mine)
    with closing(ConversationStore(chats_db, process=ProcessMark(1, 1.0), alive=lambda mark: False)) as other:
        other.reopen(answer.id)
        other.seal(sealed(answer, TextPart("theirs"), TextPart("all"), TextPart("of it")))
    store.reopen(answer.id)
    assert save(store, mine) == mine


contents = st.lists(st.sampled_from([TextPart("a"), TextPart("b"), ReasoningPart("a"), ToolCallPart("c", "d", "{}")]))
round_spans = st.lists(st.builds(GeneratedSpan, st.integers(0, 3), st.just("raw"), st.just((1, 2)), st.just("v")))
steps = st.lists(st.tuples(st.sampled_from(["save", "seal", "restart", "newer"]), contents, round_spans), max_size=12)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps)
def test_whatever_is_saved_is_what_is_read(
    chats_db: Path, make_message: MakeMessage, taken: list[tuple[str, list[Part], list[GeneratedSpan]]]
) -> None:
    store = ConversationStore(chats_db)
    empty = make_message(store.create().id, role=Role.ASSISTANT, status=MessageStatus.STREAMING)
    store.add_message(empty)
    newer = 0
    for kind, parts, spans in taken:
        message = dataclasses.replace(empty, parts=tuple(parts), spans=tuple(spans))
        if kind == "newer":  # a newer version added a part of its own, and the answer goes on here
            seq = "(SELECT max(seq) FROM messages)"
            last = f"(SELECT coalesce(max(position), -1) FROM parts WHERE message_seq = {seq})"
            store.seal(dataclasses.replace(message, status=MessageStatus.STOPPED))
            raw(chats_db, f"INSERT INTO parts VALUES ({seq}, {last} + 1, 'hologram', '{{}}')")
            store.reopen(empty.id)
            newer += 1
        if kind == "seal":
            store.seal(dataclasses.replace(message, status=MessageStatus.STOPPED))
            store.reopen(empty.id)
        if kind == "restart":
            store.save_streaming(message)
            store.close()
            store = ConversationStore(chats_db)
        assert save(store, message) == message
    store.close()
    assert raw(chats_db, "SELECT count(*) FROM parts WHERE kind = 'hologram'") == [(newer,)]
    assert raw(chats_db, "DELETE FROM parts") == []
