"""The messages that wait for the answer's end, a line each, above the field where the next one is written."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from app.domain.drafts import Draft
from ui.widgets.buttons import IconButton, IconLabel
from ui.widgets.elided import ElidedLabel

MOST = 3  # lines; the others are a number
ICON, GAP = 14, 6  # px


class QueueList(QWidget):
    edit_requested = Signal(int)  # its place in the queue
    removed = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(2)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.hide()

    def show_queue(self, drafts: Sequence[Draft]) -> None:
        while (item := self._column.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        for index, draft in enumerate(drafts[:MOST]):
            self._column.addWidget(self._line(index, draft))
        if len(drafts) > MOST:
            more = QLabel(self.tr("{count} more").format(count=len(drafts) - MOST), self)
            more.setProperty("kind", "muted")
            more.setIndent(ICON + GAP)
            self._column.addWidget(more)
        self.setVisible(bool(drafts))

    def _line(self, index: int, draft: Draft) -> QWidget:
        line = QWidget(self)
        text = ElidedLabel(line)
        text.setProperty("kind", "muted")
        text.show_text(" ".join(draft.text.split()))
        text.setAccessibleName(self.tr("Sent when the answer has ended: {text}").format(text=draft.text))
        edit = IconButton("edit", self.tr("Edit this message"), line, size=14)
        edit.clicked.connect(lambda: self.edit_requested.emit(index))
        remove = IconButton("close", self.tr("Do not send this message"), line, size=14)
        remove.clicked.connect(lambda: self.removed.emit(index))
        row = QHBoxLayout(line)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GAP)
        row.addWidget(IconLabel("clock", ICON, line))
        row.addWidget(text, 1)
        row.addWidget(edit)
        row.addWidget(remove)
        return line
