"""A tool call in the flow of an answer: one line, and the question for approval while it waits."""

import time

from PySide6.QtCore import QEvent, QRect, QRectF, Qt, QTimer
from PySide6.QtGui import QColor, QEnterEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QWidget

from app.domain.messages import ToolStatus
from ui.chat.transcript.rows.content import ToolRow
from ui.chat.transcript.rows.segment import Segment
from ui.chat.transcript.widgets.context import RowContext, RowWidget
from ui.chat.transcript.widgets.wording import badge_text, seconds_text
from ui.theme import Theme, icon
from ui.widgets.flat_button import ICON, FlatButton, Spinner

LINE = 40  # px of the card
APPROVAL = 44  # px of the buttons below it
PADDING = 12
ELAPSED_FROM = 1.0  # seconds below which a time says nothing


class ToolCard(RowWidget):
    """A press on the card asks for the call's details."""

    def __init__(self, segment: Segment, context: RowContext, parent: QWidget) -> None:
        super().__init__(segment, context, parent)
        self._line = CallLine(context, self)
        self._line.clicked.connect(lambda: self.context.tool_call_activated.emit(self._row.call_id))
        self._buttons: list[FlatButton] = []
        self._clock = QTimer(self, interval=1000)
        self._clock.timeout.connect(self._tick)

    @property
    def _row(self) -> ToolRow:
        row = self.segment.content
        assert isinstance(row, ToolRow)
        return row

    def refresh(self) -> None:
        row = self._row
        if row.started is None:
            self._clock.stop()
        elif not self._clock.isActive():
            self._clock.start()
        if row.status is ToolStatus.WAITING and not self._buttons:
            self._ask()
        for button in self._buttons:
            button.setVisible(row.status is ToolStatus.WAITING)
            button.setEnabled(True)
        self._tick()

    def measure(self, width: int) -> int:
        return LINE + APPROVAL if self._row.status is ToolStatus.WAITING else LINE

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    def _tick(self) -> None:
        row = self._row
        seconds = row.seconds if row.started is None else time.monotonic() - row.started
        self._line.show_call(row, seconds)

    def _ask(self) -> None:
        choices = (
            (self.tr("Allow once"), True, False, True),
            (self.tr("Always in this chat"), True, True, False),
            (self.tr("Deny"), False, False, False),
        )
        for text, allowed, always, primary in choices:
            button = FlatButton(self.theme, "", text, "", self, primary=primary, outlined=not primary)
            button.setFont(self.context.small_font)
            button.clicked.connect(lambda _=False, a=allowed, b=always: self._decide(a, b))
            self._buttons.append(button)
        self._place()

    def _decide(self, allowed: bool, always: bool) -> None:
        for button in self._buttons:
            button.setEnabled(False)
        self.context.approval_decided.emit(self._row.call_id, allowed, always)

    def _place(self) -> None:
        self._line.setGeometry(0, 0, self.width(), LINE)
        x = 0
        for button in self._buttons:
            button.resize(button.sizeHint())
            button.move(x, LINE + 10)
            x += button.width() + 8


class CallLine(QAbstractButton):
    """Icon or spinner, what the call does, how long it took and how it ended."""

    def __init__(self, context: RowContext, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme, self._tools = context.theme, context.tools
        self._icon, self._time, self._status = "tool", "", ""
        self._color = self._theme.muted
        self.setFont(context.small_font)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._spinner = Spinner(self._theme.accent, self)
        self._spinner.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._spinner.move(PADDING, (LINE - ICON) // 2)

    def show_call(self, row: ToolRow, seconds: float) -> None:
        self._icon = self._tools.icon(row.name)
        self._spinner.setVisible(row.status in (None, ToolStatus.RUNNING))
        self._time = seconds_text(seconds) if seconds >= ELAPSED_FROM and row.status is not ToolStatus.WAITING else ""
        self._status = badge_text(row.status)
        self._color = status_color(self._theme, row.status)
        self.setText(self._tools.sentence(row.name, row.arguments, row.status))
        self.setAccessibleName(". ".join(part for part in (self.text(), self._status, self._time) if part))
        self.setToolTip(self.tr("Show the call's details"))
        self.update()

    def enterEvent(self, event: QEnterEvent) -> None:
        self.update()
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self.update()
        super().leaveEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        painter.setLayoutDirection(self.layoutDirection())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(theme.focus if self.hasFocus() else theme.border), 1))
        painter.setBrush(QColor(theme.hover if self.underMouse() else theme.raised))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 8, 8)
        middle = (self.height() - ICON) // 2
        if self._spinner.isHidden():
            icon(self._icon, theme.muted).paint(painter, QRect(PADDING, middle, ICON, ICON))
        right = self._paint_right(painter, self.width() - PADDING)
        left = PADDING + ICON + 10
        area = QRect(left, 0, right - left - 12, self.height())
        painter.setPen(QColor(theme.text))
        text = painter.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, area.width())
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter, text)

    def _paint_right(self, painter: QPainter, right: int) -> int:
        """Time and badge; the x where they begin."""
        metrics = painter.fontMetrics()
        align = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        for text, color in ((self._status, self._color), (self._time, self._theme.muted)):
            if not text:
                continue
            painter.setPen(QColor(color))
            painter.drawText(QRect(0, 0, right, self.height()), align, text)
            right -= metrics.horizontalAdvance(text) + 12
        return right


def status_color(theme: Theme, status: ToolStatus | None) -> str:
    match status:
        case ToolStatus.OK:
            return theme.ok
        case ToolStatus.FAILED:
            return theme.error
        case ToolStatus.WAITING | ToolStatus.INCOMPLETE:
            return theme.warning
        case _:
            return theme.muted
