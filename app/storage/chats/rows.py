"""The statements behind ``ConversationStore``: each function works inside the transaction of its caller."""

import sqlite3
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from app.domain.errors import AppError
from app.domain.messages import Conversation, GeneratedSpan, Message, MessageStatus, Part, Role, StopReason
from app.storage.chats import codec, search
from app.storage.chats.codec import valid_text
from app.storage.chats.parts import PartRows, parts_of, spans_of
from app.storage.chats.processes import ProcessMark

Row: TypeAlias = dict[str, Any]

# Queries for ``messages``. A parent arrives before its child, so seq sorts a walk from the root to the leaf.
ITSELF = "SELECT seq FROM messages WHERE id = ?"
ANCESTORS = """
    WITH RECURSIVE walk (seq, parent_id) AS (
        SELECT seq, parent_id FROM messages WHERE id = ?
        UNION ALL
        SELECT messages.seq, messages.parent_id FROM messages JOIN walk ON messages.id = walk.parent_id
    )
    SELECT seq FROM walk
"""
SIBLINGS = """
    SELECT other.seq FROM messages AS self JOIN messages AS other
    ON other.conversation_id = self.conversation_id AND other.parent_id IS self.parent_id
    WHERE self.id = ?
"""


def _rows(connection: sqlite3.Connection, sql: str, values: tuple[object, ...]) -> list[Row]:
    cursor = connection.execute(sql, values)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


# Conversations


def insert_conversation(connection: sqlite3.Connection, conversation: Conversation) -> None:
    cursor = connection.execute(
        "INSERT INTO conversations (id, title, titled_by_person, created, updated, documents, model)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            conversation.id,
            conversation.title,
            conversation.titled_by_person,
            conversation.created,
            conversation.updated,
            codec.to_json(conversation.documents),
            conversation.model,
        ),
    )
    search.index_title(connection, cursor.lastrowid, conversation.title)


def conversation_row(connection: sqlite3.Connection, conversation_id: str) -> Row:
    found = _rows(connection, "SELECT * FROM conversations WHERE id = ?", (conversation_id,))
    if not found:
        raise AppError(
            "conversation-not-found",
            "There is no conversation {id}.",
            "It may have been deleted for good; choose one from the list.",
            id=conversation_id,
        )
    return found[0]


def conversations(connection: sqlite3.Connection) -> list[Conversation]:
    listed = "SELECT * FROM conversations WHERE deleted IS NULL ORDER BY updated DESC, seq DESC"
    return [to_conversation(row) for row in _rows(connection, listed, ())]


def to_conversation(row: Row) -> Conversation:
    return Conversation(
        id=row["id"],
        title=row["title"],
        created=row["created"],
        updated=row["updated"],
        active_leaf=row["active_leaf"],
        documents=codec.decode_paths(row["documents"]),
        model=row["model"],
        titled_by_person=bool(row["titled_by_person"]),
    )


def touch(connection: sqlite3.Connection, conversation_id: str, now: float) -> None:
    connection.execute("UPDATE conversations SET updated = ? WHERE id = ?", (now, conversation_id))


def purge_deleted(connection: sqlite3.Connection, before: float) -> None:
    doomed = "SELECT id FROM conversations WHERE deleted < ?"
    search.forget(connection, doomed, before)
    connection.execute("DELETE FROM conversations WHERE deleted < ?", (before,))


# Messages


def insert_message(connection: sqlite3.Connection, message: Message, process: ProcessMark, parts: PartRows) -> None:
    conversation_row(connection, message.conversation_id)
    if message.parent_id is not None:
        require_message(connection, message.parent_id, message.conversation_id)
    streaming = message.status is MessageStatus.STREAMING
    cursor = connection.execute(
        "INSERT INTO messages (id, conversation_id, parent_id, role, status, created, model, stop_reason, stats, error,"
        " writer_pid, writer_started) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            message.id,
            message.conversation_id,
            message.parent_id,
            message.role,
            message.status,
            message.created,
            valid_text(message.model),
            message.stop_reason,
            codec.encode_stats(message.stats),
            valid_text(message.error),
            process.pid if streaming else None,
            process.started if streaming else None,
        ),
    )
    assert cursor.lastrowid is not None
    parts.insert(connection, cursor.lastrowid, message)
    if not streaming:
        parts.forget(cursor.lastrowid)
        search.index_message(connection, cursor.lastrowid, message)


def update_streaming(connection: sqlite3.Connection, message: Message, process: ProcessMark, parts: PartRows) -> None:
    row = _message_row(connection, message.id)
    if row is None or not _streamed_by(row, process):
        return
    model = valid_text(message.model)
    if model != row["model"]:
        connection.execute("UPDATE messages SET model = ? WHERE seq = ?", (model, row["seq"]))
    parts.update(connection, row["seq"], message)


