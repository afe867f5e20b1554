"""The window around the chat: sidebar, places, documents, errors."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QDropEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QLineEdit, QPlainTextEdit
from pytestqt.qtbot import QtBot

from app.domain.errors import ErrorInfo
from app.domain.events import BackgroundFailed, EngineDied, IndexProgress, ModelLoading
from app.domain.messages import CitationPart, Message, Role
from app.domain.sources import Locator
from ui.bridge import Bridge
from ui.chat.source_view import SourceView
from ui.shell.about import AboutDialog
from ui.shell.current_chat import sample_folder
from ui.shell.sources import open_link
from ui.shell.window import MainWindow
from ui.theme import current_theme

Settle = Callable[[Callable[[], bool]], None]
ERROR = ErrorInfo("engine-died", "The model's process ended.", "Ask again.", detail="signal 11")


def titles(window: MainWindow) -> list[str]:
    return [conversation.title for conversation in window.views.sidebar.model.conversations()]


@pytest.fixture
def three(services: Any, stored: Callable[..., Message], window: MainWindow, settle: Settle) -> dict[str, str]:
    """Three conversations: title -> id."""
    ids = {}
    for title in ("Boiler", "Lisbon", "Bread"):
        conversation = services.store.create(title=title)
        stored(conversation.id, f"q-{title}", Role.USER, f"Tell me of the {title.lower()} and the ferry.")
        ids[title] = conversation.id
    window.features.conversations.refresh()
    settle(lambda: titles(window) == ["Bread", "Lisbon", "Boiler"])
    return ids


def test_first_there_is_a_welcome_and_the_samples_are_one_press_away(
    window: MainWindow, services: Any, settle: Settle
) -> None:
    assert window.views.stack.currentWidget() is window.views.welcome
    card = window.views.welcome.cards[0]
    assert "sample documents" in card.accessibleName()
    card.click()
    settle(lambda: bool(services.chat.commands))
    conversation = services.store.conversation(services.chat.prompt.conversation_id)
    assert conversation.documents == (str(sample_folder()),)
    assert any(sample_folder().iterdir())


def test_renaming_in_place(
    window: MainWindow, services: Any, three: dict[str, str], settle: Settle, qtbot: QtBot
) -> None:
    listed = window.views.sidebar.list
    listed.setCurrentIndex(window.views.sidebar.model.index_of(three["Lisbon"]))
    listed.setFocus()
    qtbot.keyClick(listed, Qt.Key.Key_F2)
    editor = listed.findChild(QLineEdit)
    assert isinstance(editor, QLineEdit)
    editor.setText("Portugal")
    window.features.conversations.refresh()
    assert listed.editing
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    settle(lambda: titles(window) == ["Bread", "Portugal", "Boiler"])
    assert services.store.conversation(three["Lisbon"]).titled_by_person


def test_deleting_can_be_taken_back(
    window: MainWindow, services: Any, three: dict[str, str], settle: Settle, qtbot: QtBot
) -> None:
    window.chat.open(three["Boiler"])
    settle(lambda: window.chat.conversation is not None)
    listed = window.views.sidebar.list
    qtbot.keyClick(listed, Qt.Key.Key_Delete)
    settle(lambda: titles(window) == ["Bread", "Lisbon"])
    assert window.chat.conversation is None
    assert window.views.toast.isVisible()
    window.views.toast.press()
    settle(lambda: titles(window) == ["Bread", "Lisbon", "Boiler"] and window.chat.conversation is not None)
    assert window.chat.conversation.id == three["Boiler"]


def test_searching_finds_words_of_the_talk(window: MainWindow, three: dict[str, str], settle: Settle) -> None:
    window.actions_by_text["Search chats"].trigger()
    window.views.sidebar.search.setText("boil")
    settle(lambda: titles(window) == ["Boiler"])
    window.views.sidebar.search.setFocus()
    window.escape()
    settle(lambda: len(titles(window)) == 3)


def test_opening_shows_title_and_documents(window: MainWindow, services: Any, settle: Settle, tmp_path: Path) -> None:
    conversation = services.store.create(title="With papers", documents=[str(tmp_path)])
    window.views.sidebar.list.opened.emit(conversation.id)
    settle(lambda: window.windowTitle() == "With papers - Alcove")
    assert window.views.top_bar.title.full_text() == "With papers"
    assert window.views.chips.paths == (str(tmp_path),)
    window.documents.remove(str(tmp_path))
    settle(lambda: services.store.conversation(conversation.id).documents == ())


def test_a_restart_shows_the_same(
    window: MainWindow,
    make_window: Callable[[], MainWindow],
    services: Any,
    three: dict[str, str],
    settle: Settle,
) -> None:
    window.chat.open(three["Lisbon"])
    settle(lambda: window.chat.conversation is not None)
    window.views.drawer.open("tools")
    window.toggle_sidebar()
    window.resize(760, 600)
    window.close()
    again = make_window()
    settle(lambda: again.chat.conversation is not None)
    assert again.chat.conversation is not None
    assert again.chat.conversation.id == three["Lisbon"]
    assert again.views.tool_panel.isVisible()
    assert again.views.sidebar.isHidden()
    assert again.size() == window.size()


def test_a_deleted_conversation_is_not_opened_at_the_start(
    window: MainWindow,
    make_window: Callable[[], MainWindow],
    services: Any,
    three: dict[str, str],
    settle: Settle,
    qtbot: QtBot,
) -> None:
    window.chat.open(three["Lisbon"])
    settle(lambda: window.chat.conversation is not None)
    window.close()
    services.store.delete(three["Lisbon"])
    again = make_window()
    settle(lambda: titles(again) == ["Bread", "Boiler"])
    assert again.chat.conversation is None


def test_dropped_documents_are_added_and_a_model_is_offered(
    window: MainWindow, services: Any, settle: Settle, tmp_path: Path
) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path)), QUrl.fromLocalFile("/models/smol.gguf"), QUrl("https://x.org")])
    action = Qt.DropAction.CopyAction
    event = QDropEvent(QPointF(5, 5), action, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    window.dropEvent(event)
    assert window.documents.scope == (str(tmp_path),)
    assert window.views.toast.isVisible()
    assert services.model_choice.selected == []
    window.views.toast.press()
    settle(lambda: services.model_choice.selected == ["/models/smol.gguf"])


def test_errors_stand_in_one_banner_and_the_window_goes_on(window: MainWindow, services: Any, settle: Settle) -> None:
    services.mailbox.publish(EngineDied("/x.gguf", ERROR))
    settle(lambda: window.views.banner.text() == "The model's process ended. Ask again.")
    services.mailbox.publish(BackgroundFailed("documents", ErrorInfo("busy", "Another program reads.", "")))
    settle(lambda: window.views.banner.text() == "Another program reads.")
    window.escape()
    assert window.views.banner.text() == ""
    assert QApplication.activeModalWidget() is None


def test_a_banners_details_scroll_and_leave_the_window_its_size(
    window: MainWindow, services: Any, settle: Settle, qtbot: QtBot
) -> None:
    conversation = services.store.create(title="With papers", documents=["/a", "/b"])
    window.chat.open(conversation.id)
    settle(lambda: window.chat.conversation is not None)
    window.resize(900, 600)
    window.show_error(replace(ERROR, detail="\n".join(f"line {number} " + "of a trace " * 20 for number in range(60))))
    details = next(button for button in window.views.banner.findChildren(QAbstractButton) if button.text() == "Details")
    qtbot.mouseClick(details, Qt.MouseButton.LeftButton)
    text = window.views.banner.findChild(QPlainTextEdit)
    assert isinstance(text, QPlainTextEdit)
    settle(lambda: text.isVisible() and text.verticalScrollBar().maximum() > 0)
    assert text.toPlainText().endswith("of a trace ")
    assert window.minimumSizeHint().height() <= 600
    assert (window.width(), window.height()) == (900, 600)


def test_an_error_stays_in_the_chat_where_it_came(window: MainWindow, three: dict[str, str], settle: Settle) -> None:
    window.chat.open(three["Lisbon"])
    settle(lambda: window.chat.conversation is not None)
    window.show_error(ERROR)
    window.chat.open(three["Lisbon"])
    window.chat.changed.emit(window.chat.conversation)
    assert window.views.banner.text() != ""
    window.views.sidebar.list.opened.emit(three["Bread"])
    settle(lambda: window.views.banner.text() == "")


def test_what_is_told_at_the_start_stays_while_the_last_chat_is_read(
    window: MainWindow,
    make_window: Callable[[], MainWindow],
    three: dict[str, str],
    settle: Settle,
    services: Any,
    bridge: Bridge,
    qtbot: QtBot,
) -> None:
    window.chat.open(three["Lisbon"])
    settle(lambda: window.chat.conversation is not None)
    window.show_error(ERROR)
    window.close()
    again = MainWindow(services, bridge)
    qtbot.addWidget(again)
    again.show()
    again.tell_of_crash(ErrorInfo("crashed", "It ended.", ""))
    again.start()
    settle(lambda: again.chat.conversation is not None)
    assert again.views.banner.text() == "It ended."
    again.new_chat()
    assert again.views.banner.text() == ""


def test_the_title_is_readable_in_a_small_window_with_everything_open(
    window: MainWindow, services: Any, settle: Settle
) -> None:
    services.model_choice.files = [
        replace(services.model_choice.files[0], name="Qwen3-30B-A3B-Thinking-2507-UD-Q4_K_XL")
    ]
    services.model_choice.chosen = services.model_choice.files[0]
    window.models.refresh()
    settle(lambda: window.views.picker.text().startswith("Qwen3-30B"))
    window.resize(900, 600)
    window.views.drawer.open("model")
    bar = window.views.top_bar
    settle(lambda: bar.width() <= 430 and bar.title.width() >= 100)
    assert window.views.picker.geometry().right() < window.views.top_bar.width()


def test_the_about_box_shows_all_it_says(window: MainWindow, settle: Settle) -> None:
    window.about()
    box = window.findChild(AboutDialog)
    assert isinstance(box, AboutDialog)
    settle(box.isVisible)
    for label in box.findChildren(QLabel):
        assert label.height() >= label.heightForWidth(label.width())
    box.reject()


def test_loading_and_reading_are_told_below(window: MainWindow, services: Any, settle: Settle) -> None:
    services.mailbox.publish(ModelLoading("/models/x.gguf", "x", 0.4))
    services.mailbox.publish(IndexProgress(12, 80, "/a"))
    settle(lambda: window.status.texts() == ["Loading x", "Reading 12 of 80 files"])


def test_without_a_model_the_composer_says_why(window: MainWindow, services: Any, settle: Settle) -> None:
    services.model_choice.chosen = None
    window.models.refresh()
    settle(lambda: window.views.composer._hint.text() == "Choose a model first")


def test_a_citation_opens_its_passage_in_its_context(window: MainWindow, services: Any, settle: Settle) -> None:
    services.documents.text = "Before. The ferry takes 40 minutes. After."
    window.views.transcript.citation_activated.emit(CitationPart(1, "/a.md", Locator(), "The ferry takes 40 minutes."))
    view = window.findChild(SourceView)
    assert isinstance(view, SourceView)
    settle(lambda: view.text.toPlainText() == services.documents.text)
    view.reject()


@pytest.mark.parametrize(
    ("address", "opened"),
    [("https://x.org/a", True), ("file:///etc/passwd", False), ("javascript:alert(1)", False), ("relative.md", False)],
)
def test_links_open_only_what_a_browser_shows(
    address: str, opened: bool, monkeypatch: pytest.MonkeyPatch, themed: QApplication
) -> None:
    seen: list[QUrl] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", seen.append)
    open_link(address)
    assert bool(seen) is opened


def test_the_scheme_changes_at_once(window: MainWindow, settle: Settle, themed: QApplication) -> None:
    window.settings.save({"theme": "dark"})
    settle(lambda: current_theme(themed).dark)
    assert current_theme(themed).surface in window.styleSheet()


def test_every_button_has_a_name(window: MainWindow) -> None:
    window.views.drawer.open("tools")
    nameless = [
        button.objectName() or type(button).__name__
        for button in window.findChildren(QAbstractButton)
        if button.isVisible() and not (button.text().strip() or button.accessibleName())
    ]
    assert nameless == []
