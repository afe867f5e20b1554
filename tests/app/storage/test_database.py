import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from app.domain.errors import AppError
from app.domain.messages import Message, MessageStatus, Role, TextPart
from app.storage.chats.conversations import ConversationStore
from app.storage.chats.schema import CHATS
from app.storage.database import Migration, ReaderPool, backup_path, open_database, transaction

FIRST = Migration("things", ("CREATE TABLE thing (name TEXT)", "INSERT INTO thing VALUES ('one')"))
SECOND = Migration("sizes", ("ALTER TABLE thing ADD COLUMN size INTEGER DEFAULT 3",))
BROKEN = Migration("a mistake", ("INSERT INTO thing VALUES ('two', 2)", "INSERT INTO nowhere VALUES (1)"))


def things(path: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT * FROM thing").fetchall()


def test_migrations_run_in_order_and_once(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    open_database(path, [FIRST], backup=True).close()
    open_database(path, [FIRST], backup=True).close()
    assert things(path) == [("one",)]
    assert not backup_path(path, 0).exists()
    open_database(path, [FIRST, SECOND], backup=True).close()
    assert things(path) == [("one", 3)]
    assert things(backup_path(path, 1)) == [("one",)]


def test_a_migration_that_fails_leaves_the_schema_before_it(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    with pytest.raises(sqlite3.OperationalError, match="nowhere"):
        open_database(path, [FIRST, SECOND, BROKEN], backup=False)
    with closing(open_database(path, [FIRST, SECOND], backup=False)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (2,)
    assert things(path) == [("one", 3)]


def test_a_newer_schema_is_refused_and_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "chats.db"
    ConversationStore(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {len(CHATS) + 1}")
    before = path.read_bytes()
    with pytest.raises(AppError, match="newer version") as caught:
        ConversationStore(path)
    assert caught.value.code == "database-newer"
    assert path.read_bytes() == before


def test_an_old_sqlite_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))
    with pytest.raises(AppError, match=r"needs 3\.35"):
        ConversationStore(tmp_path / "chats.db")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"no database at all " * 300, b"SQLite format 3\0" + bytes(range(256)) * 40])
def test_a_damaged_file_is_named_and_kept(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "chats.db"
    path.write_bytes(content)
    with pytest.raises(AppError) as caught:
        ConversationStore(path)
    assert caught.value.code == "database-damaged"
    assert str(path) in str(caught.value)
    assert path.read_bytes() == content


def test_damage_in_the_middle_is_one_sentence_when_it_is_met(tmp_path: Path) -> None:
    path = tmp_path / "chats.db"
    with closing(ConversationStore(path)) as store:
        for n in range(200):
            store.create(title=f"conversation {n} " + "x" * 100)
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)
    with pytest.raises(AppError) as caught, closing(ConversationStore(path)) as store:
        store.conversations()
    assert caught.value.code == "database-damaged"


def test_a_folder_in_the_place_of_the_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "chats.db").mkdir()
    with pytest.raises(AppError) as caught:
        ConversationStore(tmp_path / "chats.db")
    assert caught.value.code == "database-unusable"


def test_a_full_disk_is_one_sentence_and_the_store_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "chats.db"
    with closing(ConversationStore(path)) as store:
        kept = store.create(title="before")
        pages = store._writer._connection.execute("PRAGMA page_count").fetchone()[0]
        store._writer._connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(AppError) as caught:
            store.create(title="x" * 1_000_000)
        assert caught.value.code == "disk-full"
        assert [c.id for c in store.conversations()] == [kept.id]
        store._writer._connection.execute("PRAGMA max_page_count = 100000")
        store.create(title="x" * 1_000_000)


@pytest.mark.parametrize("later", ["the next message", "continuing", "the end"])
def test_an_answer_that_ended_on_a_full_disk_is_written_when_there_is_room(tmp_path: Path, later: str) -> None:
    path = tmp_path / "chats.db"
    with closing(ConversationStore(path)) as store:
        conversation = store.create()
        answer = Message("a", conversation.id, None, Role.ASSISTANT, MessageStatus.STREAMING, (), 1.0)
        store.add_message(answer)
        ended = replace(answer, status=MessageStatus.COMPLETE, parts=(TextPart("x" * 1_000_000),))
        pages = store._writer._connection.execute("PRAGMA page_count").fetchone()[0]
        store._writer._connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(AppError):
            store.seal(ended)
        with pytest.raises(AppError, match="full"):
            store.add_message(replace(ended, id="b"))
        store._writer._connection.execute("PRAGMA max_page_count = 100000")
        if later == "the next message":
            store.add_message(replace(answer, id="c"))
            assert store.message("a") == ended
            with pytest.raises(ValueError, match="sealed already"):
                store.seal(ended)
        if later == "continuing":
            store.reopen("a")
            assert store.message("a").parts == ended.parts
            store.seal(ended)
    with closing(ConversationStore(path)) as store:
        assert store.message("a") == ended


def test_a_lock_held_by_another_program_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "chats.db"
    with closing(ConversationStore(path)) as store, closing(sqlite3.connect(path, isolation_level=None)) as other:
        store._writer._connection.execute("PRAGMA busy_timeout = 1")
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(AppError) as caught:
            store.create()
        assert caught.value.code == "database-busy"
        other.execute("ROLLBACK")
        store.create()


def test_a_transaction_that_raises_is_rolled_back(tmp_path: Path) -> None:
    with closing(open_database(tmp_path / "x.db", [FIRST], backup=False)) as connection:

        def change() -> None:
            with transaction(connection):
                connection.execute("DELETE FROM thing")
                raise KeyError

        with pytest.raises(KeyError):
            change()
        assert not connection.in_transaction
    assert things(tmp_path / "x.db") == [("one",)]


def test_readers_cannot_write_and_see_one_state(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    pool = ReaderPool(path)
    with closing(open_database(path, [FIRST], backup=False)) as writer, closing(pool):
        with pool.read() as outer, pool.read() as inner:
            assert outer is not inner
            assert outer.execute("SELECT count(*) FROM thing").fetchone() == (1,)
            writer.execute("INSERT INTO thing VALUES ('two')")
            assert outer.execute("SELECT count(*) FROM thing").fetchone() == (1,)
        with pytest.raises(AppError, match="cannot be opened or written"), pool.read() as reader:
            reader.execute("DELETE FROM thing")
        with pool.read() as reader:
            assert reader.execute("SELECT count(*) FROM thing").fetchone() == (2,)
    with pytest.raises(RuntimeError), pool.read():
        pass
