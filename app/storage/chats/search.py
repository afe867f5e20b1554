"""Full-text search over titles and visible texts (FTS5, https://www.sqlite.org/fts5.html)."""

import re
import sqlite3

from app.domain.messages import Message
from app.storage.chats.codec import valid_text

SNIPPET_WORDS = 16
SNIPPET_CHARS = 80  # on either side, where the text has no word boundaries
LIMIT = 50  # conversations
SCANNED = 1000  # hits in each table

_TABLES = {
    "title_index": "title_index JOIN conversations ON conversations.seq = title_index.rowid",
    "message_index": "message_index JOIN messages ON messages.seq = message_index.rowid"
    " JOIN conversations ON conversations.id = messages.conversation_id",
}

# Scripts without spaces between words: FTS5's tokenizer takes a whole sentence for one word there.
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")


def index_title(connection: sqlite3.Connection, seq: int | None, title: str) -> None:
    connection.execute("DELETE FROM title_index WHERE rowid = ?", (seq,))
    connection.execute("INSERT INTO title_index (rowid, text) VALUES (?, ?)", (seq, title))


def index_message(connection: sqlite3.Connection, seq: int | None, message: Message) -> None:
    connection.execute("DELETE FROM message_index WHERE rowid = ?", (seq,))
    connection.execute("INSERT INTO message_index (rowid, text) VALUES (?, ?)", (seq, valid_text(message.text())))


def forget(connection: sqlite3.Connection, conversations: str, value: object) -> None:
    """Take the conversations whose ids the query ``conversations`` gives (with one bound value) out of the index."""
    # conversations is a literal of this package
    connection.execute(
        "DELETE FROM message_index WHERE rowid IN"  # noqa: S608
        f" (SELECT seq FROM messages WHERE conversation_id IN ({conversations}))",
        (value,),
    )
    connection.execute(
        f"DELETE FROM title_index WHERE rowid IN (SELECT seq FROM conversations WHERE id IN ({conversations}))",  # noqa: S608
        (value,),
    )


def find(connection: sqlite3.Connection, text: str) -> list[tuple[str, str]]:
    """Conversation ids, best first (title hits before text hits), with a snippet of the best place in each."""
    text = valid_text(text).strip()
    words = re.findall(r"\w+", text)
    if not words:
        return []
    scan = _UNSPACED.search(text) is not None
    wanted = text if scan else " ".join(f'"{word}"*' for word in words)  # quoted, so that AND and NEAR are words
    best: dict[str, tuple[str, int]] = {}
    for table, joined in _TABLES.items():
        condition = f"instr({table}.text, ?)" if scan else f"{table} MATCH ?"
        order = "conversations.updated DESC" if scan else f"{table}.rank"
        for conversation_id, seq in connection.execute(
            f"SELECT conversations.id, {table}.rowid FROM {joined}"  # noqa: S608 - literals of this file
            f" WHERE {condition} AND conversations.deleted IS NULL ORDER BY {order} LIMIT {SCANNED}",
            (wanted,),
        ):
            best.setdefault(conversation_id, (table, seq))
    # Snippets only for what is shown: a long message with many hits takes milliseconds.
    snippet = _cut if scan else _fts_snippet
    return [
        (conversation_id, " ".join(snippet(connection, table, seq, wanted).split()))
        for conversation_id, (table, seq) in list(best.items())[:LIMIT]
    ]


def _fts_snippet(connection: sqlite3.Connection, table: str, seq: int, query: str) -> str:
    found = connection.execute(
        f"SELECT snippet({table}, 0, '', '', '…', {SNIPPET_WORDS}) FROM {table}"  # noqa: S608 - literals of this file
        f" WHERE {table} MATCH ? AND rowid = ?",
        (query, seq),
    )
    return str(found.fetchone()[0])


def _cut(connection: sqlite3.Connection, table: str, seq: int, text: str) -> str:
    found = connection.execute(
        f"SELECT substr(text, max(1, instr(text, ?1) - {SNIPPET_CHARS}), {2 * SNIPPET_CHARS} + length(?1))"  # noqa: S608 - as above
        f" FROM {table} WHERE rowid = ?2",
        (text, seq),
    )
    return str(found.fetchone()[0])
