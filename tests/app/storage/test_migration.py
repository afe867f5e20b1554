"""Databases of the schemas before today's, made by the programs that wrote them (``tests/data/make_chats.py``)."""

import gzip
import json
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from app.domain.errors import AppError
from app.domain.messages import MessageStatus, TextPart
from app.storage.chats.conversations import ConversationStore
from app.storage.chats.schema import CHATS
from app.storage.database import backup_path, open_database

ROOT = Path(__file__).resolve().parents[3]
KEPT = ROOT / "tests" / "data" / "chats"

# Opens the database and ends at the given moment: before a statement, a renaming or a removal.
CHILD = """
import os, sys
from pathlib import Path
from app.storage import database
from app.storage.chats.conversations import ConversationStore

moments = 0

def moment(*_):
    global moments
    moments += 1
    if moments == int(sys.argv[2]):
        os._exit(9)

def connect(path, **options):
    connection = opened(path, **options)
    connection.set_trace_callback(moment)
    return connection

opened, database.connect = database.connect, connect
sys.addaudithook(lambda event, _: moment() if event in ("os.rename", "os.remove") else None)
ConversationStore(Path(sys.argv[1])).close()
print(moments)
"""


@pytest.fixture
def old_db(chats_db: Path) -> Path:
    chats_db.parent.mkdir()
    chats_db.write_bytes(gzip.decompress((KEPT / "v1.db.gz").read_bytes()))
    return chats_db


def as_read_then() -> list[dict[str, Any]]:
    read: list[dict[str, Any]] = json.loads((KEPT / "v1.json").read_text("utf-8"))
    return read


def as_read_now(store: ConversationStore) -> list[Any]:
    now = [
        {
            "conversation": asdict(store.conversation(then["conversation"]["id"])),
            "messages": [asdict(message) for message in store.messages(then["conversation"]["id"])],
        }
        for then in as_read_then()
    ]
    fields: list[Any] = with_fields_of(as_read_then(), json.loads(json.dumps(now)))
    return fields


def with_fields_of(then: Any, now: Any) -> Any:
    """``now`` without the fields that types have got since."""
    if isinstance(then, dict) and isinstance(now, dict):
        return {name: with_fields_of(then[name], value) for name, value in now.items() if name in then}
    if isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        return [with_fields_of(*pair) for pair in zip(then, now, strict=True)]
    return now


