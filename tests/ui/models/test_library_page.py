"""The tab "On this computer" over real files."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from app.domain.errors import ErrorInfo
from app.domain.library import LibraryModel
from app.storage.paths import Paths
from ui.bridge import Bridge
from ui.models.dialogs import ImportDialog, RemoveDialog
from ui.models.lane import Lane
from ui.models.library.model import Column, LibraryTableModel
from ui.models.manager import ModelManager
from ui.models.page import ModelsPage
from ui.models.words import context_text, count_text, time_text

Settle = Callable[[Callable[[], bool]], None]


def names(page: ModelsPage) -> list[str]:
    model = page.library.model
    return [model.index(row, Column.NAME).data() for row in range(model.rowCount())]


def row(page: ModelsPage, name: str) -> list[str]:
    model = page.library.model
    return [model.index(names(page).index(name), column).data() for column in Column]


def choose(page: ModelsPage, name: str) -> None:
    page.library.table.selectRow(names(page).index(name))


@pytest.fixture
def own(home: Paths, make: Any) -> Path:
    """A model of the library's own folder."""
    path = home.models / "Big-Q4_K_M.gguf"
    path.write_bytes(make.gguf(300_000))
    return path


def test_it_shows_what_the_headers_say(own: Path, page: ModelsPage, shipped: Path) -> None:
    assert row(page, "Big-Q4_K_M") == ["Big-Q4_K_M", "Q4_K_M", "8 of 384", "256K", "300 KB", str(own.parent)]
    assert row(page, "alcove-tiny")[2:] == ["8 of 16", "2K", "1.7 KB", "Installed with Alcove"]


def test_using_one(own: Path, page: ModelsPage, told: Any, manager: ModelManager, qtbot: QtBot) -> None:
    choose(page, "Big-Q4_K_M")
    page.library.use.click()
    assert told.used == [str(own)]
    manager.set_current(str(own))
    assert not page.library.use.isEnabled()
    choose(page, "alcove-tiny")
    qtbot.keyClick(page.library.table, Qt.Key.Key_Return)
    assert len(told.used) == 2


def test_verifying_tells_the_outcome(own: Path, page: ModelsPage, settle: Settle) -> None:
    choose(page, "Big-Q4_K_M")
    page.library.verify.click()
    settle(lambda: "is whole" in page.library.note.text())
    own.write_bytes(own.read_bytes()[:200_000])
    page.library.verify.click()
    settle(lambda: page.library.note.text() != "" and "is whole" not in page.library.note.text())


def test_removing_asks_first(own: Path, page: ModelsPage, told: Any, settle: Settle) -> None:
    choose(page, "alcove-tiny")
    assert not page.library.remove.isEnabled()
    choose(page, "Big-Q4_K_M")
    page.library.remove.click()
    dialog = page.window().findChild(RemoveDialog)
    assert isinstance(dialog, RemoveDialog)
    assert own.exists()
    dialog.accept()
    settle(lambda: names(page) == ["alcove-tiny"])
    assert not own.exists()
    assert told.changes == 1


def test_a_folder_is_added_and_forgotten(
    page: ModelsPage, make: Any, tmp_path: Path, services: Any, settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "others"
    folder.mkdir()
    (folder / "Theirs-Q8_0.gguf").write_bytes(make.gguf(3000))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(folder))
    page.library.ask_folder()
    settle(lambda: "Theirs-Q8_0" in names(page))
    choose(page, "Theirs-Q8_0")
    page.library.remove.click()
    dialog = page.window().findChild(RemoveDialog)
    assert isinstance(dialog, RemoveDialog)
    dialog.accept()
    settle(lambda: "Theirs-Q8_0" not in names(page))
    assert services.settings.get().model_folders == ()
    assert (folder / "Theirs-Q8_0.gguf").exists()


@pytest.mark.parametrize("way", ["copy", "move", "register"])
def test_importing(
    way: str, page: ModelsPage, make: Any, tmp_path: Path, home: Paths, settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "Mine-Q5_K_M.gguf"
    file.write_bytes(make.gguf(50_000))
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(file), ""))
    page.library.ask_file()
    dialog = page.window().findChild(ImportDialog)
    assert isinstance(dialog, ImportDialog)
    dialog.way.setCurrentIndex(dialog.way.findData(way))
    dialog.accept()
    settle(lambda: "Mine-Q5_K_M" in names(page))
    chosen = page.library.chosen()
    assert chosen is not None
    assert Path(chosen.path) == (file if way == "register" else home.models / file.name)
    assert file.exists() is (way != "move")


def test_what_is_no_model_is_refused_in_a_sentence(
    page: ModelsPage, told: Any, tmp_path: Path, settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "notes.gguf"
    file.write_text("hello")
    page.library.import_requested.emit(str(file))
    dialog = page.window().findChild(ImportDialog)
    assert isinstance(dialog, ImportDialog)
    dialog.accept()
    settle(lambda: bool(told.errors))
    assert "notes.gguf" in told.errors[0].text()


def test_a_damaged_file_is_named_and_cannot_be_used(home: Paths, page: ModelsPage, settle: Settle) -> None:
    (home.models / "bad-Q4_0.gguf").write_bytes(b"GGUFnonsense")
    page.library.folder_added.emit(str(home.models))
    settle(lambda: "bad-Q4_0" in names(page))
    choose(page, "bad-Q4_0")
    assert not page.library.use.isEnabled()
    assert page.library.note.text() != ""


def test_ten_thousand_rows_are_no_matter(qtbot: QtBot, themed: object) -> None:
    model = LibraryTableModel()
    made = [LibraryModel(f"m{n}", f"/m/{n}", n * 1000, context=4096) for n in range(10_000)]
    model.show(made)
    model.sort(Column.SIZE, Qt.SortOrder.DescendingOrder)
    assert model.index(0, Column.NAME).data() == "m9999"
    model.show(made)
    assert model.index(0, Column.NAME).data() == "m9999"


def test_a_lane_answers_only_the_newest_question(bridge: Bridge, settle: Settle) -> None:
    lane = Lane(bridge)
    answers: list[object] = []
    errors: list[ErrorInfo] = []
    lane.ask(lambda cancel: cancel.wait(20) and cancel.raise_if_cancelled(), answers.append, errors.append)
    lane.ask(lambda _cancel: 2, answers.append, errors.append)
    lane.ask(lambda _cancel: 3, answers.append, errors.append)
    settle(lambda: not lane.busy)
    assert (answers, errors) == ([3], [])
    lane.ask(lambda cancel: cancel.wait(20) and cancel.raise_if_cancelled(), answers.append, errors.append)
    lane.stop()
    settle(lambda: not lane.busy)
    assert answers == [3]


def test_numbers_as_a_person_reads_them() -> None:
    assert [context_text(n) for n in (512, 2048, 8192, 128_000, 131_072, 262_144, 1_048_576)] == [
        *("512", "2K", "8K", "128K", "128K", "256K", "1M")
    ]
    counts = (7, 12_345, 135_000_000, 8_300_000_000, 30_000_000_000, 1_040_000_000_000)
    assert [count_text(n) for n in counts] == ["7", "12k", "135M", "8.3B", "30B", "1.04T"]
    assert [time_text(s) for s in (0.2, 59, 61, 5000, 20_000)] == [
        *("1 s left", "59 s left", "1 min left", "83 min left", "6 h left")
    ]
