"""Text selected by dragging from one row into another, and copied as one."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, QTimer
from PySide6.QtGui import QCursor, QMouseEvent, QTextCursor, QTextDocument
from PySide6.QtWidgets import QTextEdit, QWidget

from ui.chat.transcript.rows.column import Position
from ui.chat.transcript.rows.content import Content, UserRow
from ui.chat.transcript.rows.packing import CodeRow, ProseRow, TableRow
from ui.chat.transcript.viewport import RowsOnScreen
from ui.chat.transcript.widgets.context import RowContext
from ui.chat.transcript.widgets.prose import shown_html
from ui.chat.transcript.widgets.text_box import selected_text

SCROLL_MS = 30
SCROLL_STEP = 24  # px


class End(NamedTuple):
    """A place in the text of a row."""

    position: Position
    character: int


class RowSelection(QObject):
    """Inside one row its text widget selects by itself; this takes over when the pointer leaves for another row."""

    def __init__(self, rows: RowsOnScreen, host: QWidget, scroll: Callable[[int], None]) -> None:
        super().__init__(host)
        self._rows, self._host, self._scroll = rows, host, scroll
        self._anchor: End | None = None
        self._head: End | None = None
        self._drag = QTimer(self, interval=SCROLL_MS)
        self._drag.timeout.connect(self._drag_on)

    @property
    def active(self) -> bool:
        return self._head is not None

    def watch(self, edit: QTextEdit) -> None:
        edit.viewport().installEventFilter(self)

    def clear(self) -> None:
        """Nothing is selected across rows any more."""
        if self._head is not None:
            self._head = None
            for _, edit in self._edits():
                _select(edit, 0, 0)
        self._anchor = None
        self._drag.stop()

    def show(self) -> None:
        """Mark the selection on rows that have just come into view."""
        if self._anchor is None or self._head is None:
            return
        low, high = sorted((self._anchor, self._head))
        for position, edit in self._edits():
            if low.position <= position <= high.position:
                start = low.character if position == low.position else 0
                end = high.character if position == high.position else edit.document().characterCount() - 1
                _select(edit, start, end)
            elif edit.textCursor().hasSelection():
                _select(edit, 0, 0)

    def text(self) -> str:
        """What is selected, also of rows that are out of sight; an empty line between two rows."""
        if self._anchor is None or self._head is None:
            return ""
        low, high = sorted((self._anchor, self._head))
        pieces = []
        for position, content in self._contents(low.position, high.position):
            start = low.character if position == low.position else 0
            end = high.character if position == high.position else None
            pieces.append(_text_between(content, start, end, self._rows.context))
        return "\n\n".join(piece for piece in pieces if piece)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if not isinstance(event, QMouseEvent):
            return False
        if event.type() == QEvent.Type.MouseButtonPress and event.button() == Qt.MouseButton.LeftButton:
            self.clear()
            self._anchor = self._end_at(event.globalPosition().toPoint())
        elif event.type() == QEvent.Type.MouseMove and event.buttons() & Qt.MouseButton.LeftButton:
            return self._move_to(event.globalPosition().toPoint())
        elif event.type() == QEvent.Type.MouseButtonRelease:
            self._drag.stop()
        return False

    def _move_to(self, point: QPoint) -> bool:
        """True when the pointer has left the row where it was pressed."""
        if self._anchor is None:
            return False
        y = self._host.mapFromGlobal(point).y()
        if 0 <= y < self._host.height():
            self._drag.stop()
        elif not self._drag.isActive():
            self._drag.start()
        end = self._end_at(point)
        if end is None or (end.position == self._anchor.position and self._head is None):
            return False
        self._head = end
        self.show()
        return True

    def _drag_on(self) -> None:
        """The pointer is held above or below the view."""
        point = QCursor.pos()
        self._scroll(-SCROLL_STEP if self._host.mapFromGlobal(point).y() < 0 else SCROLL_STEP)
        self._move_to(point)

    def _end_at(self, point: QPoint) -> End | None:
        """The place in the text nearest to a point on the screen."""
        y = self._host.mapFromGlobal(point).y()
        found: tuple[Position, QTextEdit] | None = None
        for position, edit in self._edits():
            if found is None or edit.mapTo(self._host, QPoint(0, 0)).y() <= y:
                found = position, edit
        if found is None:
            return None
        position, edit = found
        return End(position, edit.cursorForPosition(edit.viewport().mapFromGlobal(point)).position())

    def _edits(self) -> Iterator[tuple[Position, QTextEdit]]:
        """Rows of text on the screen, top first."""
        for row in self._rows.placed:
            widget = self._rows.widget(row.segment)
            edit = widget.text_edit if widget is not None else None
            if edit is not None:
                yield row.position, edit

    def _contents(self, first: Position, last: Position) -> Iterator[tuple[Position, Content]]:
        column = self._rows.column
        position: Position | None = column.clamp(first)
        while position is not None and position <= last:
            yield position, column.items[position.item].segments[position.row].content
            position = column.next(position)


def _text_between(content: Content, start: int, end: int | None, context: RowContext) -> str:
    """Text of a row as its widget shows it, character for character, but formulas as their source."""
    match content:
        case CodeRow(text=text) | UserRow(text=text):
            return text[start:end]
        case ProseRow() | TableRow():
            document = QTextDocument()
            document.setHtml(shown_html(content, context)[0])
            cursor = QTextCursor(document)
            last = document.characterCount() - 1
            cursor.setPosition(min(start, last))
            cursor.setPosition(last if end is None else min(end, last), QTextCursor.MoveMode.KeepAnchor)
            return selected_text(cursor)
        case _:
            return ""


def _select(edit: QTextEdit, start: int, end: int) -> None:
    bar = edit.horizontalScrollBar()
    sideways = bar.value()
    cursor = edit.textCursor()
    cursor.setPosition(start)
    cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
    edit.setTextCursor(cursor)
    bar.setValue(sideways)
