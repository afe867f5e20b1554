import dataclasses
import itertools
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain.errors import AppError
from app.domain.messages import (
    AttachmentPart,
    Change,
    CitationPart,
    GeneratedSpan,
    GenerationStats,
    Message,
    MessageStatus,
    NotePart,
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
from app.storage.chats.conversations import ConversationStore
from app.storage.chats.processes import ProcessMark

MakeMessage = Callable[..., Message]
Edits = list[tuple[str, int]]

EVERY_PART = (
    ReasoningPart("because", 1.5, 7),
    ToolCallPart("c1", "calculator", '{"expression": "1+1" }'),
    ToolResultPart("c1", "calculator", ToolStatus.OK, "2", 0.25),
    AttachmentPart("/tmp/\udce4.txt", "ä.txt", 12),
    SourcesPart((Source(1, "/a.pdf", Locator(page=3), "passage"), Source(2, "/b.md", Locator(heading="H"), ""))),
    TextPart("half \ud800 pair, NUL \0, 漢字 [1]"),
    CitationPart(1, "/a.pdf", Locator(page=3, line_start=1, line_end=2), "passage"),
    NotePart("malformed-call", "A call could not be read."),
)


def streaming(message: Message) -> Message:
    return dataclasses.replace(message, role=Role.ASSISTANT, status=MessageStatus.STREAMING)


def sealed(message: Message, text: str, status: MessageStatus = MessageStatus.COMPLETE, **values: Any) -> Message:
    return dataclasses.replace(message, parts=(TextPart(text),), status=status, **values)


def test_a_conversation_comes_back_as_it_was_made(store: ConversationStore) -> None:
    made = store.create(title="Trees", documents=["/docs", "/odd \udce4"], model="tiny")
    assert store.conversation(made.id) == made
    assert store.conversations() == [made]


def test_every_kind_of_part_and_the_spans_come_back(
    store: ConversationStore, chats_db: Path, make_message: MakeMessage
) -> None:
    conversation = store.create()
    message = make_message(
        conversation.id,
        None,
        *EVERY_PART,
        role=Role.ASSISTANT,
        model="tiny",
        stop_reason=StopReason.LENGTH,
        stats=GenerationStats(10, 4, 3, 0.5, 0.25, 0.125, again_tokens=2, again_because=Change.TOOLS),
        error="It broke.",
        spans=(GeneratedSpan(0, "<think>because", (0, 1, 2**32 - 1), "v1"), GeneratedSpan(1, "", (), "v1")),
    )
    store.add_message(message)
    assert store.message(message.id) == message
    store.close()
    with closing(ConversationStore(chats_db)) as again:
        assert again.messages(conversation.id) == [message]


def test_unknown_ids_are_said_in_one_sentence(store: ConversationStore, make_message: MakeMessage) -> None:
    known = store.create()
    for call in (store.conversation, store.delete, store.restore, store.messages):
        with pytest.raises(AppError, match="no conversation nope") as caught:
            call("nope")
        assert caught.value.code == "conversation-not-found"
    for reach in (store.message, store.history, store.siblings, store.reopen):
        with pytest.raises(AppError) as caught:
            reach("nope")
        assert caught.value.code == "message-not-found"
    with pytest.raises(AppError):
        store.add_message(make_message("nope"))
    with pytest.raises(AppError):
        store.add_message(make_message(known.id, "nope"))
    assert store.messages(known.id) == []


def test_a_parent_or_leaf_in_another_conversation_is_refused(
    store: ConversationStore, make_message: MakeMessage
) -> None:
    one, other = store.create(), store.create()
    message = make_message(one.id)
    store.add_message(message)
    with pytest.raises(AppError):
        store.add_message(make_message(other.id, message.id))
    with pytest.raises(AppError):
        store.set_active_leaf(other.id, message.id)


def test_titles_of_a_person_are_not_replaced_by_automatic_ones(store: ConversationStore) -> None:
    conversation = store.create()
    store.rename(conversation.id, "Automatic", by_person=False)
    assert store.conversation(conversation.id).title == "Automatic"
    store.rename(conversation.id, "Mine")
    store.rename(conversation.id, "Automatic again", by_person=False)
    found = store.conversation(conversation.id)
    assert (found.title, found.titled_by_person) == ("Mine", True)


def test_documents_model_and_leaf_are_kept(store: ConversationStore, make_message: MakeMessage) -> None:
    conversation = store.create()
    message = make_message(conversation.id)
    store.add_message(message, activate=False)
    assert store.conversation(conversation.id).active_leaf is None
    store.set_active_leaf(conversation.id, message.id)
    store.set_documents(conversation.id, ["/a"])
    store.set_model(conversation.id, "other")
    found = store.conversation(conversation.id)
    assert (found.active_leaf, found.documents, found.model) == (message.id, ("/a",), "other")


def test_the_list_is_newest_first_by_last_message(chats_db: Path, make_message: MakeMessage) -> None:
    ticks = itertools.count(100.0)
    with closing(ConversationStore(chats_db, now=lambda: next(ticks))) as store:
        first, second = store.create(), store.create()
        assert [c.id for c in store.conversations()] == [second.id, first.id]
        store.add_message(make_message(first.id))
        assert [c.id for c in store.conversations()] == [first.id, second.id]


def test_deleting_is_soft_until_purged(chats_db: Path, make_message: MakeMessage) -> None:
    now = [100.0]
    with closing(ConversationStore(chats_db, now=lambda: now[0])) as store:
        conversation = store.create(title="Pomegranate")
        parent = ""
        for _ in range(1010):  # deeper than SQLite's limit for cascades
            message = make_message(conversation.id, parent or None, text="quince")
            store.add_message(message)
            parent = message.id
        store.delete(conversation.id)
        now[0] = 200.0
        store.delete(conversation.id)  # again: the first time counts
        assert store.conversations() == []
        assert store.search("quince") == store.search("pomegranate") == []
        store.purge_deleted(before=100.0)
        store.restore(conversation.id)
        assert [c.id for c in store.conversations()] == [conversation.id]
        assert len(store.history(parent)) == 1010
        store.delete(conversation.id)
        store.purge_deleted(before=201.0)
        with pytest.raises(AppError):
            store.restore(conversation.id)
    with closing(sqlite3.connect(chats_db)) as raw:
        for table in ("conversations", "messages", "parts", "spans", "message_index", "title_index"):
            assert raw.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)


