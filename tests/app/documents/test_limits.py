"""What happens when the reading process dies, hangs or grows, and when two programs share an index."""

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from filelock import FileLock

from app.documents.index import schema
from app.documents.reading.blocks import Limits
from app.documents.reading.readers.registry import DocumentFormat
from app.documents.reading.reading import ReadingProcess
from app.documents.service import DocumentService
from app.domain.errors import AppError, ErrorInfo


@pytest.fixture
def impatient(tmp_path: Path) -> Iterator[DocumentService]:
    """A service that gives up soon."""
    limits = Limits(stall_s=2.0)
    service = DocumentService(tmp_path / "documents.db", lambda event: None, limits, patience_s=0.3)
    yield service
    service.close()


def _reader_process() -> psutil.Process:
    return next(child for child in psutil.Process().children() if "resource_tracker" not in " ".join(child.cmdline()))


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGSTOP")
def test_a_hanging_reader_costs_one_file(impatient: DocumentService, folder: Path) -> None:
    (folder / "a.txt").write_text("The fox.")
    impatient.update([str(folder)])
    _reader_process().send_signal(signal.SIGSTOP)
    (folder / "b.txt").write_text("The owl.")
    (folder / "c.txt").write_text("The hen.")
    report = impatient.update([str(folder)])
    assert [Path(path).name for path in report.indexed] == ["a.txt", "c.txt"]
    assert "took longer than 2 seconds" in report.skipped[0][1]


def test_a_reader_that_died_meanwhile_is_replaced(impatient: DocumentService, folder: Path) -> None:
    (folder / "a.txt").write_text("The fox.")
    impatient.update([str(folder)])
    _reader_process().kill()
    (folder / "b.txt").write_text("The owl.")
    assert len(impatient.update([str(folder)]).indexed) == 2


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux only")
def test_a_file_that_needs_too_much_memory(tmp_path: Path, folder: Path) -> None:
    (folder / "a.txt").write_text("The fox.")
    (folder / "big.txt").write_text("ein Wört " * (6 << 20), encoding="utf-16")
    service = DocumentService(
        tmp_path / "documents.db", lambda event: None, Limits(memory_mb=300, max_text_file_mb=128)
    )
    try:
        report = service.update([str(folder)])
    finally:
        service.close()
    assert [Path(path).name for path in report.indexed] == ["a.txt"]
    assert "needs more memory" in report.skipped[0][1]


def test_text_that_unfolds_past_the_limit_is_refused_and_leaves_nothing(tmp_path: Path, folder: Path) -> None:
    (folder / "wide.csv").write_text("a,b\n" + "1,2\n" * (300 << 10))
    database = tmp_path / "documents.db"
    service = DocumentService(database, lambda event: None, Limits(max_text_file_mb=1))
    try:
        with pytest.raises(AppError, match="more than 1 MB"):
            service.update([str(folder)]).require_readable()
    finally:
        service.close()
    with sqlite3.connect(database) as connection:
        counts = [connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in ("chunks", "contents")]
    connection.close()
    assert counts == [0, 0]


def test_closing_in_the_middle_of_indexing(tmp_path: Path, folder: Path) -> None:
    for n in range(50):
        (folder / f"{n}.txt").write_text("The fox jumps. " * 2000)
    service = DocumentService(tmp_path / "documents.db", lambda event: None)
    service.add([str(folder)])
    service.close()
    again = DocumentService(tmp_path / "documents.db", lambda event: None)
    try:
        assert len(again.update([str(folder)]).indexed) == 50
    finally:
        again.close()


def test_a_question_does_not_wait_forever_for_another_process(impatient: DocumentService, folder: Path) -> None:
    lock = FileLock(folder.parent / "documents.db.lock")
    (folder / "a.txt").write_text("The fox.")
    lock.acquire(timeout=5.0)
    with pytest.raises(AppError, match="Another Alcove"):
        impatient.search("fox", [str(folder)], 3)
    lock.release()
    assert len(impatient.search("fox", [str(folder)], 3)) == 1
    lock.acquire(timeout=5.0)
    (folder / "a.txt").write_text("The owl.")
    assert len(impatient.search("fox", [str(folder)], 3)) == 1, "what is there is searched"
    lock.release()


