"""The window by the keyboard alone: the way of Tab, and where the cursor stands."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.domain.messages import Message, ReasoningPart, Role
from ui.shell.window import MainWindow

Settle = Callable[[Callable[[], bool]], None]


def focused() -> QWidget:
    widget = QApplication.focusWidget()
    assert widget is not None
    return widget


def part_of(widget: QWidget, window: MainWindow) -> str:
    views = window.views
    named = (
        ("composer", views.composer),
        ("chips", views.chips),
        ("transcript", views.transcript),
        ("welcome", views.welcome),
        ("sidebar", views.sidebar),
        ("bar", views.top_bar),
        ("drawer", views.drawer),
    )
    return next(name for name, part in named if part is widget or part.isAncestorOf(widget))


@pytest.fixture
def active(window: MainWindow, settle: Settle) -> MainWindow:
    window.resize(1100, 700)
    window.activateWindow()
    window.views.composer.setFocus()
    settle(lambda: QApplication.focusWidget() is window.views.composer.focusProxy())
    return window


def round_trip(qtbot: QtBot, key: Qt.Key = Qt.Key.Key_Tab) -> list[QWidget]:
    """What Tab reaches from here until it is here again."""
    way = [focused()]
    for _ in range(60):
        qtbot.keyClick(focused(), key)
        if focused() is way[0]:
            return way
        if focused() is not way[-1]:  # links inside a text are stops, too
            way.append(focused())
    raise AssertionError("Tab does not come back")


def test_tab_goes_from_the_composer_through_the_answer_and_around(
    active: MainWindow, services: Any, stored: Callable[..., Message], settle: Settle, qtbot: QtBot
) -> None:
    conversation = services.store.create(title="Long", documents=["/x.md"])
    for number in range(6):
        before = f"a{number - 1}" if number else None
        stored(conversation.id, f"q{number}", Role.USER, "why?", parent=before)
        answer = "Because.\n\n```python\nprint()\n```\n\nAnd so on."
        stored(conversation.id, f"a{number}", Role.ASSISTANT, ReasoningPart("Hm", 1.0, 2), answer, parent=f"q{number}")
    active.chat.open(conversation.id)
    settle(lambda: len(active.chat.messages) == 12)
    active.views.transcript.flush()
    way = round_trip(qtbot)
    parts = [part_of(widget, active) for widget in way]
    assert list(dict.fromkeys(parts)) == ["composer", "chips", "transcript", "sidebar", "bar"]
    assert sum(one != other for one, other in pairwise(parts)) == 4
    assert not [widget for widget in way if widget.visibleRegion().isEmpty()]
    shown = [widget for widget, part in zip(way, parts, strict=True) if part == "transcript"][1:]
    assert len(shown) > 5
    middles = [widget.mapTo(active, QPoint(0, widget.height() // 2)).y() for widget in shown]
    assert all(lower >= upper - 12 for upper, lower in pairwise(middles))
    back = round_trip(qtbot, Qt.Key.Key_Backtab)
    assert back == [way[0], *reversed(way[1:])]


def test_on_another_page_tab_goes_round_there(active: MainWindow, qtbot: QtBot) -> None:
    page = active.pages.open("models")
    active.views.sidebar.search.setFocus()
    way = round_trip(qtbot)
    assert any(page.isAncestorOf(widget) for widget in way)
    assert not [widget for widget in way if active.views.composer.isAncestorOf(widget)]
    active.escape()
    assert focused() is active.views.composer.focusProxy()


def test_opening_a_chat_puts_the_cursor_into_the_composer(
    active: MainWindow, services: Any, settle: Settle, qtbot: QtBot
) -> None:
    conversation = services.store.create(title="Bread")
    services.store.create(title="Lisbon")
    active.features.conversations.refresh()
    listed = active.views.sidebar.list
    settle(lambda: active.views.sidebar.model.index_of(conversation.id).isValid())
    listed.setFocus()
    listed.setCurrentIndex(active.views.sidebar.model.index_of(conversation.id))
    qtbot.keyClick(listed, Qt.Key.Key_Return)
    settle(lambda: active.chat.conversation is not None and focused() is active.views.composer.focusProxy())
    listed.setFocus()
    active.features.conversations.refresh()
    active.chat.open(conversation.id)  # by itself, as another version of an answer is
    settle(lambda: active.views.top_bar.title.full_text() == "Bread")
    assert focused() is listed