def test_a_streaming_answer_is_saved_then_sealed(store: ConversationStore, make_message: MakeMessage) -> None:
    conversation = store.create()
    answer = streaming(make_message(conversation.id))
    store.add_message(answer)
    span = GeneratedSpan(0, "one", (1, 2), "v")
    store.save_streaming(dataclasses.replace(answer, parts=(TextPart("one"),), spans=(span,)))
    store.set_model(conversation.id, "after it in the queue")
    assert store.message(answer.id).text() == "one"
    assert store.message(answer.id).spans == (span,)
    final = sealed(answer, "one two", spans=(span,), stop_reason=StopReason.STOP)
    store.seal(final)
    store.save_streaming(dataclasses.replace(answer, parts=(TextPart("late"),)))
    store.set_model(conversation.id, "")
    assert store.message(answer.id) == final
    with pytest.raises(ValueError, match="sealed already"):
        store.seal(final)


def test_waiting_saves_of_one_message_become_one(
    store: ConversationStore, make_message: MakeMessage, chats_db: Path
) -> None:
    conversation = store.create()
    answer, other = streaming(make_message(conversation.id)), streaming(make_message(conversation.id))
    store.add_message(answer)
    store.add_message(other)
    with closing(sqlite3.connect(chats_db, isolation_level=None)) as blocker:
        blocker.execute("BEGIN IMMEDIATE")  # the store thread waits for us
        for n in range(1000):
            store.save_streaming(sealed(answer, f"save {n}", MessageStatus.STREAMING))
            store.save_streaming(sealed(other, f"other {n}", MessageStatus.STREAMING))
        blocker.execute("ROLLBACK")
    written: list[str] = []
    store._writer._connection.set_trace_callback(written.append)
    store.seal(sealed(answer, "the end"))
    store.set_model(conversation.id, "")
    assert store.message(answer.id).text() == "the end"
    assert store.message(other.id).text() == "other 999"
    assert sum(sql.startswith("INSERT INTO parts") for sql in written) <= 4


