"""Where the window was and what it showed, as one opaque string in the settings."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from PySide6.QtCore import QRect

GRIP = (120, 40)  # px of the window's upper edge that must be on a screen, so that it can be moved


@dataclass(frozen=True, slots=True)
class Place:
    """``window`` and ``splitter`` are Qt's own states in hexadecimal digits."""

    window: str = ""
    splitter: str = ""
    conversation: str = ""
    sidebar: bool = True
    panel: str = ""  # the page of the drawer that is open

    def encoded(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)


def decoded(text: str) -> Place:
    """The place that ``text`` tells of; what cannot be read takes its default."""
    try:
        stored = json.loads(text or "{}")
    except ValueError:
        return Place()
    if not isinstance(stored, dict):
        return Place()
    defaults = asdict(Place())
    known: dict[str, Any] = {
        name: value for name, value in stored.items() if name in defaults and type(value) is type(defaults[name])
    }
    return Place(**known)


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
