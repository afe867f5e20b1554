"""The way of the Tab key: from one part of the window to the next, and in each as it is read.

Qt's own way follows the order in which widgets came into being; those of the transcript come and go.
"""

from collections.abc import Sequence
from functools import cmp_to_key

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QScrollArea, QWidget

from ui.chat.transcript import TranscriptView

SAME_LINE = 12  # px between the middles of two things that stand beside each other


def move_focus(parts: Sequence[QWidget], forward: bool) -> bool:
    """Focus what comes after (or before) what has the focus now; False where there is nothing else."""
    stops = [stop for part in parts for stop in stops_in(part)]
    focused = QApplication.focusWidget()
    if not stops or stops == [focused]:
        return False
    step = 1 if forward else -1
    at = stops.index(focused) if focused in stops else (-1 if forward else 0)
    stop = stops[(at + step) % len(stops)]
    stop.setFocus(Qt.FocusReason.TabFocusReason if forward else Qt.FocusReason.BacktabFocusReason)
    area = stop.parentWidget()
    while area is not None and not isinstance(area, QScrollArea):
        area = area.parentWidget()
    if area is not None:
        area.ensureWidgetVisible(stop)
    return True


def stops_in(part: QWidget) -> list[QWidget]:
    """What Tab reaches in a part, line by line."""
    found = [widget for widget in (part, *part.findChildren(QWidget)) if _is_stop(widget, part)]
    places = {widget: QRect(widget.mapTo(part, QPoint()), widget.size()) for widget in found}

    def compare(one: QWidget, other: QWidget) -> int:
        if part in (one, other):  # what holds the others comes before them
            return -1 if one is part else 1
        first, second = places[one].center(), places[other].center()
        lower = first.y() - second.y()
        return lower if abs(lower) > SAME_LINE else first.x() - second.x()

    return sorted(found, key=cmp_to_key(compare))


def _is_stop(widget: QWidget, part: QWidget) -> bool:
    """Somebody sees it, or will when it has the focus and its area scrolls there."""
    if not (widget.isVisible() and widget.isEnabled()) or widget.focusProxy() is not None:
        return False
    if widget.focusPolicy() & _reached() != _reached():
        return False
    return not (isinstance(part, TranscriptView) and widget.visibleRegion().isEmpty())


def _reached() -> Qt.FocusPolicy:
    """macOS stops at fields and lists alone, unless its settings say otherwise."""
    everything = QGuiApplication.styleHints().tabFocusBehavior() == Qt.TabFocusBehavior.TabFocusAllControls
    return Qt.FocusPolicy.TabFocus if everything else Qt.FocusPolicy.StrongFocus
