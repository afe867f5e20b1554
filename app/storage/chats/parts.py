"""Parts and spans as rows: one for each, and a save of a growing answer writes only what is new or changed."""

import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from app.domain.messages import GeneratedSpan, Message, Part
from app.storage.chats import codec
from app.storage.chats.codec import valid_text


@dataclass(slots=True)
class _Stored:
    """What the rows of one message hold. ``positions`` are those of ``parts``; ``end`` is behind the unknown ones."""

    parts: tuple[Part, ...] = ()
    positions: list[int] = field(default_factory=list)
    end: int = 0
    spans: tuple[GeneratedSpan, ...] = ()


class PartRows:
    """The writer of parts and spans. It remembers what is stored of a message that grows. Store thread only.

    Parts that this version does not know are never touched: known ones keep their places around them.
    """

    def __init__(self) -> None:
        self._stored: dict[int, _Stored] = {}

    def forget(self, seq: int) -> None:
        """The message has ended, or another process may have written it."""
        self._stored.pop(seq, None)

    def forget_all(self) -> None:
        """What was written last is not in the database."""
        self._stored.clear()

    def insert(self, connection: sqlite3.Connection, seq: int, message: Message) -> None:
        """Those of a new message."""
        self._stored[seq] = _Stored()
        self.update(connection, seq, message)

    def update(self, connection: sqlite3.Connection, seq: int, message: Message) -> None:
        stored = self._stored.get(seq) or _load(connection, seq, message.id)
        self._stored[seq] = stored
        _write_parts(connection, seq, stored, message.parts)
        _write_spans(connection, message, stored.spans)
        stored.parts, stored.spans = message.parts, message.spans


def parts_of(connection: sqlite3.Connection, chosen: str, values: tuple[object, ...]) -> dict[int, list[Part]]:
    """By the message's seq, for the messages whose seq the query ``chosen`` gives."""
    found: dict[int, list[Part]] = defaultdict(list)
    # chosen is a literal of this package; the values are bound
    for seq, kind, fields in connection.execute(
        f"SELECT message_seq, kind, fields FROM parts WHERE message_seq IN ({chosen}) ORDER BY message_seq, position",  # noqa: S608 - ours
        values,
    ):
        part = codec.decode_part(kind, fields)
        if part is not None:
            found[seq].append(part)
    return found


def spans_of(connection: sqlite3.Connection, chosen: str, values: tuple[object, ...]) -> dict[str, list[GeneratedSpan]]:
    """By the message's id, as ``parts_of``."""
    found: dict[str, list[GeneratedSpan]] = defaultdict(list)
    for message_id, number, raw, ids, vocabulary in connection.execute(
        "SELECT message_id, round, raw, token_ids, vocabulary FROM spans WHERE message_id IN"  # noqa: S608 - as above
        f" (SELECT id FROM messages WHERE seq IN ({chosen})) ORDER BY message_id, position",
        values,
    ):
        found[message_id].append(GeneratedSpan(number, raw, codec.unpack_ids(ids), vocabulary))
    return found


def _load(connection: sqlite3.Connection, seq: int, message_id: str) -> _Stored:
    parts, positions, end = [], [], 0
    for position, kind, fields in connection.execute(
        "SELECT position, kind, fields FROM parts WHERE message_seq = ? ORDER BY position", (seq,)
    ):
        part = codec.decode_part(kind, fields)
        if part is None:
            end = position + 1
        else:
            parts.append(part)
            positions.append(position)
    spans = spans_of(connection, "?", (seq,))[message_id]
    return _Stored(tuple(parts), positions, end, tuple(spans))


def _write_parts(connection: sqlite3.Connection, seq: int, stored: _Stored, parts: Sequence[Part]) -> None:
    """Bring the rows from ``stored.parts`` to ``parts``, and ``stored.positions`` with them."""
    positions = stored.positions
    gone = positions[len(parts) :]
    del positions[len(parts) :]
    connection.executemany(
        "DELETE FROM parts WHERE message_seq = ? AND position = ?", [(seq, position) for position in gone]
    )
    following = max(stored.end, positions[-1] + 1 if positions else 0)
    positions += range(following, following + len(parts) - len(positions))
    connection.executemany(
        "INSERT INTO parts (message_seq, position, kind, fields) VALUES (?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET kind = excluded.kind, fields = excluded.fields",
        [(seq, positions[n], *codec.encode_part(parts[n])) for n in _changed(stored.parts, parts)],
    )


def _write_spans(connection: sqlite3.Connection, message: Message, stored: Sequence[GeneratedSpan]) -> None:
    if len(message.spans) < len(stored):
        connection.execute("DELETE FROM spans WHERE message_id = ? AND position >= ?", (message.id, len(message.spans)))
    connection.executemany(
        "INSERT INTO spans (message_id, position, round, raw, token_ids, vocabulary) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET round = excluded.round, raw = excluded.raw, token_ids = excluded.token_ids,"
        " vocabulary = excluded.vocabulary",
        [
            (message.id, n, span.round, valid_text(span.raw), codec.pack_ids(span.token_ids), span.vocabulary)
            for n in _changed(stored, message.spans)
            for span in (message.spans[n],)
        ],
    )


def _changed(before: Sequence[object], now: Sequence[object]) -> list[int]:
    """Which of ``now`` are new or other than before.

    As a rule the last one grew and others came behind it. Those before it are then the same objects, and comparing
    slices of them costs next to nothing, however many they are.
    """
    common = min(len(before), len(now))
    settled = max(0, common - 1)
    first = settled if before[:settled] == now[:settled] else 0
    return [n for n in range(first, len(now)) if n >= common or before[n] != now[n]]
