"""Rows of code: language, buttons, and lines that scroll sideways or are broken, as the person likes."""

from collections.abc import Callable

from PySide6.QtCore import QRect, QRectF, Qt, QTimer
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QResizeEvent,
    QTextBlockFormat,
    QTextCursor,
    QTextOption,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QTextEdit, QWidget

from ui.chat.transcript.rows.packing import CodeRow
from ui.chat.transcript.rows.segment import Segment
from ui.chat.transcript.widgets.context import RowContext, RowWidget
from ui.chat.transcript.widgets.highlight import Highlighter
from ui.chat.transcript.widgets.text_box import is_scroll_key
from ui.widgets.flat_button import FlatButton

HEADER = 36  # px
PADDING = 14  # px beside and below the lines
RADIUS = 8
COPIED_MS = 1600


class CodeLines(QTextEdit):
    """The text alone, as high as its lines."""

    def __init__(self, context: RowContext, parent: QWidget) -> None:
        super().__init__(parent)
        self._context = context
        self.setReadOnly(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setLineWrapMode(QTextEdit.LineWrapMode.NoWrap)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setUndoRedoEnabled(False)
        self.setFont(context.code_font)
        self.document().setDocumentMargin(0)
        self.setTabStopDistance(4 * QFontMetricsF(context.code_font).horizontalAdvance(" "))
        self.viewport().setAutoFillBackground(False)
        self._shown = ""

    def put(self, text: str) -> None:
        """Show ``text``; what grew at the end is appended."""
        if text == self._shown:
            return
        cursor = QTextCursor(self.document())
        if self._shown and text.startswith(self._shown):
            cursor.movePosition(QTextCursor.MoveOperation.End)
            cursor.insertText(text[len(self._shown) :])
        else:
            self.setPlainText(text)
            cursor = QTextCursor(self.document())
            spacing = QTextBlockFormat()
            spacing.setLineHeight(self._context.code_line, QTextBlockFormat.LineHeightTypes.FixedHeight.value)
            cursor.select(QTextCursor.SelectionType.Document)
            cursor.mergeBlockFormat(spacing)
        self._shown = text

    def wrap(self, width: int) -> int:
        """Break lines that are longer than ``width`` px, and tell the height of all."""
        self.setLineWrapMode(QTextEdit.LineWrapMode.FixedPixelWidth)
        self.setLineWrapColumnOrWidth(width)
        return round(self.document().size().height())

    def widest(self) -> float:
        """px of the longest line, by its number of characters."""
        text = max(self._shown.split("\n"), key=len).expandtabs(4)
        return QFontMetricsF(self.font()).horizontalAdvance(text)

    def color(self, highlighter: Highlighter, language: str) -> None:
        block = self.document().begin()
        for ranges in highlighter.lines(self._shown, language):
            if not block.isValid():
                break
            block.layout().setFormats(ranges)
            block = block.next()
        self.document().markContentsDirty(0, self.document().characterCount())

    def wheelEvent(self, event: QWheelEvent) -> None:
        sideways = abs(event.angleDelta().x()) > abs(event.angleDelta().y())
        if sideways or event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            super().wheelEvent(event)
        else:
            event.ignore()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            self._context.copy_pressed.emit(self)
        elif is_scroll_key(event):
            self._context.scroll_key_pressed.emit(event)
        else:
            super().keyPressEvent(event)


class CodeWidget(RowWidget):
    def __init__(self, segment: Segment, context: RowContext, parent: QWidget) -> None:
        super().__init__(segment, context, parent)
        self._lines = CodeLines(context, self)
        self._buttons: list[FlatButton] = []  # from right to left
        self._language = ""
        self._scrolls = False
        if self._row.first:
            self._add_button("copy", self.tr("Copy"), self.tr("Copy code"), self._copy_code)
            self._add_button("download", "", self.tr("Save code as…"), self._save_code)
            self._add_button("wrap", "", self.tr("Break long lines"), lambda: context.wrap_toggled.emit(segment))
        self._restore = QTimer(self, singleShot=True, interval=COPIED_MS)
        self._restore.timeout.connect(self._say_copy)

    def _add_button(self, name: str, text: str, label: str, press: Callable[[], object]) -> None:
        button = FlatButton(self.theme, name, text, label, self)
        button.setFont(self.context.small_font)
        button.clicked.connect(press)
        self._buttons.append(button)

    @property
    def _row(self) -> CodeRow:
        row = self.segment.content
        assert isinstance(row, CodeRow)
        return row

    @property
    def text_edit(self) -> QTextEdit:
        return self._lines

    def refresh(self) -> None:
        row, lines = self._row, self._lines
        lines.put(row.text)
        self._language = row.language
        lines.setAccessibleName(self.tr("Code, {language}").format(language=row.language or self.tr("text")))
        if not row.open:
            lines.color(self.context.highlighter, row.language)
        self.update()

    def measure(self, width: int) -> int:
        row = self._row
        if self.context.wrap_code:
            self._lines.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
            return HEADER * row.first + self._lines.wrap(width - 2 * PADDING) + PADDING * row.last
        self._lines.setLineWrapMode(QTextEdit.LineWrapMode.NoWrap)
        self._scrolls = self._lines.widest() > width - 2 * PADDING
        policy = Qt.ScrollBarPolicy.ScrollBarAlwaysOn if self._scrolls else Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        self._lines.setHorizontalScrollBarPolicy(policy)
        lines = (row.text.count("\n") + 1) * self.context.code_line
        bar = self._lines.horizontalScrollBar().sizeHint().height() if self._scrolls else 0
        return HEADER * row.first + lines + bar + PADDING * row.last

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        row = self._row
        top = HEADER if row.first else 0
        bottom = PADDING if row.last else 0
        self._lines.setGeometry(PADDING, top, self.width() - 2 * PADDING, self.height() - top - bottom)
        self._place_buttons()

    def paintEvent(self, event: QPaintEvent) -> None:
        row = self._row
        painter = self.painter()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        # The frame of a middle row reaches beyond its edges, so that only the sides are seen.
        above, below = (0.5 if row.first else -RADIUS), (0.5 if row.last else -RADIUS)
        frame = QPainterPath()
        frame.addRoundedRect(QRectF(self.rect()).adjusted(0.5, above, -0.5, -below), RADIUS, RADIUS)
        painter.fillPath(frame, QColor(self.theme.code_background))
        painter.setPen(QColor(self.theme.border))
        painter.drawPath(frame)
        if row.first:
            painter.setFont(self.context.small_font)
            painter.setPen(QColor(self.theme.muted))
            area = QRect(PADDING, 0, self.width() - 2 * PADDING - 160, HEADER)
            painter.drawText(area, Qt.AlignmentFlag.AlignVCenter, self._language or self.tr("text"))

    def _copy_code(self) -> None:
        self.context.copy_requested.emit(self._row.block)
        self._label("check", self.tr("Copied"))
        self._restore.start()

    def _save_code(self) -> None:
        self.context.save_requested.emit(self._row.block, self._row.language)

    def _say_copy(self) -> None:
        self._label("copy", self.tr("Copy"))

    def _label(self, name: str, text: str) -> None:
        copy = self._buttons[0]
        copy.set_icon(name)
        copy.setText(text)
        self._place_buttons()

    def _place_buttons(self) -> None:
        right = self.width() - 6
        for button in self._buttons:
            button.resize(button.sizeHint())
            right -= button.width()
            button.move(right, (HEADER - button.height()) // 2)
