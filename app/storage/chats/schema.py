"""The schema of ``chats.db``, as the steps that led to it. A step that was released is never changed."""

import json
import sqlite3
from collections.abc import Iterator

from app.storage.chats.codec import to_json
from app.storage.database import Migration


def _parts_to_rows(connection: sqlite3.Connection) -> None:
    stored = connection.execute("SELECT seq, parts FROM messages ORDER BY seq")
    connection.executemany(
        "INSERT INTO parts (message_seq, position, kind, fields) VALUES (?, ?, ?, ?)",
        ((seq, position, *row) for seq, text in stored for position, row in enumerate(_part_rows(text))),
    )


def _part_rows(text: str) -> Iterator[tuple[str, str]]:
    """Kind and fields. What is no part keeps its text under no kind: one odd message must not keep the others away."""
    try:
        records = json.loads(text)
    except ValueError:
        records = None
    if not isinstance(records, list):
        yield "", text
        return
    for record in records:
        if isinstance(record, dict) and isinstance(record.get("kind"), str):
            yield record["kind"], to_json({name: value for name, value in record.items() if name != "kind"})
        else:
            yield "", to_json(record)


CHATS: tuple[Migration, ...] = (
    Migration(
        why="conversations as trees of messages with typed parts, their exact token ids, and full-text search",
        statements=(
            # active_leaf has no foreign key: it would make a circle with messages, and the store checks it.
            """
            CREATE TABLE conversations (
                seq INTEGER PRIMARY KEY,
                id TEXT NOT NULL UNIQUE,
                title TEXT NOT NULL,
                titled_by_person INTEGER NOT NULL DEFAULT 0,
                created REAL NOT NULL,
                updated REAL NOT NULL,
                active_leaf TEXT,
                documents TEXT NOT NULL DEFAULT '[]',
                model TEXT NOT NULL DEFAULT '',
                deleted REAL
            )
            """,
            # seq is the order of arrival, hence of siblings. writer_*: the process that streams this message.
            # parent_id does not cascade: SQLite ends cascades at 1,000 levels, and all of a tree goes at once anyway.
            """
            CREATE TABLE messages (
                seq INTEGER PRIMARY KEY,
                id TEXT NOT NULL UNIQUE,
                conversation_id TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
                parent_id TEXT REFERENCES messages (id),
                role TEXT NOT NULL,
                status TEXT NOT NULL,
                parts TEXT NOT NULL,
                created REAL NOT NULL,
                model TEXT NOT NULL DEFAULT '',
                stop_reason TEXT,
                stats TEXT,
                error TEXT NOT NULL DEFAULT '',
                writer_pid INTEGER,
                writer_started REAL
            )
            """,
            "CREATE INDEX messages_conversation ON messages (conversation_id)",
            "CREATE INDEX messages_parent ON messages (parent_id)",
            "CREATE INDEX messages_streaming ON messages (status) WHERE status = 'streaming'",
            # token_ids: unsigned 32-bit integers, little-endian.
            """
            CREATE TABLE spans (
                message_id TEXT NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
                position INTEGER NOT NULL,
                round INTEGER NOT NULL,
                raw TEXT NOT NULL,
                token_ids BLOB NOT NULL,
                vocabulary TEXT NOT NULL,
                PRIMARY KEY (message_id, position)
            )
            """,
            # rowid is messages.seq and conversations.seq. Answers enter when they are sealed.
            "CREATE VIRTUAL TABLE message_index USING fts5 (text, tokenize = 'unicode61 remove_diacritics 2')",
            "CREATE VIRTUAL TABLE title_index USING fts5 (text, tokenize = 'unicode61 remove_diacritics 2')",
        ),
    ),
    Migration(
        why="a row for each part, so that saving a growing answer does not write all of it again",
        statements=(
            # fields: a JSON object. Positions only sort: there may be gaps.
            """
            CREATE TABLE parts (
                message_seq INTEGER NOT NULL REFERENCES messages (seq) ON DELETE CASCADE,
                position INTEGER NOT NULL,
                kind TEXT NOT NULL,
                fields TEXT NOT NULL,
                PRIMARY KEY (message_seq, position)
            )
            """,
            _parts_to_rows,
            # Dropped rather than emptied: a program of the first schema that is still running fails, instead of
            # writing where nobody reads.
            "ALTER TABLE messages DROP COLUMN parts",
        ),
    ),
)
