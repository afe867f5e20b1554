"""What the person wrote: a tinted bubble on the right, with the files that came along."""

from PySide6.QtCore import QEvent, QRectF
from PySide6.QtGui import (
    QColor,
    QEnterEvent,
    QFontMetricsF,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QResizeEvent,
    QTextBlockFormat,
    QTextCursor,
)
from PySide6.QtWidgets import QTextEdit, QWidget

from app.domain.sources import Locator
from ui.chat.transcript.rows.content import UserRow
from ui.chat.transcript.rows.segment import Segment
from ui.chat.transcript.widgets.context import RowContext, RowWidget
from ui.chat.transcript.widgets.small_rows import SiblingSwitch
from ui.chat.transcript.widgets.text_box import TextBox
from ui.widgets.flat_button import FlatButton

PADDING_X, PADDING_Y = 16, 10  # px inside the bubble
RADIUS = 16
ACTIONS = 32  # px below the bubble
SHARE = 0.85  # of the column's width
LINE_HEIGHT = 130  # per cent
CHIP = 32  # px of a line of files


class QuestionWidget(RowWidget):
    """Edit and copy appear while the pointer is over it or one of them has the focus."""

    def __init__(self, segment: Segment, context: RowContext, parent: QWidget) -> None:
        super().__init__(segment, context, parent)
        row = self._row
        self._text = TextBox(segment, context, self)
        self._text.setAccessibleName(self.tr("Question"))
        self._bubble = QRectF()
        # Line spacing leaves room below the last line too, which the padding takes back.
        self._below = round(QFontMetricsF(context.text_font).height() * (LINE_HEIGHT - 100) / 100)
        self._chips: list[FlatButton] = []
        for part in row.attachments:
            chip = FlatButton(self.theme, "file", part.name, part.path, self, outlined=True)
            chip.setFont(context.small_font)
            chip.clicked.connect(lambda _=False, path=part.path: context.open_source_requested.emit(path, Locator()))
            self._chips.append(chip)
        self._actions: list[FlatButton] = []
        self._switch: SiblingSwitch | None = None
        if row.last:
            self._add_actions(row)

    @property
    def _row(self) -> UserRow:
        row = self.segment.content
        assert isinstance(row, UserRow)
        return row

    @property
    def text_edit(self) -> QTextEdit:
        return self._text

    def refresh(self) -> None:
        row = self._row
        if self._text.toPlainText() != row.text:
            self._text.setPlainText(row.text)
            cursor = QTextCursor(self._text.document())
            cursor.select(QTextCursor.SelectionType.Document)
            spacing = QTextBlockFormat()
            spacing.setLineHeight(LINE_HEIGHT, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
            cursor.mergeBlockFormat(spacing)
        if self._switch is not None:
            self._switch.show_place(*row.siblings)

    def measure(self, width: int) -> int:
        row = self._row
        widest = int(width * SHARE) - 2 * PADDING_X
        self._text.layout_width(widest)
        whole = row.first and row.last
        inner = min(widest, int(self._text.document().idealWidth()) + 2) if whole else widest
        height = self._text.layout_height(inner)
        top = PADDING_Y if row.first else 0
        bottom = PADDING_Y - self._below if row.last else 0
        chips = self._place_chips(width)
        left = width - inner - 2 * PADDING_X
        if not row.whole:  # only files came
            self._text.hide()
            self._bubble = QRectF(left, chips - 4, 0, 0)
            return chips + ACTIONS
        self._bubble = QRectF(left, chips, inner + 2 * PADDING_X, top + height + bottom)
        self._text.setGeometry(left + PADDING_X, chips + top, inner, height)
        return int(self._bubble.bottom()) + (ACTIONS if row.last else 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        x = self.width()
        y = self.height() - 29
        for button in reversed(self._actions):
            x -= button.width()
            button.move(x, y)
        if self._switch is not None:
            self._switch.move(x - self._switch.width(), y)

    def enterEvent(self, event: QEnterEvent) -> None:
        self._show_actions(True)
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self._show_actions(any(button.hasFocus() for button in self._actions))
        super().leaveEvent(event)

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        if event.type() == QEvent.Type.FocusIn:
            self._show_actions(True)
        elif event.type() == QEvent.Type.FocusOut:
            self._show_actions(self.underMouse())
        return False

    def paintEvent(self, event: QPaintEvent) -> None:
        row = self._row
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        frame = QPainterPath()
        above, below = (0 if row.first else -RADIUS), (0 if row.last else RADIUS)
        frame.addRoundedRect(self._bubble.adjusted(0, above, 0, below), RADIUS, RADIUS)
        painter.setClipRect(self._bubble)
        painter.fillPath(frame, QColor(self.theme.user_bubble))

    def _add_actions(self, row: UserRow) -> None:
        context = self.context
        edit = FlatButton(self.theme, "edit", "", self.tr("Edit question"), self)
        edit.clicked.connect(lambda: context.edit_requested.emit(row.message_id))
        copy = FlatButton(self.theme, "copy", "", self.tr("Copy question"), self)
        copy.clicked.connect(lambda: context.copy_requested.emit(self._row.whole))
        self._actions = [edit, copy]
        for button in self._actions:
            button.installEventFilter(self)
        self._show_actions(False)
        self._switch = SiblingSwitch(context, row.message_id, self)

    def _show_actions(self, shown: bool) -> None:
        for button in self._actions:
            button.set_ghost(not shown)

    def _place_chips(self, width: int) -> int:
        """From the right, as many lines as they need; their height with the gap below."""
        x, y = width, 0
        for chip in self._chips:
            chip.resize(min(chip.sizeHint().width(), width), 28)
            if x - chip.width() < 0 and x < width:
                x, y = width, y + CHIP
            chip.move(x - chip.width(), y)
            x -= chip.width() + 8
        return y + CHIP + 4 if self._chips else 0