def raw(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as connection, connection:
        return connection.execute(sql).fetchall()


def test_every_conversation_is_as_the_program_before_read_it(old_db: Path) -> None:
    with closing(ConversationStore(old_db)) as store:
        assert as_read_now(store) == as_read_then()
        assert {c.title for c in store.conversations()} == {"Gardens of mine", "Empty"}
        assert {message.id for message in store.siblings("a2")} == {"a2", "a-failed", "a-stopped", "dead"}
        assert len(store.history("deep59")) == 63
        for word in ("gardens", "figs", "無花果", "plums", "apple"):
            assert [c.title for c, _ in store.search(word)] == ["Gardens of mine"], word
        assert store.search("medlars") == []


def test_an_answer_that_was_cut_off_goes_on_in_its_rows(old_db: Path) -> None:
    with closing(ConversationStore(old_db)) as store:
        assert store.recover() == ["dead"]
        cut = store.message("dead")
        assert (cut.status, len(cut.parts), len(cut.spans)) == (MessageStatus.INTERRUPTED, 8, 2)
        assert len(store.search("half pair")) == 1
        store.reopen("dead")
        ended = replace(cut, status=MessageStatus.COMPLETE, error="", parts=(*cut.parts[:6], TextPart("at last")))
        store.seal(ended)
        assert store.message("dead") == ended
        store.purge_deleted(before=2e10)
        assert "medlars" not in str(raw(old_db, "SELECT fields FROM parts"))


def test_parts_that_no_version_so_far_knows_are_kept(old_db: Path) -> None:
    ConversationStore(old_db).close()
    rows = raw(
        old_db,
        "SELECT kind, fields FROM parts JOIN messages ON seq = message_seq WHERE id = 'newer' ORDER BY position",
    )
    assert [(kind, json.loads(fields)) for kind, fields in rows] == [
        ("hologram", {"depth": 3}),
        ("text", {"text": "Known persimmons", "colour": "red"}),
        ("text", {"body": "a text without what this version needs"}),
        ("", {"no": "kind"}),
        ("", ["a", "list"]),
        ("note", {"code": "c", "text": "last", "score": float("inf")}),
        ("hologram", {"depth": 4, "name": "\ud800é"}),
    ]


@pytest.mark.parametrize("text", ["[{broken", "", "7", '{"kind": "text"}', "null"])
def test_a_message_that_cannot_be_read_keeps_no_other_away(old_db: Path, text: str) -> None:
    with closing(sqlite3.connect(old_db)) as connection, connection:
        connection.execute("UPDATE messages SET parts = ? WHERE id = 'q2'", (text,))
    with closing(ConversationStore(old_db)) as store:
        assert store.message("q2").parts == ()
        then, now = as_read_then(), as_read_now(store)
        then[0]["messages"][3]["parts"] = []
        assert now == then
    assert raw(old_db, "SELECT fields FROM parts JOIN messages ON seq = message_seq WHERE id = 'q2'") == [(text,)]


def test_the_file_as_it_was_lies_beside_it(old_db: Path) -> None:
    before = raw(old_db, "SELECT * FROM messages")
    ConversationStore(old_db).close()
    assert sorted(each.name for each in old_db.parent.iterdir()) == ["chats.db", "chats.db.backup-v1"]
    assert raw(old_db, "PRAGMA user_version") == [(len(CHATS),)]
    with closing(open_database(backup_path(old_db, 1), CHATS[:1], backup=False)) as kept:
        assert kept.execute("SELECT * FROM messages").fetchall() == before


def test_the_program_before_refuses_and_touches_nothing(old_db: Path) -> None:
    ConversationStore(old_db).close()
    before = old_db.read_bytes()
    with pytest.raises(AppError, match="newer version"):
        open_database(old_db, CHATS[:1], backup=True)
    assert old_db.read_bytes() == before


def test_several_programs_that_start_at_once_migrate_once(old_db: Path) -> None:
    start = threading.Barrier(4)

    def open_and_read(_: int) -> list[dict[str, Any]]:
        start.wait()
        with closing(ConversationStore(old_db)) as store:
            return as_read_now(store)

    with ThreadPoolExecutor(4) as pool:
        assert all(read == as_read_then() for read in pool.map(open_and_read, range(4)))
    assert sorted(each.name for each in old_db.parent.iterdir()) == ["chats.db", "chats.db.backup-v1"]
    assert raw(backup_path(old_db, 1), "PRAGMA user_version") == [(1,)]


@pytest.mark.timeout(120)
def test_a_kill_at_any_moment_leaves_the_schema_before(old_db: Path, tmp_path: Path) -> None:
    spare = tmp_path / "spare.db"
    spare.write_bytes(old_db.read_bytes())
    total = int(run_child(spare, 0).stdout)
    assert total > 100
    before = raw(old_db, "SELECT * FROM messages")
    for moment in killing_moments(total):  # on one file, so that each meets what the last one left
        assert run_child(old_db, moment).returncode == 9
        assert raw(old_db, "PRAGMA user_version") == [(1,)]
        assert raw(old_db, "SELECT * FROM messages") == before
        if backup_path(old_db, 1).exists():
            assert raw(backup_path(old_db, 1), "SELECT * FROM messages") == before
    with closing(ConversationStore(old_db)) as store:
        assert as_read_now(store) == as_read_then()
    assert sorted(each.name for each in old_db.parent.iterdir()) == ["chats.db", "chats.db.backup-v1"]


def killing_moments(total: int) -> Iterator[int]:
    """The first and the last ones, where files and locks are taken and left, and some between. The last: the commit."""
    yield from range(1, 13)
    yield from range(13, total - 5, max(1, total // 6))
    yield from range(total - 5, total + 1)


def run_child(path: Path, moment: int) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", CHILD, str(path), str(moment)]
    return subprocess.run(command, capture_output=True, check=False, text=True, env=environment)
