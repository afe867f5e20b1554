"""How a call looks: its row in the list, and the badge with its status."""

from time import monotonic

from PySide6.QtCore import QCoreApplication, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPalette
from PySide6.QtWidgets import QLabel, QSizePolicy, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from app.domain.messages import ToolStatus
from ui.chat.calls.model import ENTRY, CallEntry
from ui.chat.tool_words import ToolWords
from ui.theme import current_theme, icon
from ui.widgets.buttons import mark

ROW_HEIGHT = 52
MARGIN = 8
ICON = 16


def status_text(status: ToolStatus | None) -> str:
    """A word for a person."""
    match status:
        case None:
            return QCoreApplication.translate("ToolStatus", "Writing")
        case ToolStatus.RUNNING:
            return QCoreApplication.translate("ToolStatus", "Running")
        case ToolStatus.WAITING:
            return QCoreApplication.translate("ToolStatus", "Waiting")
        case ToolStatus.OK:
            return QCoreApplication.translate("ToolStatus", "Done")
        case ToolStatus.FAILED:
            return QCoreApplication.translate("ToolStatus", "Failed")
        case ToolStatus.DENIED:
            return QCoreApplication.translate("ToolStatus", "Denied")
        case ToolStatus.CANCELLED:
            return QCoreApplication.translate("ToolStatus", "Cancelled")
        case ToolStatus.INCOMPLETE:
            return QCoreApplication.translate("ToolStatus", "Cut off")


def status_color(status: ToolStatus | None) -> str:
    """The name of a colour of ``ui.theme.Theme``; each has a soft companion."""
    match status:
        case ToolStatus.OK:
            return "ok"
        case ToolStatus.FAILED | ToolStatus.INCOMPLETE:
            return "error"
        case ToolStatus.WAITING | ToolStatus.DENIED | ToolStatus.CANCELLED:
            return "warning"
        case _:
            return "accent"


def status_icon(status: ToolStatus | None, tool: str) -> str:
    """``tool``: the tool's own, while nothing is to be said about how it ends."""
    match status:
        case ToolStatus.OK:
            return "check"
        case ToolStatus.FAILED | ToolStatus.INCOMPLETE:
            return "error"
        case ToolStatus.DENIED | ToolStatus.CANCELLED:
            return "blocked"
        case ToolStatus.WAITING:
            return "shield"
        case _:
            return tool


def seconds_text(seconds: float) -> str:
    """Whole seconds from one on; nothing for less than a twentieth, which is not worth a glance."""
    if seconds >= 60:
        return f"{int(seconds) // 60}:{int(seconds) % 60:02} min"
    if seconds >= 0.05:
        return f"{seconds:.1f} s"
    return ""


class StatusBadge(QLabel):
    """The status as a word on its colour."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def show_status(self, status: ToolStatus | None) -> None:
        self.clear()  # a label keeps its size until its text changes
        mark(self, f"badge-{status_color(status)}")
        self.setText(status_text(status))


class ToolCallDelegate(QStyledItemDelegate):
    """Status icon, title and time above; the arguments on one line below."""

    def __init__(self, tools: ToolWords, parent: QWidget) -> None:
        super().__init__(parent)
        self._tools = tools

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(200, ROW_HEIGHT)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        entry = index.data(ENTRY)
        if not isinstance(entry, CallEntry):
            return
        theme = current_theme()
        state = option.state
        rect: QRect = option.rect
        palette: QPalette = option.palette
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        frame = rect.adjusted(MARGIN, 2, -MARGIN, -2)
        if state & QStyle.StateFlag.State_Selected or state & QStyle.StateFlag.State_MouseOver:
            chosen = bool(state & QStyle.StateFlag.State_Selected)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.pressed if chosen else theme.hover))
            painter.drawRoundedRect(frame, 8, 8)
        left = frame.left() + 10
        icon_rect = QRect(left, frame.top() + 7, ICON, ICON)
        picture = status_icon(entry.status, self._tools.icon(entry.name))
        icon(picture, getattr(theme, status_color(entry.status))).paint(painter, icon_rect)
        text_left = left + ICON + 8
        right = frame.right() - 10
        font: QFont = option.font
        time = self._time(entry)
        metrics = painter.fontMetrics()
        top = QRect(text_left, frame.top() + 5, right - text_left, metrics.height() + 2)
        painter.setPen(QColor(theme.muted))
        painter.drawText(top, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, time)
        name_font = QFont(font)
        name_font.setWeight(QFont.Weight.DemiBold)
        painter.setFont(name_font)
        painter.setPen(palette.color(QPalette.ColorRole.Text))
        name_width = top.width() - metrics.horizontalAdvance(time) - 10
        name = painter.fontMetrics().elidedText(self._tools.title(entry.name), Qt.TextElideMode.ElideRight, name_width)
        painter.drawText(top, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, name)
        painter.setFont(font)
        painter.setPen(QColor(theme.muted))
        bottom = QRect(text_left, top.bottom() + 1, right - text_left, metrics.height() + 2)
        summary = metrics.elidedText(entry.summary(), Qt.TextElideMode.ElideRight, bottom.width())
        painter.drawText(bottom, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, summary)
        painter.restore()

    def _time(self, entry: CallEntry) -> str:
        if entry.started is not None:
            return seconds_text(monotonic() - entry.started)
        if entry.open:
            return status_text(entry.status)
        return seconds_text(entry.seconds)
