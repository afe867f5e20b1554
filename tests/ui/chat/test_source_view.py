"""The passage behind a citation."""

from pathlib import Path

import pytest
from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices, QTextCursor
from PySide6.QtWidgets import QApplication, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from app.domain.messages import CitationPart
from app.domain.sources import Locator
from ui.chat.source_view import SourceView


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "boat <b>manual.md"
    path.write_text("x", encoding="utf-8")
    return path


def texts(view: SourceView) -> list[str]:
    return [label.text() for label in view.findChildren(QLabel)]


def test_it_names_file_and_place_and_shows_the_stored_words(qtbot: QtBot, themed: QApplication, file: Path) -> None:
    locator = Locator(page=3, heading="Range", line_start=4, line_end=9)
    view = SourceView(CitationPart(2, str(file), locator, "<script>80 km</script>"))
    qtbot.addWidget(view)
    assert file.name in texts(view)
    assert "Range, page 3, lines 4 to 9" in texts(view)
    assert view.text.toPlainText() == "<script>80 km</script>"
    assert view.windowTitle() == "Source 2"


def test_the_file_is_opened_by_a_press_only(
    qtbot: QtBot, themed: QApplication, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[QUrl] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)
    view = SourceView(CitationPart(1, str(file), Locator(), "words"))
    qtbot.addWidget(view)
    view.show()
    assert opened == []
    next(button for button in view.findChildren(QPushButton) if button.text() == "Open file").click()
    assert [url.toLocalFile() for url in opened] == [str(file)]


def test_a_file_that_is_gone_is_told(qtbot: QtBot, themed: QApplication, tmp_path: Path) -> None:
    view = SourceView(CitationPart(1, str(tmp_path / "gone.pdf"), Locator(), "the words stay"))
    qtbot.addWidget(view)
    view.show()
    assert view.text.toPlainText() == "the words stay"
    button = next(button for button in view.findChildren(QPushButton) if button.text() == "Open file")
    assert not button.isEnabled()
    assert any("no longer there" in text for text in texts(view))


def test_a_quote_on_one_line_is_found_in_wrapped_text(qtbot: QtBot, themed: QApplication, file: Path) -> None:
    view = SourceView(CitationPart(1, str(file), Locator(), "the middle (of it)"), None)
    qtbot.addWidget(view)
    view.show_context("before\n\nthe  middle\n(of it) after")
    assert view.text.toPlainText().split() == ["before", "the", "middle", "(of", "it)", "after"]


def test_in_its_context_only_the_quote_is_marked(qtbot: QtBot, themed: QApplication, file: Path) -> None:
    view = SourceView(CitationPart(1, str(file), Locator(), "the middle"))
    qtbot.addWidget(view)
    view.show_context("before, the middle, after")
    assert view.text.toPlainText() == "before, the middle, after"
    marked = []
    cursor = QTextCursor(view.text.document())
    for position in range(1, len("before, the middle, after") + 1):
        cursor.setPosition(position)
        if cursor.charFormat().background().color().alpha() and cursor.charFormat().hasProperty(0x820):
            marked.append(view.text.toPlainText()[position - 1])
    assert "".join(marked) == "the middle"
