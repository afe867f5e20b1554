"""The service from outside: what is indexed, found, reported and refused."""

import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import pytest

from app.documents.index.index import FileStatus
from app.documents.reading.blocks import Limits
from app.documents.service import DocumentService
from app.domain.cancel import CancelToken
from app.domain.errors import AppError, Cancelled
from app.domain.events import IndexFinished, IndexProgress

MakePdf = Callable[[Sequence[str]], bytes]


class MakeService(Protocol):
    def __call__(self, limits: Limits | None = None, database: Path | None = None) -> DocumentService: ...


def _write(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return str(path)


def _paths(service: DocumentService, query: str, folder: Path) -> list[str]:
    return [os.path.relpath(passage.path, folder) for passage in service.search(query, [str(folder)], 10)]


def test_passages_are_found_with_their_place(service: DocumentService, folder: Path, make_pdf: MakePdf) -> None:
    _write(folder, "house.md", "# House\n\nIntro.\n\n## Roof\n\nThe tiles come from Holland.\n")
    (folder / "garden.pdf").write_bytes(make_pdf(["Garden\nRoses need sun.", "Pond\nThe newts live here."]))
    (tiles,) = service.search("Where do the tiles come from?", [str(folder)], 1)
    assert (tiles.path, tiles.locator.line_start) == (str(folder / "house.md"), 1)
    assert "Holland" in tiles.text
    (newts,) = service.search("newts", [str(folder)], 1)
    assert newts.locator.label() == "Pond, page 2"


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("We were installing the dishwashers.", "installed dishwasher"),
        ("Les chevaux dorment dans l'écurie de la ferme.", "CHEVAL ecuries"),
        ("Set core.autocrlf in the file.", "core.autocrlf"),
        ("Call getElementById here.", "element by id"),
        ("東京都の天気は晴れです。", "天気"),
        ("東京都の天気は晴れです。", "晴"),
        ("Der Straßenname ist lang.", "strassenname"),
        ("written in C++ mostly", "C++"),
    ],
)
def test_words_are_found_in_other_forms(service: DocumentService, folder: Path, text: str, query: str) -> None:
    _write(folder, "a.txt", text)
    assert _paths(service, query, folder) == ["a.txt"]


@pytest.mark.parametrize(
    "query", ["", "   ", '"', "a AND (", "NEAR(", "col:x*", "\x00\ud800", "'; DROP TABLE files", "-" * 5000]
)
def test_no_query_raises(service: DocumentService, folder: Path, query: str) -> None:
    _write(folder, "a.txt", "Something about drop and near.")
    assert len(service.search(query, [str(folder)], 3)) <= 1


def test_only_the_scope_is_searched(service: DocumentService, folder: Path) -> None:
    _write(folder, "one/a.txt", "The key is under the mat.")
    _write(folder, "two/b.txt", "The key is in the drawer.")
    service.update([str(folder)])
    found = service.search("key", [str(folder / "two")], 5)
    assert [Path(passage.path).name for passage in found] == ["b.txt"]


def test_a_files_name_counts(service: DocumentService, folder: Path) -> None:
    _write(folder, "lease.txt", "Signed by both parties in June.")
    _write(folder, "other.txt", "Nothing of interest, signed by nobody.")
    assert _paths(service, "lease", folder)[0] == "lease.txt"


def test_equal_passages_come_once(service: DocumentService, folder: Path) -> None:
    _write(folder, "a.txt", "The boiler hums.")
    _write(folder, "copy/b.txt", "The boiler hums.")
    _write(folder, "copy/c.md", "The boiler hums.")
    assert _paths(service, "boiler", folder) == ["a.txt"]
    assert len(service.files([str(folder)])) == 3


def test_changes_deletions_and_renames_are_seen_at_once(service: DocumentService, folder: Path) -> None:
    path = _write(folder, "a.txt", "The fox is red.")
    assert _paths(service, "fox", folder) == ["a.txt"]
    _write(folder, "a.txt", "The cat is red.")  # same size, and maybe the same time
    assert _paths(service, "fox", folder) == []
    assert _paths(service, "cat", folder) == ["a.txt"]
    Path(path).rename(folder / "b.txt")
    assert _paths(service, "cat", folder) == ["b.txt"]
    (folder / "b.txt").unlink()
    _write(folder, "c.txt", "Only a dog.")
    assert _paths(service, "cat", folder) == []