def seal(connection: sqlite3.Connection, message: Message, process: ProcessMark, parts: PartRows) -> None:
    row = _message_row(connection, message.id)
    if row is None:
        raise message_not_found(message.id)
    # Interrupted: another process may have taken us for dead, after a change of the clock.
    if row["status"] not in (MessageStatus.STREAMING, MessageStatus.INTERRUPTED):
        raise ValueError(f"message {message.id} is sealed already ({row['status']})")
    if not _streamed_by(row, process):
        parts.forget(row["seq"])
    parts.update(connection, row["seq"], message)
    parts.forget(row["seq"])
    connection.execute(
        "UPDATE messages SET status = ?, model = ?, stop_reason = ?, stats = ?, error = ?,"
        " writer_pid = NULL, writer_started = NULL WHERE seq = ?",
        (
            message.status,
            valid_text(message.model),
            message.stop_reason,
            codec.encode_stats(message.stats),
            valid_text(message.error),
            row["seq"],
        ),
    )
    search.index_message(connection, row["seq"], message)


def reopen(
    connection: sqlite3.Connection,
    message_id: str,
    process: ProcessMark,
    alive: Callable[[ProcessMark], bool],
    parts: PartRows,
) -> None:
    row = _message_row(connection, message_id)
    if row is None:
        raise message_not_found(message_id)
    if row["status"] == MessageStatus.STREAMING and alive(_writer(row)):
        raise AppError(
            "answer-busy",
            "This answer is still being written.",
            "Wait until it has ended, or stop it in the window where it runs.",
            detail=f"message {message_id}, process {row['writer_pid']}",
        )
    connection.execute(
        "UPDATE messages SET status = ?, stop_reason = NULL, error = '', writer_pid = ?, writer_started = ?"
        " WHERE seq = ?",
        (MessageStatus.STREAMING, process.pid, process.started, row["seq"]),
    )
    parts.forget(row["seq"])


def recover(connection: sqlite3.Connection, alive: Callable[[ProcessMark], bool]) -> list[str]:
    recovered = []
    streaming = _rows(connection, "SELECT * FROM messages WHERE status = 'streaming' ORDER BY seq", ())
    for row in streaming:
        if alive(_writer(row)):
            continue
        connection.execute(
            "UPDATE messages SET status = ?, error = ?, writer_pid = NULL, writer_started = NULL WHERE seq = ?",
            (MessageStatus.INTERRUPTED, "Alcove ended while this answer was being written.", row["seq"]),
        )
        search.index_message(connection, row["seq"], messages(connection, "?", (row["seq"],))[0])
        recovered.append(row["id"])
    return recovered


def messages(connection: sqlite3.Connection, chosen: str, values: tuple[object, ...]) -> list[Message]:
    """The messages whose seq the query ``chosen`` gives, in order of arrival."""
    # chosen is a literal of this package; the values are bound
    found = _rows(connection, f"SELECT * FROM messages WHERE seq IN ({chosen}) ORDER BY seq", values)  # noqa: S608 - ours
    parts, spans = parts_of(connection, chosen, values), spans_of(connection, chosen, values)
    return [_to_message(row, parts[row["seq"]], spans[row["id"]]) for row in found]


def require_message(connection: sqlite3.Connection, message_id: str, conversation_id: str) -> None:
    row = _message_row(connection, message_id)
    if row is None or row["conversation_id"] != conversation_id:
        raise message_not_found(message_id)


def message_not_found(message_id: str) -> AppError:
    return AppError(
        "message-not-found",
        "There is no message {id} in this conversation.",
        "Open the conversation again.",
        id=message_id,
    )


def _message_row(connection: sqlite3.Connection, message_id: str) -> Row | None:
    found = _rows(connection, "SELECT * FROM messages WHERE id = ?", (message_id,))
    return found[0] if found else None


def _to_message(row: Row, parts: Iterable[Part], spans: Iterable[GeneratedSpan]) -> Message:
    return Message(
        id=row["id"],
        conversation_id=row["conversation_id"],
        parent_id=row["parent_id"],
        role=Role(row["role"]),
        status=MessageStatus(row["status"]),
        parts=tuple(parts),
        created=row["created"],
        model=row["model"],
        stop_reason=None if row["stop_reason"] is None else StopReason(row["stop_reason"]),
        stats=codec.decode_stats(row["stats"]),
        error=row["error"],
        spans=tuple(spans),
    )


def _writer(row: Row) -> ProcessMark:
    return ProcessMark(row["writer_pid"], row["writer_started"])


def _streamed_by(row: Row, process: ProcessMark) -> bool:
    """Otherwise it is sealed, or another process took this one for dead and may have gone on with it."""
    return row["status"] == MessageStatus.STREAMING and _writer(row) == process
