"""Where the window was and what it showed, as one opaque string in the settings."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from PySide6.QtCore import QByteArray, QRect
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMainWindow

from ui.shell.views import Views

GRIP = (120, 40)  # px of the window's upper edge that must be on a screen, so that it can be moved


@dataclass(frozen=True, slots=True)
class WindowState:
    """``window`` and ``splitter`` are Qt's own states in hexadecimal digits."""

    window: str = ""
    splitter: str = ""
    conversation: str = ""
    sidebar: bool = True
    panel: str = ""  # the page of the drawer that is open

    def encoded(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)


def decoded(text: str) -> WindowState:
    """The state that ``text`` tells of; what cannot be read takes its default."""
    try:
        stored = json.loads(text or "{}")
    except ValueError:
        return WindowState()
    if not isinstance(stored, dict):
        return WindowState()
    defaults = asdict(WindowState())
    known: dict[str, Any] = {
        name: value for name, value in stored.items() if name in defaults and type(value) is type(defaults[name])
    }
    return WindowState(**known)


def state_of(window: QMainWindow, views: Views, conversation: str) -> WindowState:
    return WindowState(
        window=_hex(window.saveGeometry()),
        splitter=_hex(views.splitter.saveState()),
        conversation=conversation,
        sidebar=not views.sidebar.isHidden(),
        panel=views.drawer.page,
    )


def restore(state: WindowState, window: QMainWindow, views: Views) -> None:
    """Put the window where it was; whoever shows conversations opens the one of then."""
    if state.window:
        window.restoreGeometry(QByteArray.fromHex(state.window.encode()))
        screens = [screen.availableGeometry() for screen in QGuiApplication.screens()]
        if (rect := reachable(window.geometry(), screens)) != window.geometry():
            window.setGeometry(rect)  # its screen is gone, or smaller now
    if state.splitter:
        views.splitter.restoreState(QByteArray.fromHex(state.splitter.encode()))
    views.sidebar.setVisible(state.sidebar)
    views.drawer.open(state.panel)


def reachable(window: QRect, screens: Sequence[QRect]) -> QRect:
    """Where a window can be seen and moved: ``window`` itself, or made smaller and put on the first of ``screens``."""
    if not screens:
        return window
    upper = QRect(window.x(), window.y(), window.width(), GRIP[1])
    for screen in screens:
        shown = upper.intersected(screen)
        if shown.width() >= GRIP[0] and shown.height() >= GRIP[1] // 2:
            return window
    first = screens[0]
    placed = QRect(0, 0, min(window.width(), first.width()), min(window.height(), first.height()))
    placed.moveCenter(first.center())
    return placed


def _hex(state: QByteArray) -> str:
    return bytes(state.toHex().data()).decode()