def test_an_unchanged_file_is_not_read_again(make_service: MakeService, folder: Path, events: list[object]) -> None:
    path = _write(folder, "a.txt", "The fox is red.")
    os.utime(path, (1_600_000_000, 1_600_000_000))
    first = make_service()
    first.update([str(folder)])
    assert any(isinstance(event, IndexFinished) for event in events)
    first.close()
    events.clear()
    again = make_service(Limits(stall_s=0.0))  # a child that is asked for anything fails at once
    assert len(again.search("fox", [str(folder)], 5)) == 1
    os.utime(path, (1_600_000_001, 1_600_000_001))  # another time, the same content
    assert len(again.search("fox", [str(folder)], 5)) == 1
    Path(path).rename(folder / "b.txt")
    assert len(again.search("fox", [str(folder)], 5)) == 1


def test_read_gives_the_whole_text_in_pieces(service: DocumentService, folder: Path) -> None:
    text = "\n".join(f"Line {n} tells of day {n}." for n in range(2000))
    path = _write(folder, "days.txt", text)
    whole = service.read(path, [str(folder)], 0, 10**6)
    assert (whole.text, whole.total) == (text, len(text))
    assert service.read("days.txt", [str(folder)], 1000, 50).text == text[1000:1050]
    assert service.read("days.txt", [str(folder)], 10**9, 50).text == ""


def test_read_stays_in_the_scope(service: DocumentService, folder: Path, tmp_path: Path) -> None:
    _write(folder, "a/x.txt", "inside")
    _write(folder, "b/x.txt", "inside too")
    secret = _write(tmp_path, "secret.txt", "outside")
    service.update([secret])
    for path in (secret, "../secret.txt", str(folder / ".." / "secret.txt"), "nothing.txt"):
        with pytest.raises(AppError, match="not among the chosen documents"):
            service.read(path, [str(folder)], 0, 10)
    with pytest.raises(AppError, match="Several documents"):
        service.read("x.txt", [str(folder)], 0, 10)
    assert service.read("b/x.txt", [str(folder)], 0, 10).text == "inside too"


def test_bad_files_among_good_ones_are_named(
    service: DocumentService, folder: Path, make_pdf: MakePdf, events: list[object]
) -> None:
    _write(folder, "good.txt", "The fox is red.")
    _write(folder, "empty.txt", "  \n")
    (folder / "scan.pdf").write_bytes(make_pdf([""]))
    (folder / "cut.pdf").write_bytes(b"%PDF-1.7 cut")
    (folder / "photo.jpg").write_bytes(b"\xff\xd8")
    (folder / "odd.txt").write_bytes(bytes(range(256)) * 20)
    service.add([str(folder)])
    report = service.update([str(folder)])
    assert report.indexed == (str(folder / "good.txt"),)
    reasons = {Path(path).name: reason for path, reason in report.skipped}
    assert "has no text." in reasons["empty.txt"]
    assert "looks scanned" in reasons["scan.pdf"]
    assert "damaged" in reasons["cut.pdf"]
    assert ".jpg files" in reasons["photo.jpg"]
    assert "is not text" in reasons["odd.txt"]
    statuses = {Path(file.path).name: file.status for file in service.status([str(folder)]).files}
    assert statuses["scan.pdf"] is FileStatus.EMPTY
    assert statuses["photo.jpg"] is FileStatus.UNSUPPORTED
    assert any(isinstance(event, IndexProgress) for event in events)
    (finished, *_) = [event for event in events if isinstance(event, IndexFinished)]
    assert (finished.indexed, len(finished.skipped)) == (1, 5)


def test_bad_input_alone_is_an_error(service: DocumentService, folder: Path, tmp_path: Path, make_pdf: MakePdf) -> None:
    def refused(*scope: Path) -> str:
        with pytest.raises(AppError) as caught:
            service.search("fox", [str(path) for path in scope], 3)
        return str(caught.value)

    assert "No documents were chosen" in refused()
    assert "There is no file or folder" in refused(tmp_path / "missing")
    assert "nothing to read in the folder" in refused(folder)
    (folder / "photo.jpg").write_bytes(b"\xff\xd8")
    assert "nothing to read in the folder" in refused(folder)
    (folder / "scan.pdf").write_bytes(make_pdf([""]))
    assert "looks scanned" in refused(folder / "scan.pdf")
    assert "looks scanned" in refused(folder)
    _write(folder, "empty.txt", "")
    assert "None of the 2 files" in refused(folder)


