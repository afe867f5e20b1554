"""The transcript's public face: a scroll area over ``RowsOnScreen``, fed with messages and events."""

import time
from collections.abc import Sequence

from PySide6.QtCore import QElapsedTimer, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence, QPalette, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QAbstractScrollArea, QApplication, QFrame, QTextEdit, QWidget

from app.domain import events
from app.domain.answers import new_answer
from app.domain.fold import ToolCall
from app.domain.messages import Message, Role, ToolCallPart
from ui.chat.tool_words import ToolWords
from ui.chat.transcript.math.formulas import Formulas
from ui.chat.transcript.rows.column import Position
from ui.chat.transcript.rows.content import StatusRow
from ui.chat.transcript.rows.item import MessageItem
from ui.chat.transcript.rows.packing import CodeRow
from ui.chat.transcript.rows.segment import Segment
from ui.chat.transcript.saving import save_code
from ui.chat.transcript.selection import RowSelection
from ui.chat.transcript.viewport import RowsOnScreen
from ui.chat.transcript.widgets.context import RowContext, RowWidget
from ui.chat.transcript.widgets.prose import ProseWidget
from ui.chat.transcript.widgets.text_box import selected_text
from ui.theme import GRID, TEXT_COLUMN, Theme, current_theme, theme_watcher
from ui.widgets.flat_button import FlatButton

SIDE = 3 * GRID  # px beside the column at least
STEP = 20  # px of one line of wheel or arrow key
FASTEST_MS, SLOWEST_MS = 33, 250  # between two updates while an answer arrives
REST = 9  # while an answer arrives, this thread may be busy for one ninth of the time
PAUSE_MS = 1000
FAR = 120  # px from the end beyond which a way back is offered


