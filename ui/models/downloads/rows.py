"""The list of downloads: one row each, with its progress and what can be done."""

from collections.abc import Sequence

from PySide6.QtCore import QObject, QSize, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QPushButton, QScrollArea, QVBoxLayout, QWidget

from app.domain.events import DownloadState
from app.domain.library import Download
from ui.errors import error_hint, error_message
from ui.models.words import size_text, time_text
from ui.widgets.buttons import IconButton, mark

MOST_ROWS = 3  # shown without scrolling
TOKEN_CODES = ("hub-gated", "hub-token", "hub-unauthorized")  # an access token helps


class DownloadActions(QObject):
    """What a person wants of a download, by its id; ``used`` carries the path of the model."""

    paused = Signal(str)
    resumed = Signal(str)
    cancelled = Signal(str)
    dismissed = Signal(str)
    used = Signal(str)
    token_wanted = Signal(str)


class DownloadLine(QFrame):
    """One download."""

    def __init__(self, row: Download, actions: DownloadActions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._actions = actions
        self.setProperty("kind", "card")
        self.row = row
        self._name = QLabel(self)
        self._name.setTextFormat(Qt.TextFormat.PlainText)
        self._name.setProperty("kind", "strong")
        self.state = QLabel(self)
        self.state.setTextFormat(Qt.TextFormat.PlainText)
        self.state.setProperty("kind", "muted")
        self.state.setWordWrap(True)
        self.bar = QProgressBar(self)
        self.bar.setRange(0, 1000)
        self.bar.setTextVisible(False)
        self.use = self._button(self.tr("Use now"), lambda: actions.used.emit(self.row.path), "primary")
        self.token = self._button(self.tr("Enter a token…"), lambda: actions.token_wanted.emit(self.row.id))
        self.resume = self._button(self.tr("Resume"), lambda: actions.resumed.emit(self.row.id))
        self.pause = self._button(self.tr("Pause"), lambda: actions.paused.emit(self.row.id))
        self.cancel = IconButton("close", self.tr("Cancel the download and delete what was fetched"), self, size=14)
        self.cancel.clicked.connect(self._close)
        words = QVBoxLayout()
        words.setSpacing(5)
        words.addWidget(self._name)
        words.addWidget(self.bar)
        words.addWidget(self.state)
        line = QHBoxLayout(self)
        line.setContentsMargins(14, 10, 10, 10)
        line.setSpacing(10)
        line.addLayout(words, 1)
        for button in (self.use, self.token, self.resume, self.pause, self.cancel):
            line.addWidget(button)
        self.show_row(row)

    def show_row(self, row: Download) -> None:
        self.row = row
        finished, stopped = bool(row.path), row.state in (DownloadState.PAUSED, DownloadState.FAILED)
        self._name.setText(row.name)
        self.bar.setVisible(not finished)
        self.bar.setValue(round(1000 * row.done / row.total) if row.total else 0)
        self.bar.setAccessibleName(row.name)
        text = self._text(row)
        if text != self.state.text():
            self.state.setText(text)
        kind = "error" if row.error is not None else "warning" if row.note is not None else "muted"
        if self.state.property("kind") != kind:
            mark(self.state, kind)
        self.use.setVisible(finished)
        self.token.setVisible(row.error is not None and row.error.code in TOKEN_CODES)
        self.resume.setVisible(stopped and not finished)
        self.pause.setVisible(not stopped and not finished)
        if finished:
            self.cancel.set_label(self.tr("Take it off this list"))

    def _text(self, row: Download) -> str:
        if row.path:
            return self.tr("{size}, checked and in the library").format(size=size_text(row.total))
        fetched = self.tr("{done} of {total}").format(done=size_text(row.done), total=size_text(row.total))
        if row.error is not None and row.error.code in TOKEN_CODES:
            return error_message(row.error)  # the button says what to do
        if row.error is not None:
            return f"{error_message(row.error)} {error_hint(row.error)}".strip()
        if row.note is not None:
            return f"{fetched} · {error_message(row.note)}"
        match row.state:
            case DownloadState.QUEUED:
                return self.tr("Waits for the others to finish")
            case DownloadState.PREPARING:
                return self.tr("Asks the Hub")
            case DownloadState.WAITING:
                return self.tr("{fetched} · waits for the Hub and goes on by itself").format(fetched=fetched)
            case DownloadState.VERIFYING:
                return self.tr("{fetched} · checks what was fetched").format(fetched=fetched)
            case DownloadState.PAUSED:
                return self.tr("{fetched} · paused").format(fetched=fetched)
            case DownloadState.FAILED:
                return self.tr("{fetched} · stopped").format(fetched=fetched)
            case _:
                parts = [fetched]
        if row.bytes_per_second > 0:
            parts.append(f"{size_text(row.bytes_per_second)}/s")
            parts.append(time_text((row.total - row.done) / row.bytes_per_second))
        return " · ".join(parts)

    def _button(self, text: str, run: object, kind: str = "") -> QPushButton:
        button = QPushButton(text, self)
        if kind:
            button.setProperty("kind", kind)
        button.clicked.connect(run)
        return button

    def _close(self) -> None:
        (self._actions.dismissed if self.row.path else self._actions.cancelled).emit(self.row.id)


class DownloadList(QScrollArea):
    """Invisible while there is no download; a few rows are shown, the others are scrolled to."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.wanted = DownloadActions(self)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(self.tr("Downloads"))
        self.lines: dict[str, DownloadLine] = {}
        inner = QWidget(self)
        self._column = QVBoxLayout(inner)
        self._column.setContentsMargins(24, 12, 24, 4)
        self._column.setSpacing(8)
        self._column.addStretch(1)
        self.setWidget(inner)
        self.hide()

    def show_rows(self, rows: Sequence[Download]) -> None:
        wanted = {row.id: row for row in rows}
        changed = wanted.keys() != self.lines.keys()
        for gone in [known for known in self.lines if known not in wanted]:
            line = self.lines.pop(gone)
            self._column.removeWidget(line)
            line.hide()
            line.deleteLater()
        for row_id, row in wanted.items():
            known = self.lines.get(row_id)
            if known is None:
                self.lines[row_id] = self._line(row)
            elif known.row != row:
                known.show_row(row)
        if changed:
            self.setVisible(bool(self.lines))
            self.updateGeometry()

    def sizeHint(self) -> QSize:
        heights = [line.sizeHint().height() for line in self.lines.values()][:MOST_ROWS]
        margins = self._column.contentsMargins()
        return QSize(400, sum(heights) + 8 * max(0, len(heights) - 1) + margins.top() + margins.bottom())

    def minimumSizeHint(self) -> QSize:
        return QSize(200, min(self.sizeHint().height(), 90))

    def _line(self, row: Download) -> DownloadLine:
        line = DownloadLine(row, self.wanted, self.widget())
        self._column.insertWidget(self._column.count() - 1, line)
        return line