def test_a_missing_entry_beside_a_good_one_is_only_named(service: DocumentService, folder: Path) -> None:
    _write(folder, "a.txt", "The fox is red.")
    report = service.update([str(folder), str(folder / "gone")])
    assert len(report.indexed) == 1
    (folder / "a.txt").rename(folder / "b.txt")
    report = service.update([str(folder / "b.txt"), str(folder.parent / "gone")])
    assert [path for path, _ in report.skipped] == [str(folder.parent / "gone")]


def test_large_text_is_refused_without_reading_it(make_service: MakeService, folder: Path) -> None:
    with (folder / "huge.txt").open("wb") as file:
        file.truncate(1 << 30)
    service = make_service(Limits(stall_s=0.0))
    with pytest.raises(AppError, match="more than 64 MB of text"):
        service.search("fox", [str(folder)], 3)
    assert "huge.txt" in service.status([str(folder)]).skipped[0][0]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_pipes_links_and_hidden_files(service: DocumentService, folder: Path, tmp_path: Path) -> None:
    _write(folder, "a.txt", "The fox is red.")
    _write(folder, ".git/config.txt", "The fox is hidden.")
    os.mkfifo(folder / "pipe.txt")
    outside = _write(tmp_path, "outside/o.txt", "The fox is outside.")
    (folder / "link.txt").symlink_to(outside)
    (folder / "loop").symlink_to(folder)
    (folder / "same.txt").symlink_to(folder / "a.txt")
    report = service.update([str(folder)])
    assert report.indexed == (str(folder / "a.txt"),)
    reasons = {Path(path).name: reason for path, reason in report.skipped}
    assert set(reasons) == {"pipe.txt", "link.txt"}
    assert "not an ordinary file" in reasons["pipe.txt"]
    assert "outside the chosen folder" in reasons["link.txt"]
    with pytest.raises(AppError, match="not an ordinary file"):
        service.search("fox", [str(folder / "pipe.txt")], 3)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_forbidden_files_are_named_and_tried_again(service: DocumentService, folder: Path) -> None:
    path = Path(_write(folder, "a.txt", "The fox is red."))
    path.chmod(0)
    with pytest.raises(AppError, match="no permission"):
        service.search("fox", [str(folder)], 3)
    path.chmod(0o600)
    assert _paths(service, "fox", folder) == ["a.txt"]


def test_cancel_returns_at_once(service: DocumentService, folder: Path) -> None:
    _write(folder, "a.txt", "The fox is red.")
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        service.search("fox", [str(folder)], 3, cancel)
    assert _paths(service, "fox", folder) == ["a.txt"]


def test_a_closed_service_refuses_with_a_sentence(service: DocumentService, folder: Path) -> None:
    _write(folder, "a.txt", "The fox is red.")
    service.close()
    service.close()
    with pytest.raises(AppError, match="being closed"):
        service.search("fox", [str(folder)], 3)


def test_questions_from_many_threads(service: DocumentService, folder: Path) -> None:
    for n in range(20):
        _write(folder, f"{n}.txt", f"The fox number {n} is red.")
    found: list[int] = []
    threads = [
        threading.Thread(target=lambda n=n: found.append(len(service.search(f"fox {n}", [str(folder)], 5))))
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [5] * 8


def test_a_watched_folder_follows_changes(make_service: MakeService, folder: Path, tmp_path: Path) -> None:
    _write(folder, "a.txt", "The fox is red.")
    seen = threading.Event()
    service = DocumentService(
        tmp_path / "watched.db", lambda event: seen.set() if isinstance(event, IndexFinished) else None
    )
    try:
        service.watch([str(folder)])
        service.update([str(folder)])
        seen.clear()
        for n in range(20):  # the watcher may still be starting
            _write(folder, f"new{n}.txt", "The owl is grey.")
            if seen.wait(1.0):
                break
        assert service.find("owl", [str(folder)], 3)
    finally:
        service.close()
