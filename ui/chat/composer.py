"""Where a question is written: text that grows, attachments, and the button that sends or stops."""

from collections.abc import Sequence

from PySide6.QtCore import QMimeData, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.domain.drafts import Draft
from app.domain.models import ModelAbilities
from ui.chat.queue_list import QueueList
from ui.widgets.buttons import IconButton
from ui.widgets.chips import ChipRow

MAX_LINES = 8


class PromptEdit(QPlainTextEdit):
    """Plain text that grows with its lines. Enter submits, Shift+Enter breaks the line."""

    submitted = Signal()
    files_dropped = Signal(list)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setTabChangesFocus(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.document().setDocumentMargin(2)
        self.document().documentLayout().documentSizeChanged.connect(self._fit)
        self._fit()

    def _fit(self) -> None:
        """The layout's height counts lines, not pixels."""
        lines = max(1, int(self.document().size().height()))
        line = self.fontMetrics().lineSpacing()
        margins = self.contentsMargins()
        extra = round(2 * self.document().documentMargin()) + margins.top() + margins.bottom() + 4
        self.setFixedHeight(min(lines, MAX_LINES) * line + extra)
        policy = Qt.ScrollBarPolicy.ScrollBarAsNeeded if lines > MAX_LINES else Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        self.setVerticalScrollBarPolicy(policy)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if enter and not event.modifiers() & (Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.AltModifier):
            self.submitted.emit()
        else:
            super().keyPressEvent(event)

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        return source.hasUrls() or super().canInsertFromMimeData(source)

    def insertFromMimeData(self, source: QMimeData) -> None:
        files = [url.toLocalFile() for url in source.urls() if url.isLocalFile()]
        if files:
            self.files_dropped.emit(files)
        else:
            super().insertFromMimeData(source)


class Composer(QFrame):
    """``submitted`` asks for the draft to be sent; it stays until ``clear``, so that nothing is lost on an error."""

    submitted = Signal(object)  # Draft
    queued = Signal(object)  # Draft: to be sent when the answer that runs has ended
    written = Signal()  # the draft is another one now
    stop_requested = Signal()
    attach_requested = Signal()
    attached = Signal(list)  # paths that were dropped or pasted
    edit_cancelled = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("composer")
        self._running = False
        self._reason = ""
        self._edits: str | None = None
        self._chips = ChipRow(self)
        self._chips.removed.connect(self._detach)
        self.queue = QueueList(self)
        self._editing = self._edit_bar()
        self._edit = PromptEdit(self)
        self._edit.setAccessibleName(self.tr("Message"))
        self._edit.submitted.connect(self._submit)
        self._edit.files_dropped.connect(self.attached)
        self._edit.textChanged.connect(self._refresh)
        self._edit.textChanged.connect(self.written)
        self.setFocusProxy(self._edit)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 10, 10, 8)
        column.setSpacing(6)
        column.addWidget(self.queue)
        column.addWidget(self._editing)
        column.addWidget(self._chips)
        column.addWidget(self._edit)
        column.addLayout(self._buttons())
        self._refresh()

    def _edit_bar(self) -> QWidget:
        bar = QWidget(self)
        row = QHBoxLayout(bar)
        row.setContentsMargins(0, 0, 0, 0)
        label = QLabel(self.tr("Editing an earlier question"), bar)
        label.setProperty("kind", "muted")
        cancel = IconButton("close", self.tr("Keep the question as it was"), bar, size=14)
        cancel.clicked.connect(self.edit_cancelled)
        row.addWidget(label)
        row.addStretch(1)
        row.addWidget(cancel)
        bar.hide()
        return bar

    def _buttons(self) -> QHBoxLayout:
        attach = IconButton("paperclip", self.tr("Attach files or folders"), self)
        attach.clicked.connect(self.attach_requested)
        self._think = QToolButton(self)
        self._think.setObjectName("pill")
        self._think.setText(self.tr("Think"))
        self._think.setCheckable(True)
        self._think.setChecked(True)
        self._think.setToolTip(self.tr("Let the model reason before it answers"))
        self._think.setAccessibleName(self.tr("Think before answering"))
        self._think.hide()
        self._hint = QLabel(self)
        self._hint.setProperty("kind", "muted")
        self._send = IconButton("send", "", self, color="accent_text")
        self._send.setObjectName("send")
        self._send.setFixedSize(QSize(34, 34))
        self._send.clicked.connect(self._press)
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(attach)
        row.addWidget(self._think)
        row.addStretch(1)
        row.addWidget(self._hint)
        row.addWidget(self._send)
        return row

    @property
    def think(self) -> bool | None:
        """The person's wish, or None where the model has no choice."""
        return self._think.isChecked() if not self._think.isHidden() else None

    def draft(self) -> Draft:
        return Draft(self._edit.toPlainText(), self._chips.paths, self._edits)

    def show_draft(self, draft: Draft) -> None:
        self._edits = draft.edits
        self._editing.setVisible(draft.edits is not None)
        self._edit.setPlainText(draft.text)
        self._edit.moveCursor(self._edit.textCursor().MoveOperation.End)
        self._chips.show_paths(draft.attachments)
        self._refresh()

    def clear(self) -> None:
        self.show_draft(Draft())

    def attach(self, paths: Sequence[str]) -> None:
        self._chips.show_paths(list(dict.fromkeys([*self._chips.paths, *paths])))
        self.written.emit()

    def set_running(self, running: bool) -> None:
        self._running = running
        self._refresh()

    def set_abilities(self, abilities: ModelAbilities) -> None:
        """Of the model that answers: whether it can be asked not to reason, or to reason little."""
        self._think.setVisible(abilities.switchable or bool(abilities.efforts))

    def set_reason(self, reason: str) -> None:
        """Why nothing can be sent now, in a few words; "" where it can."""
        self._reason = reason
        self._refresh()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._edit.setFocus()

    def _detach(self, path: str) -> None:
        self._chips.show_paths([known for known in self._chips.paths if known != path])
        self.written.emit()

    def _refresh(self) -> None:
        empty = not self._edit.toPlainText().strip()
        self._send.set_icon("stop" if self._running else "send")
        self._send.set_label(self.tr("Stop (Esc)") if self._running else self.tr("Send (Enter)"))
        self._send.setEnabled(self._running or (not empty and not self._reason))
        self._hint.setText("" if self._running else self._reason)
        self._edit.setPlaceholderText(
            self.tr("Write the next message; Enter sends it when this answer has ended")
            if self._running
            else self.tr("Ask anything, or about your documents")
        )

    def _press(self) -> None:
        if self._running:
            self.stop_requested.emit()
        else:
            self._submit()

    def _submit(self) -> None:
        draft = self.draft()
        if self._reason or not draft.text.strip():
            return
        if not self._running:
            self.submitted.emit(draft)
        elif draft.edits is None:
            self.queued.emit(draft)

    def escape(self) -> bool:
        """Leave an edit, or stop the answer; False where there is neither."""
        if self._edits is not None:
            self.edit_cancelled.emit()
        elif self._running:
            self.stop_requested.emit()
        else:
            return False
        return True