def test_saving_an_unknown_message_is_ignored(store: ConversationStore, make_message: MakeMessage) -> None:
    store.save_streaming(make_message("nope"))
    assert store.conversations() == []


def test_an_ended_answer_can_be_reopened_and_continued(store: ConversationStore, make_message: MakeMessage) -> None:
    conversation = store.create()
    answer = streaming(make_message(conversation.id))
    store.add_message(answer)
    with pytest.raises(AppError) as caught:
        store.reopen(answer.id)
    assert caught.value.code == "answer-busy"
    store.seal(sealed(answer, "half", MessageStatus.STOPPED, stop_reason=StopReason.CANCELLED, error="x"))
    store.reopen(answer.id)
    reopened = store.message(answer.id)
    assert (reopened.status, reopened.stop_reason, reopened.error) == (MessageStatus.STREAMING, None, "")
    store.seal(sealed(answer, "half and whole"))
    assert [c.id for c, _ in store.search("whole")] == [conversation.id]


def test_only_answers_of_dead_processes_are_recovered(chats_db: Path, make_message: MakeMessage) -> None:
    dead, living = ProcessMark(1, 1.0), ProcessMark(2, 2.0)
    ids = {}
    for process in (dead, living):
        with closing(ConversationStore(chats_db, process=process)) as store:
            answer = streaming(make_message(store.create().id))
            store.add_message(answer)
            store.save_streaming(dataclasses.replace(answer, parts=(TextPart("partial persimmon"),)))
            ids[process] = answer.id
    with closing(ConversationStore(chats_db, alive=lambda mark: mark == living)) as store:
        assert store.recover() == [ids[dead]]
        assert store.recover() == []
        recovered = store.message(ids[dead])
        assert (recovered.status, recovered.text()) == (MessageStatus.INTERRUPTED, "partial persimmon")
        assert recovered.error
        assert store.message(ids[living]).status is MessageStatus.STREAMING
        assert len(store.search("persimmon")) == 1
        store.reopen(ids[dead])


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("apricot", True),
        ("APRI", True),
        ("gluhen apricot", True),
        ("glühen", True),
        ('say "apricot" OR', False),
        ("AND", False),
        ('"', False),
        ("", False),
        ("因果", True),
        ("果因", False),
        ("planned title", True),
        ("secret", False),
    ],
)
def test_search(store: ConversationStore, make_message: MakeMessage, query: str, found: bool) -> None:
    conversation = store.create(title="A planned title")
    store.add_message(
        make_message(conversation.id, None, ReasoningPart("secret"), TextPart("Apricots glühen. 論文の因果関係。"))
    )
    hits = store.search(query)
    assert [c.id for c, _ in hits] == ([conversation.id] if found else [])
    assert all(snippet for _, snippet in hits)


def test_renaming_moves_the_title_in_the_search(store: ConversationStore) -> None:
    conversation = store.create(title="before")
    store.rename(conversation.id, "after")
    assert store.search("before") == []
    assert len(store.search("after")) == 1


def test_many_threads_write_and_read(store: ConversationStore, make_message: MakeMessage) -> None:
    conversation = store.create()
    root = make_message(conversation.id)
    store.add_message(root)
    start = threading.Barrier(8)

    def work(n: int) -> None:
        start.wait()
        for _ in range(10):
            message = make_message(conversation.id, root.id, text=str(n))
            store.add_message(message)
            assert store.history(message.id) == [root, message]
            assert message in store.messages(conversation.id)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert len(store.messages(conversation.id)) == 81


