"""The menus and keys of the main window."""

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMainWindow


@dataclass(frozen=True, slots=True)
class Entry:
    """One menu entry. ``keys`` in Qt's portable form, "" for none."""

    text: str
    keys: str
    run: Callable[[], object]
    role: QAction.MenuRole = QAction.MenuRole.NoRole


SEPARATOR = None


def fill_menus(window: QMainWindow, menus: dict[str, list[Entry | None]]) -> dict[str, QAction]:
    """Put the menus into the window's menu bar; returns the actions by their text."""
    actions: dict[str, QAction] = {}
    for title, entries in menus.items():
        menu = window.menuBar().addMenu(title)
        for entry in entries:
            if entry is None:
                menu.addSeparator()
                continue
            action = QAction(entry.text, window)
            action.setMenuRole(entry.role)
            if entry.keys:
                action.setShortcut(QKeySequence(entry.keys))
            action.triggered.connect(lambda _=False, run=entry.run: run())
            menu.addAction(action)
            actions[entry.text] = action
    return actions