class TranscriptView(QAbstractScrollArea):
    """Shows one conversation. Every method is cheap; text that arrives is drawn a little later."""

    citation_activated = Signal(object)  # CitationPart
    link_activated = Signal(str)
    regenerate_requested = Signal(str)  # message id, as in the next three
    continue_requested = Signal(str)
    edit_requested = Signal(str)
    sibling_requested = Signal(str, int)  # -1 or 1
    tool_call_activated = Signal(str)  # call id
    copied = Signal(str)  # the text now on the clipboard
    open_source_requested = Signal(object, object)  # path, Locator
    approval_decided = Signal(str, bool, bool)  # call id, allowed, always

    def __init__(self, tools: ToolWords, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tools = tools
        self.setLayoutDirection(Qt.LayoutDirection.LeftToRight)  # rows place by x; paragraphs know their own direction
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        self._app = app
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(self.tr("Conversation"))
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.viewport().setBackgroundRole(QPalette.ColorRole.Window)
        self._formulas = Formulas(app, self)
        self._formulas.drawn.connect(self._formulas_drawn)
        self._wrap_code = False
        self._context = self._new_context(current_theme(app))
        self._rows = RowsOnScreen(self.viewport(), self._context)
        self._selection = RowSelection(self._rows, self.viewport(), self.scroll_by)
        self._rows.on_made = self._row_made
        self._index: dict[str, int] = {}
        self._keep_reasoning_open = False
        self._dirty: set[int] = set()
        self._top = 0  # y of the view's top in the content
        self._syncing = False
        self._cost = 1.0  # ms of CPU from one update to the next, painting included, averaged
        self._cpu = time.thread_time()
        self._since = QElapsedTimer()
        self._since.start()
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self.flush)
        self._jump = self._new_jump_button(current_theme(app))
        bar = self.verticalScrollBar()
        bar.setStyleSheet("QScrollBar::handle:vertical:disabled { background: transparent; }")
        bar.setSingleStep(3 * STEP)
        bar.valueChanged.connect(self._bar_moved)
        theme_watcher(app).changed.connect(self._use_theme)

    # What is shown

    def show_conversation(self, messages: Sequence[Message], begun: Sequence[ToolCall] = ()) -> None:
        """Replace everything by the walk from the root to the active leaf; the end is shown.

        ``begun``: calls of the answer that is being written which run or wait for the person.
        """
        self.clear()
        self._rows.column.replace(self._item(message, begun) for message in messages)
        self._index = {message.id: index for index, message in enumerate(messages)}
        self._rows.to_end()
        self._lay_out()

    def clear(self) -> None:
        self._timer.stop()
        self._formulas.forget()
        self._selection.clear()
        self._dirty.clear()
        self._index.clear()
        self._rows.drop()
        self._rows.column.replace(())
        self._rows.to_end()
        self._lay_out()

    def append_message(self, message: Message) -> None:
        """Add a message below the last one. A question brings the end into view."""
        if message.id in self._index:
            return
        column = self._rows.column
        self._index[message.id] = len(column.items)
        column.append(self._item(message))
        if message.role is Role.USER:
            self._rows.following = True
        self._schedule(self._index[message.id])

    def set_keep_reasoning_open(self, keep: bool) -> None:
        """Whether finished reasoning stays unfolded, in messages that are shown from now on."""
        self._keep_reasoning_open = keep

    def set_siblings(self, message_id: str, index: int, count: int) -> None:
        """This is version ``index`` (from 0) of ``count``."""
        place = self._index.get(message_id)
        if place is not None:
            item = self._rows.column.items[place]
            item.set_siblings(index, count)
            if item.built:
                self._schedule(place)

    def apply(self, event: object) -> None:
        """Take an event of ``app.domain.events`` about the shown conversation; others pass by."""
        if isinstance(event, events.TurnStarted) and event.answer_id not in self._index:
            self.append_message(new_answer(event.conversation_id, event.answer_id, event.user_message_id, time.time()))
            return
        index = self._index.get(getattr(event, "answer_id", ""))
        if index is None:
            return
        item = self._rows.column.items[index]
        match event:
            case events.PrefillProgress(done=done, total=total):
                item.wait(StatusRow(percent=min(100, done * 100 // max(1, total))))
            case events.TurnQueued(ahead=ahead):
                item.wait(StatusRow(ahead=ahead))
            case _ if not item.apply(event):
                return
        self._schedule(index)

    def flush(self) -> None:
        """Draw at once what has arrived."""
        self._timer.stop()
        cpu = time.thread_time()
        self._cost = 0.7 * self._cost + 0.3 * (cpu - self._cpu) * 1000
        self._cpu = cpu
        for index in self._dirty:
            self._rows.column.refresh(index)
        self._dirty.clear()
        self._lay_out()
        self._since.restart()

    # Scrolling

    @property
    def alive_rows(self) -> int:
        """How many rows exist as widgets."""
        return self._rows.alive

    @property
    def follows_end(self) -> bool:
        """Whether new text keeps the end in view."""
        return self._rows.following

    def jump_to_latest(self) -> None:
        self._rows.to_end()
        self._lay_out()

    def reveal_call(self, call_id: str) -> None:
        """Scroll to the card of a tool call, the newest with this id."""
        column = self._rows.column
        for index in range(len(column.items) - 1, -1, -1):
            item = column.items[index]
            stored = (part.id for part in item.message.parts if isinstance(part, ToolCallPart))
            if item.built or call_id in stored:
                column.clamp(Position(index, 0))  # makes its rows
                if (row := item.row_of_call(call_id)) is not None:
                    self._go_to(max(0, column.offset(Position(index, row)) - 2 * GRID))
                    return

    def scroll_by(self, pixels: int) -> None:
        """Move by ``pixels``, positive towards the end."""
        self._rows.scroll(pixels)
        self._lay_out()

    def wheelEvent(self, event: QWheelEvent) -> None:
        pixels = event.pixelDelta().y()
        if not pixels:
            pixels = round(event.angleDelta().y() / 120 * STEP * self._app.wheelScrollLines())
        if pixels:
            self.scroll_by(-pixels)
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        page = self.viewport().height() - 2 * STEP
        steps = {
            Qt.Key.Key_Up: -2 * STEP,
            Qt.Key.Key_Down: 2 * STEP,
            Qt.Key.Key_PageUp: -page,
            Qt.Key.Key_PageDown: page,
            Qt.Key.Key_Space: page,
        }
        key = Qt.Key(event.key())
        if key in steps:
            self.scroll_by(steps[key])
        elif event.matches(QKeySequence.StandardKey.Copy):
            self._copy_selected(None)
        elif key == Qt.Key.Key_Home:
            self._go_to(0)
        elif key == Qt.Key.Key_End:
            self.jump_to_latest()
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._rows.following:
            self._rows.to_end()
        self._lay_out()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        """Nothing: the rows are moved by ``_lay_out``, and the default would paint everything anew."""

    def _bar_moved(self, value: int) -> None:
        if self._syncing:
            return
        step = value - self._top
        if value >= self.verticalScrollBar().maximum():
            self.jump_to_latest()
        elif value > 0 and abs(step) <= 2 * self.viewport().height():
            self.scroll_by(step)
        else:
            self._go_to(value)

    def _go_to(self, y: int) -> None:
        if self._rows.column.items:
            self._rows.following = False
            self._rows.to_top_of(y)
            self._lay_out()

    def _toggle(self, segment: Segment) -> None:
        segment.expanded = not segment.open
        segment.changed()
        self._rows.hold(segment)
        self._lay_out()

    def _formulas_drawn(self) -> None:
        if self._rows.renew_waiting():
            self._lay_out()

    def _toggle_wrap(self, segment: Segment) -> None:
        """All code of the conversation: a block of many rows is one."""
        self._wrap_code = self._context.wrap_code = not self._wrap_code
        for item in self._rows.column.items:
            for row in item.segments:
                if isinstance(row.content, CodeRow):
                    row.changed()
        self._rows.hold(segment)
        self._lay_out()

    # Placing

    def _lay_out(self) -> None:
        view = self.viewport()
        width = max(120, min(TEXT_COLUMN, view.width() - 2 * SIDE))
        self._rows.set_width((view.width() - width) // 2, width)
        self._top = max(0, self._rows.lay_out())
        self._selection.show()
        end = max(self._top, self._rows.column.total - view.height())
        bar = self.verticalScrollBar()
        self._syncing = True
        bar.setRange(0, end)
        bar.setEnabled(end > 0)  # where nothing scrolls its handle is not drawn, but its room stays
        bar.setPageStep(view.height())
        bar.setValue(self._top)
        self._syncing = False
        self._jump.setVisible(not self._rows.following and end - self._top > FAR)
        self._jump.move((view.width() - self._jump.width()) // 2, view.height() - self._jump.height() - 2 * GRID)
        self._jump.raise_()

    def _schedule(self, index: int) -> None:
        self._dirty.add(index)
        if not self._timer.isActive():
            if self._since.hasExpired(PAUSE_MS):  # what the thread did in a pause is not the price of an update
                self._cpu = time.thread_time()
            interval = min(SLOWEST_MS, max(FASTEST_MS, REST * self._cost))
            self._timer.start(max(0, int(interval - self._since.elapsed())))

    def _item(self, message: Message, begun: Sequence[ToolCall] = ()) -> MessageItem:
        return MessageItem(message, time.monotonic, keep_reasoning_open=self._keep_reasoning_open, begun=begun)

    # Looks and signals

    def _use_theme(self, theme: Theme) -> None:
        self._context.deleteLater()
        self._context = self._new_context(theme)
        self._rows.set_context(self._context)
        self._jump.deleteLater()
        self._jump = self._new_jump_button(theme)
        self._lay_out()

    def _new_context(self, theme: Theme) -> RowContext:
        context = RowContext(self._app, theme, self._tools, self._formulas, self, wrap_code=self._wrap_code)
        for name in (
            "citation_activated",
            "link_activated",
            "regenerate_requested",
            "continue_requested",
            "edit_requested",
            "sibling_requested",
            "tool_call_activated",
            "open_source_requested",
            "approval_decided",
        ):
            getattr(context, name).connect(getattr(self, name))
        context.copy_pressed.connect(self._copy_selected)
        context.copy_requested.connect(self._copy)
        context.copy_answer_requested.connect(self._copy_answer)
        context.save_requested.connect(lambda text, language: save_code(text, language, self))
        context.wrap_toggled.connect(self._toggle_wrap)
        context.fold_toggled.connect(self._toggle)
        context.scroll_key_pressed.connect(self.keyPressEvent)
        return context

    def _new_jump_button(self, theme: Theme) -> FlatButton:
        label = self.tr("Jump to the latest")
        button = FlatButton(theme, "arrow-down", "", label, self.viewport(), floating=True)
        button.clicked.connect(self.jump_to_latest)
        button.hide()
        return button

    def _copy(self, text: str) -> None:
        QGuiApplication.clipboard().setText(text)
        self.copied.emit(text)

    def _copy_selected(self, edit: QTextEdit | None) -> None:
        """What is selected across rows, else in the one that has the focus."""
        if self._selection.active:
            self._copy(self._selection.text())
        elif edit is not None and edit.textCursor().hasSelection():
            edit.copy()
            self.copied.emit(selected_text(edit.textCursor()))

    def _row_made(self, widget: RowWidget | ProseWidget) -> None:
        if widget.text_edit is not None:
            self._selection.watch(widget.text_edit)

    def _copy_answer(self, message_id: str) -> None:
        index = self._index.get(message_id)
        if index is not None:
            self._copy(self._rows.column.items[index].text())
