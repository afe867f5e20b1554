"""One call in full: arguments, result, time, and the question whether it may run."""

from time import monotonic

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.domain.messages import ToolStatus
from ui.chat.calls.delegate import StatusBadge, seconds_text
from ui.chat.calls.model import CallEntry, pretty
from ui.chat.tool_words import ToolWords
from ui.theme import code_font
from ui.widgets.buttons import IconButton
from ui.widgets.tip import plain_tip

FRAME = 26  # px, around the lines of a text
LEAST = 64  # px, of a text where the panel is low


class TextSection(QWidget):
    """A heading with a copy button over read-only monospaced text."""

    def __init__(self, title: str, copy_label: str, most: int, parent: QWidget | None = None) -> None:
        """``most``: lines shown before it scrolls."""
        super().__init__(parent)
        self._most = most
        heading = QLabel(title, self)
        heading.setProperty("kind", "section")
        copy = IconButton("copy", copy_label, self, size=14)
        copy.clicked.connect(self._copy)
        self._text = QPlainTextEdit(self)
        self._text.setProperty("kind", "code")
        self._text.setReadOnly(True)
        self._text.setFont(code_font())
        self._text.setAccessibleName(title)
        self._text.setTabChangesFocus(True)
        self._text.document().documentLayout().documentSizeChanged.connect(self._fit)
        self._shown = ""
        head = QHBoxLayout()
        head.addWidget(heading)
        head.addStretch(1)
        head.addWidget(copy)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(head)
        column.addWidget(self._text, 1)

    def show_text(self, text: str, *, streaming: bool = False) -> None:
        """Text that only grew is appended, so that scroll and selection stay."""
        if text == self._shown:
            return
        if streaming and self._shown and text.startswith(self._shown):
            cursor = self._text.textCursor()
            cursor.movePosition(cursor.MoveOperation.End)
            cursor.insertText(text[len(self._shown) :])
        else:
            self._text.setPlainText(text)
        self._shown = text

    def text(self) -> str:
        return self._shown

    def _fit(self) -> None:
        """As high as the text, up to a limit; the layout counts lines."""
        lines = min(max(1, int(self._text.document().size().height())), self._most)
        height = lines * self._text.fontMetrics().lineSpacing() + FRAME
        self._text.setMinimumHeight(min(height, LEAST))
        self._text.setMaximumHeight(height)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._shown)


class ToolDetail(QFrame):
    approval_decided = Signal(str, bool, bool)  # call id, allowed, always in this chat
    show_requested = Signal(str)  # call id

    def __init__(self, tools: ToolWords, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("toolDetail")
        self._tools = tools
        self._entry: CallEntry | None = None
        self._name = QLabel(self)
        self._name.setProperty("kind", "heading")
        self._name.setTextFormat(Qt.TextFormat.PlainText)
        self._name.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._badge = StatusBadge(self)
        self._time = QLabel(self)
        self._time.setProperty("kind", "muted")
        show = IconButton("chat", self.tr("Show this call in the chat"), self, size=16)
        show.clicked.connect(self._show)
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self._name)
        head.addWidget(self._badge)
        head.addStretch(1)
        head.addWidget(self._time)
        head.addWidget(show)
        self._approval = self._approval_bar()
        self._arguments = TextSection(self.tr("Arguments"), self.tr("Copy the arguments"), 14, self)
        self._result = TextSection(self.tr("Result"), self.tr("Copy the result"), 60, self)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 10, 10, 12)
        column.setSpacing(8)
        column.addLayout(head)
        column.addWidget(self._approval)
        column.addWidget(self._arguments)
        column.addWidget(self._result)
        column.addStretch(1)
        self.show_entry(None)

    def _approval_bar(self) -> QFrame:
        bar = QFrame(self)
        bar.setObjectName("approval")
        question = QLabel(self.tr("The model wants to run this tool. Allow it?"), bar)
        question.setWordWrap(True)
        buttons = QGridLayout()
        buttons.setSpacing(6)
        buttons.setColumnStretch(2, 1)
        choices = (
            (self.tr("Allow once"), True, False, "primary", (0, 0, 1, 1)),
            (self.tr("Deny"), False, False, "", (0, 1, 1, 1)),
            (self.tr("Always in this chat"), True, True, "", (1, 0, 1, 2)),
        )
        for text, allowed, always, kind, place in choices:
            button = QPushButton(text, bar)
            button.setProperty("kind", kind)
            button.setAutoDefault(False)
            button.clicked.connect(lambda _=False, a=allowed, b=always: self._decide(a, b))
            buttons.addWidget(button, *place)
        column = QVBoxLayout(bar)
        column.setContentsMargins(12, 10, 12, 10)
        column.setSpacing(8)
        column.addWidget(question)
        column.addLayout(buttons)
        return bar

    def show_entry(self, entry: CallEntry | None) -> None:
        same = entry is not None and self._entry is not None and entry.call_id == self._entry.call_id
        self._entry = entry
        self.setVisible(entry is not None)
        if entry is None:
            return
        self._name.setText(self._tools.title(entry.name))
        self._name.setToolTip(plain_tip(entry.name))
        self._badge.show_status(entry.status)
        self._approval.setVisible(entry.status is ToolStatus.WAITING)
        writing = entry.status is None
        self._arguments.show_text(entry.arguments if writing else pretty(entry.arguments), streaming=same and writing)
        self._result.setVisible(entry.status not in (None, ToolStatus.WAITING))
        self._result.show_text(entry.result, streaming=same)
        self.tick()

    def tick(self) -> None:
        """Bring a running time up to date."""
        entry = self._entry
        if entry is None:
            return
        seconds = monotonic() - entry.started if entry.started is not None else entry.seconds
        self._time.setText(seconds_text(seconds))

    def _show(self) -> None:
        if self._entry is not None:
            self.show_requested.emit(self._entry.call_id)

    def _decide(self, allowed: bool, always: bool) -> None:
        if self._entry is not None:
            self._approval.hide()
            self.approval_decided.emit(self._entry.call_id, allowed, always)
