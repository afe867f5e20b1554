"""Rows of a line or a few: sources, remarks, errors, what happens before the first word, and the end of an answer."""

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QWidget

from app.domain.messages import MessageStatus
from ui.chat.transcript.rows.content import ErrorRow, FooterRow, NoteRow, SourcesRow, StatusRow
from ui.chat.transcript.rows.segment import Segment
from ui.chat.transcript.widgets.context import RowContext, RowWidget
from ui.chat.transcript.widgets.wording import ending_text, source_label, stats_text, translate, waiting_text
from ui.reuse import explained
from ui.theme import icon
from ui.widgets.flat_button import ICON, FlatButton, Spinner
from ui.widgets.tip import plain_tip

LINE = 28  # px
WRAP = Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


class SourcesWidget(RowWidget):
    """``3 sources``, which opens into the list of them."""

    OUTSET = 6

    def __init__(self, segment: Segment, context: RowContext, parent: QWidget) -> None:
        super().__init__(segment, context, parent)
        self._button = FlatButton(self.theme, "book", "", "", self)
        self._button.setFont(context.small_font)
        self._button.clicked.connect(lambda: self.context.fold_toggled.emit(self.segment))
        self._links: list[FlatButton] = []

    @property
    def _row(self) -> SourcesRow:
        row = self.segment.content
        assert isinstance(row, SourcesRow)
        return row

    def refresh(self) -> None:
        number = len(self._row.sources)
        text = self.tr("1 source") if number == 1 else self.tr("{number} sources").format(number=number)
        self._button.setText(text)
        self._button.set_label(text)
        self._button.set_trailing("chevron-down" if self.segment.open else "chevron-right")
        self._button.resize(self._button.sizeHint())
        for link in self._links:
            link.hide()
            link.deleteLater()
        self._links = []
        if self.segment.open:
            self._list()

    def measure(self, width: int) -> int:
        return LINE + LINE * len(self._links)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    def _list(self) -> None:
        for source in self._row.sources:
            text = f"{source.n}  {source_label(source.path, source.locator)}"
            link = FlatButton(self.theme, "file", text, source.path, self)
            link.setAccessibleName(text)
            link.setFont(self.context.small_font)
            link.clicked.connect(lambda _=False, s=source: self.context.open_source_requested.emit(s.path, s.locator))
            link.show()
            self._links.append(link)
        self._place()

    def _place(self) -> None:
        for number, link in enumerate(self._links):
            link.setGeometry(16, LINE * (number + 1), min(link.sizeHint().width(), self.width() - 16), LINE)


class NoteWidget(RowWidget):
    """A remark of the program in quiet letters."""

    OUTSET = 6

    def __init__(self, segment: Segment, context: RowContext, parent: QWidget) -> None:
        super().__init__(segment, context, parent)
        self.setFont(context.small_font)

    @property
    def _text(self) -> str:
        row = self.segment.content
        assert isinstance(row, NoteRow)
        return row.text

    def refresh(self) -> None:
        self.setAccessibleName(self._text)
        self.update()

    def measure(self, width: int) -> int:
        bounds = QFontMetrics(self.font()).boundingRect(QRect(0, 0, width - 28, 10_000), WRAP, self._text)
        return max(LINE, bounds.height() + 8)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = self.painter()
        icon("info", self.theme.muted).paint(painter, QRect(6, 6, ICON, ICON))
        painter.setPen(QColor(self.theme.muted))
        painter.drawText(self.rect().adjusted(28, 0, 0, 0), WRAP, self._text)


class ErrorWidget(RowWidget):
    """What went wrong and what to do."""

    def __init__(self, segment: Segment, context: RowContext, parent: QWidget) -> None:
        super().__init__(segment, context, parent)
        self.setFont(context.text_font)

    @property
    def _row(self) -> ErrorRow:
        row = self.segment.content
        assert isinstance(row, ErrorRow)
        return row

    def refresh(self) -> None:
        self.setAccessibleName(self._row.text)
        self.setToolTip(plain_tip(self._row.detail))
        self.update()

    def measure(self, width: int) -> int:
        bounds = QFontMetrics(self.font()).boundingRect(QRect(0, 0, width - 60, 10_000), WRAP, self._row.text)
        return max(44, bounds.height() + 24)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = self.painter()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self.theme.error_soft))
        painter.drawRoundedRect(QRectF(self.rect()), 8, 8)
        icon("error", self.theme.error).paint(painter, QRect(14, 14, ICON, ICON))
        painter.setPen(QColor(self.theme.error))
        painter.drawText(self.rect().adjusted(42, 0, -18, 0), WRAP, self._row.text)


