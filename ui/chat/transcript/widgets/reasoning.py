"""What the model thought: a line that opens into a window of limited height."""

import time

from PySide6.QtCore import QRect, Qt, QTimer
from PySide6.QtGui import (
    QColor,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QTextEdit, QWidget

from ui.chat.transcript.rows.content import ReasoningRow
from ui.chat.transcript.rows.segment import Segment
from ui.chat.transcript.widgets.context import RowContext, RowWidget
from ui.chat.transcript.widgets.text_box import is_scroll_key
from ui.chat.transcript.widgets.wording import thinking_text, thought_text
from ui.widgets.flat_button import FlatButton

HEADER = 28  # px
LIVE_HEIGHT = 256  # px of the body while it grows
READ_HEIGHT = 400  # px when it is opened afterwards
INDENT = 22  # px from the rail to the text
SCROLL_BAR = 14  # px kept free for it
LINE_HEIGHT = 130  # per cent
NEAR = 24  # px from the bottom within which the view follows the tail again


class ThoughtLines(QTextEdit):
    """Follows its tail until the person scrolls up, and again when they come back to the bottom."""

    def __init__(self, context: RowContext, parent: QWidget) -> None:
        super().__init__(parent)
        self._context = context
        self._follow = True
        self.setReadOnly(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setLineWrapMode(QTextEdit.LineWrapMode.FixedPixelWidth)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setUndoRedoEnabled(False)
        self.setFont(context.small_font)
        self.document().setDocumentMargin(0)
        self.viewport().setAutoFillBackground(False)
        self._shown = ""
        self.verticalScrollBar().actionTriggered.connect(self._person_scrolled)

    @property
    def following(self) -> bool:
        return self._follow

    def put(self, text: str) -> None:
        if text == self._shown:
            return
        cursor = QTextCursor(self.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        if self._shown and text.startswith(self._shown):
            cursor.insertText(text[len(self._shown) :])
        else:
            cursor.select(QTextCursor.SelectionType.Document)
            spacing = QTextBlockFormat()
            spacing.setLineHeight(LINE_HEIGHT, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
            color = QTextCharFormat()
            color.setForeground(QColor(self._context.theme.muted))
            cursor.setBlockFormat(spacing)
            cursor.insertText(text, color)
        self._shown = text
        self.follow()

    def follow(self) -> None:
        if self._follow:
            bar = self.verticalScrollBar()
            bar.setValue(bar.maximum())

    def text_height(self, width: int) -> int:
        """px of all lines when they are broken at ``width``."""
        self.setLineWrapColumnOrWidth(width - SCROLL_BAR)
        return int(self.document().size().height()) + 2

    def wheelEvent(self, event: QWheelEvent) -> None:
        bar = self.verticalScrollBar()
        down = event.angleDelta().y() < 0
        if bar.value() == (bar.maximum() if down else bar.minimum()):
            event.ignore()  # nothing left here: the transcript scrolls
            return
        super().wheelEvent(event)
        self._person_scrolled()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if is_scroll_key(event) and self.verticalScrollBar().maximum() == 0:
            self._context.scroll_key_pressed.emit(event)
        else:
            super().keyPressEvent(event)
            self._person_scrolled()

    def _person_scrolled(self) -> None:
        bar = self.verticalScrollBar()
        # The slider's position is already where the action leads.
        self._follow = bar.sliderPosition() >= bar.maximum() - NEAR


class ReasoningWidget(RowWidget):
    """``Thinking… 3 s``, then ``Thought for 12 s · 340 tokens``, and what was thought below it."""

    OUTSET = 6

    def __init__(self, segment: Segment, context: RowContext, parent: QWidget) -> None:
        super().__init__(segment, context, parent)
        self._button = FlatButton(self.theme, "thinking", "", "", self)
        self._button.setFont(context.small_font)
        self._button.clicked.connect(lambda: self.context.fold_toggled.emit(self.segment))
        self._copy = FlatButton(self.theme, "copy", "", self.tr("Copy reasoning"), self)
        self._copy.clicked.connect(lambda: self.context.copy_requested.emit(self._row.text))
        self._lines: ThoughtLines | None = None
        self._clock = QTimer(self, interval=1000)
        self._clock.timeout.connect(self._say)

    @property
    def _row(self) -> ReasoningRow:
        row = self.segment.content
        assert isinstance(row, ReasoningRow)
        return row

    def refresh(self) -> None:
        row, opened = self._row, self.segment.open
        if row.started is not None and not self._clock.isActive():
            self._clock.start()
        elif row.started is None:
            self._clock.stop()
        if opened and self._lines is None:
            self._lines = ThoughtLines(self.context, self)
            self._lines.setAccessibleName(self.tr("Reasoning"))
        if self._lines is not None:
            self._lines.setVisible(opened)
            if opened:
                self._lines.put(row.text.rstrip())
        self._copy.setVisible(opened)
        self._button.set_trailing("chevron-down" if opened else "chevron-right")
        self._say()

    def measure(self, width: int) -> int:
        if self._lines is None or not self.segment.open:
            return HEADER
        limit = LIVE_HEIGHT if self._row.started is not None else READ_HEIGHT
        height = min(limit, self._lines.text_height(width - INDENT))
        return HEADER + 4 + height

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.segment.open and self.height() > HEADER:
            rail = QRect(13, HEADER + 4, 2, self.height() - HEADER - 4)
            QPainter(self).fillRect(rail, QColor(self.theme.border_strong))

    def _say(self) -> None:
        row = self._row
        if row.started is not None:
            text = thinking_text(time.monotonic() - row.started)
        else:
            text = thought_text(row.seconds, row.tokens)
        if text != self._button.text():
            self._button.setText(text)
            self._button.set_label(text)
            self._place()

    def _place(self) -> None:
        self._button.resize(self._button.sizeHint())
        self._copy.move(self._button.width() + 4, 0)
        if self._lines is not None:
            self._lines.setGeometry(INDENT + 6, HEADER + 4, self.width() - INDENT - 6, self.height() - HEADER - 4)
            self._lines.follow()