def test_two_stores_on_one_file_see_each_other(
    store: ConversationStore, chats_db: Path, make_message: MakeMessage
) -> None:
    with closing(ConversationStore(chats_db)) as other:
        conversation = store.create()
        with ThreadPoolExecutor(2) as pool:
            for writer in (store, other):
                for _ in range(20):
                    pool.submit(writer.add_message, make_message(conversation.id))
        assert len(store.messages(conversation.id)) == len(other.messages(conversation.id)) == 40


def test_a_closed_store_refuses_and_has_written_everything(chats_db: Path, make_message: MakeMessage) -> None:
    store = ConversationStore(chats_db)
    answer = streaming(make_message(store.create().id))
    store.add_message(answer)
    store.save_streaming(dataclasses.replace(answer, parts=(TextPart("last words"),)))
    store.close()
    store.close()
    assert [file.name for file in chats_db.parent.iterdir()] == ["chats.db"]
    with pytest.raises(RuntimeError):
        store.create()
    with pytest.raises(RuntimeError):
        store.conversations()
    with closing(ConversationStore(chats_db)) as again:
        assert again.message(answer.id).text() == "last words"


# A model of the tree: each step names an existing message by number and says what happens below or beside it.
steps = st.lists(st.tuples(st.sampled_from(["child", "sibling", "leaf"]), st.integers(0, 30)), max_size=20)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps)
def test_any_edits_leave_the_tree_that_a_simple_model_predicts(
    store: ConversationStore, make_message: MakeMessage, edits: Edits
) -> None:
    conversation = store.create()
    messages: list[Message] = []
    leaf: str | None = None
    for kind, number in edits:
        near = messages[number % len(messages)] if messages else None
        if kind == "leaf":
            leaf = near.id if near else None
            store.set_active_leaf(conversation.id, leaf)
            continue
        parent = (near.id if kind == "child" else near.parent_id) if near else None
        message = make_message(conversation.id, parent, text=str(len(messages)))
        store.add_message(message)
        messages.append(message)
        leaf = message.id

    by_id = {message.id: message for message in messages}
    assert store.messages(conversation.id) == messages
    assert store.conversation(conversation.id).active_leaf == leaf
    for message in messages:
        history = [message]
        while history[0].parent_id is not None:
            history.insert(0, by_id[history[0].parent_id])
        assert store.history(message.id) == history
        assert store.siblings(message.id) == [other for other in messages if other.parent_id == message.parent_id]


def test_a_streaming_answers_growing_span_is_kept_with_its_text(tmp_path: Path) -> None:
    store = ConversationStore(tmp_path / "chats.db")
    try:
        conversation = store.create()
        message = Message("a1", conversation.id, None, Role.ASSISTANT, MessageStatus.STREAMING, (), 1.0)
        store.add_message(message)
        first = GeneratedSpan(0, "one", (1,), "v")
        for ids in ((2,), (2, 3), (2, 3, 4)):
            growing = GeneratedSpan(1, "x" * len(ids), ids, "v")
            store.save_streaming(
                dataclasses.replace(message, parts=(TextPart("x" * len(ids)),), spans=(first, growing))
            )
        store.create()  # the store writes in order, so what was handed over before is there now
        saved = store.message("a1")
        assert saved.text() == "xxx"
        assert saved.spans == (first, GeneratedSpan(1, "xxx", (2, 3, 4), "v"))
    finally:
        store.close()


def test_a_reason_that_this_version_does_not_know_is_none(
    store: ConversationStore, chats_db: Path, make_message: MakeMessage
) -> None:
    message = make_message(store.create().id, None, role=Role.ASSISTANT, stats=GenerationStats(10, again_tokens=2))
    store.add_message(message)
    store.close()
    with closing(sqlite3.connect(chats_db)) as raw, raw:
        raw.execute("UPDATE messages SET stats = json_set(stats, '$.again_because', 'of tomorrow')")
    with closing(ConversationStore(chats_db)) as again:
        assert again.message(message.id).stats == GenerationStats(10, again_tokens=2)