class StatusWidget(RowWidget):
    """``Reading the prompt… 43%``"""

    OUTSET = 6

    def __init__(self, segment: Segment, context: RowContext, parent: QWidget) -> None:
        super().__init__(segment, context, parent)
        self.setFont(context.small_font)
        self._spinner = Spinner(self.theme.accent, self)
        self._spinner.move(6, (LINE - ICON) // 2)
        self._text = ""

    def refresh(self) -> None:
        row = self.segment.content
        assert isinstance(row, StatusRow)
        self._text = waiting_text(row.percent, row.ahead)
        self.setAccessibleName(self._text)
        self.update()

    def measure(self, width: int) -> int:
        return LINE

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = self.painter()
        painter.setPen(QColor(self.theme.muted))
        painter.drawText(self.rect().adjusted(28, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, self._text)


class FooterWidget(RowWidget):
    """Copy, another answer, which of the answers this is, how it ended, and what it cost."""

    OUTSET = 6

    def __init__(self, segment: Segment, context: RowContext, parent: QWidget) -> None:
        super().__init__(segment, context, parent)
        self.setFont(context.small_font)
        theme, message = self.theme, self._row.message_id
        self._copy = FlatButton(theme, "copy", "", self.tr("Copy answer"), self)
        self._copy.clicked.connect(lambda: context.copy_answer_requested.emit(message))
        self._again = FlatButton(theme, "refresh", "", self.tr("Another answer"), self)
        self._again.clicked.connect(lambda: context.regenerate_requested.emit(message))
        self._switch = SiblingSwitch(context, message, self)
        self._go_on = FlatButton(theme, "continue", self.tr("Continue"), "", self, outlined=True)
        self._go_on.setFont(context.small_font)
        self._go_on.clicked.connect(self._press)
        self._ending = self._stats = ""
        self._text_from = 0

    @property
    def _row(self) -> FooterRow:
        row = self.segment.content
        assert isinstance(row, FooterRow)
        return row

    def refresh(self) -> None:
        row = self._row
        self._ending = ending_text(row.status, row.stop_reason)
        self._stats = stats_text(row.stats) if row.stats is not None else ""
        failed = row.status is MessageStatus.FAILED
        self._go_on.setVisible(failed or bool(self._ending))
        self._go_on.setText(self.tr("Try again") if failed else self.tr("Continue"))
        self._go_on.set_label(self._go_on.text())
        self._go_on.set_icon("refresh" if failed else "continue")
        self._again.setVisible(not failed)
        self._switch.show_place(*row.siblings)
        reused = explained(row.stats) if row.stats is not None else ""
        self.setToolTip(plain_tip("\n".join(part for part in (row.model, reused) if part)))
        self.setAccessibleDescription(reused)
        self.setAccessibleName(" · ".join(part for part in (self._ending, self._stats) if part))
        self._place()
        self.update()

    def measure(self, width: int) -> int:
        return 32

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = self.painter()
        painter.setPen(QColor(self.theme.muted))
        align = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(self.rect().adjusted(self._text_from, 0, 0, 0), align, self._ending)
        stats = painter.fontMetrics().horizontalAdvance(self._stats)
        left = self._text_from + painter.fontMetrics().horizontalAdvance(self._ending)
        if self._go_on.isVisibleTo(self):
            left = self._go_on.geometry().right()
        if left + 16 + stats < self.width():
            painter.drawText(self.rect().adjusted(0, 0, -6, 0), align | Qt.AlignmentFlag.AlignRight, self._stats)

    def _press(self) -> None:
        row = self._row
        if row.status is MessageStatus.FAILED:  # nothing to go on with
            self.context.regenerate_requested.emit(row.message_id)
        else:
            self.context.continue_requested.emit(row.message_id)

    def _place(self) -> None:
        x = 0
        middle = (self.height() - LINE) // 2
        for button in (self._copy, self._again):
            button.move(x, middle)
            x += (button.width() + 2) * button.isVisibleTo(self)
        if self._switch.isVisibleTo(self):
            self._switch.move(x, middle)
            x += self._switch.width() + 2
        self._text_from = x + 8
        if self._ending:
            x = self._text_from + QFontMetrics(self.font()).horizontalAdvance(self._ending)
        self._go_on.resize(self._go_on.sizeHint())
        self._go_on.move(x + 12, middle)


class SiblingSwitch(QWidget):
    """``‹ 2/3 ›``; hidden where there is only one."""

    def __init__(self, context: RowContext, message: str, parent: QWidget) -> None:
        super().__init__(parent)
        theme = context.theme
        self._color = QColor(theme.muted)
        self.setFont(context.small_font)
        self._back = FlatButton(theme, "chevron-left", "", translate("Transcript", "Previous version"), self)
        self._back.clicked.connect(lambda: context.sibling_requested.emit(message, -1))
        self._on = FlatButton(theme, "chevron-right", "", translate("Transcript", "Next version"), self)
        self._on.clicked.connect(lambda: context.sibling_requested.emit(message, 1))
        self._text = ""
        self.hide()

    def show_place(self, index: int, count: int) -> None:
        """``index`` from 0."""
        self._text = f"{index + 1}/{count}"
        self._back.setEnabled(index > 0)
        self._on.setEnabled(index + 1 < count)
        words = QFontMetrics(self.font()).horizontalAdvance(self._text)
        self._on.move(self._back.width() + words, 0)
        self.resize(self._on.x() + self._on.width(), LINE)
        self.setAccessibleName(self._text)
        self.setVisible(count > 1)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(self._color)
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self._text)
