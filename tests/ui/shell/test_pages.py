"""A page is one declaration: menu, keys, button and place follow from it."""

from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from ui.bridge import Bridge
from ui.shell.features import Features
from ui.shell.pages import PAGES, Page
from ui.shell.window import MainWindow


class Notes(QLabel):
    def __init__(self) -> None:
        super().__init__("my notes")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)


@pytest.fixture
def made() -> list[QWidget]:
    return []


@pytest.fixture
def window(services: Any, bridge: Bridge, qtbot: QtBot, made: list[QWidget]) -> MainWindow:
    def make(features: Features) -> QWidget:
        assert features.services is services
        made.append(Notes())
        return made[-1]

    pages = (
        *PAGES,
        Page("notes", "Notes", "edit", "Ctrl+J", make),
        Page("side", "Side notes", "edit", "Ctrl+K", lambda _: QLabel("beside"), beside=True, label="Show or hide"),
    )
    window = MainWindow(services, bridge, pages)
    qtbot.addWidget(window)
    window.show()
    return window


def test_a_page_in_the_conversations_place(window: MainWindow, made: list[QWidget], qtbot: QtBot) -> None:
    assert made == []
    qtbot.keyClick(window, Qt.Key.Key_J, Qt.KeyboardModifier.ControlModifier)
    assert window.views.pages.currentWidget() is made[0]
    assert made[0].isVisible()
    window.escape()
    assert not made[0].isVisible()
    window.actions_by_text["Notes"].trigger()
    assert window.views.pages.currentWidget() is made[0]
    assert len(made) == 1


def test_a_page_beside_it(window: MainWindow) -> None:
    (button,) = [each for each in window.findChildren(QToolButton) if each.accessibleName() == "Show or hide (Ctrl+K)"]
    button.click()
    assert window.views.drawer.page == "side"
    window.actions_by_text["Side notes"].trigger()
    assert window.views.drawer.page == ""


def test_every_page_has_a_key_and_an_entry_of_its_own(window: MainWindow) -> None:
    for page in PAGES:
        action = window.actions_by_text[page.entry or page.title]
        assert action.shortcut().toString() == page.keys
    keys = [
        action.shortcut().toString() for action in window.actions_by_text.values() if not action.shortcut().isEmpty()
    ]
    assert len(keys) == len(set(keys))
