"""Where the window was and what it showed, as one opaque string in the settings."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from PySide6.QtCore import QByteArray, QMargins, QPoint, QRect, QSize
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMainWindow

from ui.shell.views import Views

DEFAULT_SIZE = QSize(1280, 820)
FRAME = QMargins(2, 40, 2, 2)  # px that the system draws around a window; Qt knows them once it is shown


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
    """Put the window where it was, on a screen; whoever shows conversations opens the one of then."""
    screens = [screen.availableGeometry() for screen in QGuiApplication.screens()]
    if not (state.window and window.restoreGeometry(QByteArray.fromHex(state.window.encode()))):
        window.resize(fitted(QRect(QPoint(), DEFAULT_SIZE), screens).size())  # the system places it
    elif not window.isMaximized() and not window.isFullScreen():
        window.setGeometry(fitted(window.geometry(), screens))
    if state.splitter:
        views.splitter.restoreState(QByteArray.fromHex(state.splitter.encode()))
    views.sidebar.setVisible(state.sidebar)
    views.drawer.open(state.panel)


def fitted(window: QRect, screens: Sequence[QRect]) -> QRect:
    """Where a window is seen whole: ``window`` itself, or moved, and made smaller where it must be.

    It stays on the screen that shows most of it; where none does, the first takes it.
    """
    if not screens:
        return window
    screen = max(screens, key=lambda screen: _area(screen.intersected(window))).marginsRemoved(FRAME)
    if screen.contains(window):
        return window
    placed = QRect(window.topLeft(), window.size().boundedTo(screen.size()))
    placed.moveLeft(min(max(placed.left(), screen.left()), screen.right() + 1 - placed.width()))
    placed.moveTop(min(max(placed.top(), screen.top()), screen.bottom() + 1 - placed.height()))
    return placed


def _area(rect: QRect) -> int:
    return rect.width() * rect.height() if rect.isValid() else 0


def _hex(state: QByteArray) -> str:
    return bytes(state.toHex().data()).decode()
