"""The documents of the conversation on the screen."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from app.domain.errors import ErrorInfo
from app.domain.events import IndexFinished, IndexProgress
from ui.bridge import Bridge
from ui.documents.button import DocumentsButton
from ui.documents.controller import DocumentsController
from ui.widgets.chips import ChipRow

Settle = Callable[[Callable[[], bool]], None]


@pytest.fixture
def chips(qtbot: QtBot, themed: object) -> ChipRow:
    chips = ChipRow()
    qtbot.addWidget(chips)
    return chips


@pytest.fixture
def documents(qtbot: QtBot, services: Any, bridge: Bridge, chips: ChipRow) -> DocumentsController:
    button = DocumentsButton()
    qtbot.addWidget(button)
    return DocumentsController(services, bridge, button, chips)


def test_what_is_added_is_read_watched_and_shown(
    documents: DocumentsController, chips: ChipRow, services: Any, settle: Settle, tmp_path: Path, qtbot: QtBot
) -> None:
    folder = str(tmp_path)
    with qtbot.waitSignal(documents.scope_changed) as changed:
        documents.add([folder, folder])
    assert changed.args == [[folder]]
    settle(lambda: services.documents.watched == (folder,))
    assert services.documents.scopes == [(folder,)]
    assert chips.paths == (folder,)
    assert not chips.isHidden()
    documents.add([folder])
    assert documents.scope == (folder,)
    with qtbot.waitSignal(documents.scope_changed) as changed:
        documents.remove(folder)
    assert changed.args == [[]]
    assert chips.isHidden()


def test_another_conversation_brings_its_own(
    documents: DocumentsController, chips: ChipRow, services: Any, settle: Settle
) -> None:
    told: list[object] = []
    documents.scope_changed.connect(told.append)
    documents.show(("/a", "/b"))
    documents.show(("/a", "/b"))
    settle(lambda: services.documents.watched == ("/a", "/b"))
    assert services.documents.scopes == [("/a", "/b")]
    documents.show(())
    assert chips.paths == ()
    assert told == []


def test_reading_is_followed_and_what_is_left_out_is_told_once(
    documents: DocumentsController, services: Any, settle: Settle
) -> None:
    progress: list[tuple[int, int]] = []
    errors: list[ErrorInfo] = []
    documents.progress_changed.connect(lambda done, total: progress.append((done, total)))
    documents.failed.connect(errors.append)
    services.mailbox.publish(IndexProgress(12, 80, "/a/x.pdf"))
    for _ in range(2):
        services.mailbox.publish(IndexFinished(("/a",), 79, (("/a/scan.pdf", "It holds no text."),)))
    settle(lambda: len(progress) == 3)
    assert progress == [(12, 80), (0, 0), (0, 0)]
    assert [error.text() for error in errors] == ["scan.pdf was left out: It holds no text."]
    services.mailbox.publish(IndexFinished(("/b",), 3, (("/b/x", "Why."), ("/b/y", "Why not."))))
    settle(lambda: len(errors) == 2)
    assert errors[1].text() == "2 files were left out, 3 can be read. The details name each with its reason."
    assert errors[1].detail == "/b/x: Why.\n/b/y: Why not."


def test_the_dialogs_give_what_was_chosen(
    documents: DocumentsController, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "/folder")
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_: (["/x.md", "/y.md"], ""))
    button = documents._button
    button.folder_action.trigger()
    button.files_action.trigger()
    assert documents.scope == ("/folder", "/x.md", "/y.md")
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "")
    button.folder_action.trigger()
    assert len(documents.scope) == 3