def test_two_processes_share_an_index(tmp_path: Path, folder: Path) -> None:
    for n in range(60):
        (folder / f"{n}.txt").write_text(f"The fox number {n} jumps. " * 300)
    code = (
        "import sys\nfrom pathlib import Path\nfrom app.documents.service import DocumentService\n"
        "service = DocumentService(Path(sys.argv[1]), lambda event: None)\n"
        "print(len(service.update([sys.argv[2]]).indexed))\nservice.close()\n"
    )
    database = tmp_path / "documents.db"
    others = [
        subprocess.Popen([sys.executable, "-c", code, str(database), str(folder)], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    outputs = [process.communicate(timeout=60)[0].strip() for process in others]
    assert outputs == ["60", "60"]
    with sqlite3.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM contents").fetchone()[0] == 60
        connection.execute("INSERT INTO chunk_terms (chunk_terms) VALUES ('integrity-check')")
    connection.close()


def test_a_newer_index_is_refused_and_left_alone(impatient: DocumentService, tmp_path: Path, folder: Path) -> None:
    (folder / "a.txt").write_text("The fox.")
    connection = sqlite3.connect(tmp_path / "documents.db")
    connection.execute("PRAGMA user_version = 999")
    connection.close()
    before = (tmp_path / "documents.db").read_bytes()
    with pytest.raises(AppError, match="written by a newer Alcove"):
        impatient.update([str(folder)])
    assert (tmp_path / "documents.db").read_bytes() == before


@pytest.mark.expect_log("is damaged")
def test_a_damaged_index_is_built_again(impatient: DocumentService, tmp_path: Path, folder: Path) -> None:
    (folder / "a.txt").write_text("The fox.")
    (tmp_path / "documents.db").write_bytes(b"no database at all, " * 500)
    assert len(impatient.search("fox", [str(folder)], 3)) == 1


@pytest.mark.expect_log("is damaged")
@pytest.mark.parametrize("where", ["in use", "at the start"])
def test_an_index_damaged_in_its_middle_is_built_again(tmp_path: Path, folder: Path, where: str) -> None:
    for number in range(60):
        (folder / f"{number}.txt").write_text(f"The fox number {number} sleeps under the hedge. " * 40)
    database = tmp_path / "documents.db"
    service = DocumentService(database, lambda event: None)
    service.update([str(folder)])
    if where == "at the start":
        service.close()
        service = DocumentService(database, lambda event: None)
    else:
        with sqlite3.connect(database) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
    with database.open("r+b") as file:
        size = file.seek(0, 2)
        file.seek(size // 4 // 4096 * 4096)
        file.write(b"\xff" * (size // 2))
    (folder / "new.txt").write_text("A badger came.")  # so that it is written to
    try:
        assert len(service.search("badger", [str(folder)], 3)) == 1
        assert len(service.search("fox hedge", [str(folder)], 70)) == 60
    finally:
        service.close()


def test_vectors_outlive_terms_that_are_made_in_another_way(tmp_path: Path, folder: Path) -> None:
    (folder / "a.txt").write_text("The fox.")
    database = tmp_path / "documents.db"
    service = DocumentService(database, lambda event: None)
    service.update([str(folder)])
    service.close()
    with sqlite3.connect(database) as connection:
        connection.execute("INSERT INTO embedders VALUES (7, 'model 2')")
        connection.execute("INSERT INTO vectors SELECT 1, hash, 7, x'0000' FROM chunks")
        connection.execute("UPDATE meta SET value = 'of old' WHERE key = 'analysis'")
    connection.close()
    service = DocumentService(database, lambda event: None)
    assert len(service.search("fox", [str(folder)], 3)) == 1
    service.close()
    with sqlite3.connect(database) as connection:
        (kept,) = connection.execute("SELECT count(*) FROM vectors JOIN chunks USING (hash)").fetchone()
        assert (kept, connection.execute("PRAGMA user_version").fetchone()[0]) == (1, schema.SCHEMA_VERSION)
        connection.execute("INSERT INTO chunk_terms (chunk_terms) VALUES ('integrity-check')")
    connection.close()


def test_an_index_that_cannot_be_locked(impatient: DocumentService, tmp_path: Path, folder: Path) -> None:
    (folder / "a.txt").write_text("The fox.")
    (tmp_path / "documents.db.lock").mkdir()
    for _ in range(2):
        with pytest.raises(AppError, match="cannot be used"):
            impatient.update([str(folder)])


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.expect_log("could not be read as .*:\\nsignal SIGKILL")
def test_a_file_that_ends_its_reader_twice_is_given_up_and_it_is_told_how(folder: Path) -> None:
    path = folder / "a.txt"
    path.write_text("The fox. " * 100_000)
    reader = ReadingProcess(Limits())
    reader.submit(str(path), DocumentFormat.TEXT)
    killer = threading.Thread(target=_kill_readers, args=(2,))
    killer.start()
    (failure,) = reader.messages()
    killer.join()
    reader.stop()
    assert isinstance(failure, ErrorInfo)
    assert "made the reader crash" in failure.text()


def _kill_readers(count: int) -> None:
    killed: set[int] = set()
    while len(killed) < count:
        for child in psutil.Process().children():
            with contextlib.suppress(psutil.Error):  # gone meanwhile
                if child.pid not in killed and "resource_tracker" not in " ".join(child.cmdline()):
                    child.kill()
                    killed.add(child.pid)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everything")
def test_an_index_that_cannot_be_written(tmp_path: Path, folder: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    service = DocumentService(locked / "documents.db", lambda event: None)
    try:
        with pytest.raises(AppError, match="cannot be used"):
            service.update([str(folder)])
    finally:
        service.close()
