"""A line across the window that tells of an error and stays until it is closed. It never takes the focus."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from app.domain.errors import ErrorInfo
from ui.errors import error_hint, error_message
from ui.widgets.buttons import IconButton, IconLabel


class Banner(QFrame):
    """Shows one error at a time, the newest; ``closed`` is the press on the cross."""

    closed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "banner")
        self._message = _text_label(self)
        self._message.setStyleSheet("font-weight: 600;")
        self._hint = _text_label(self)
        self._detail = _text_label(self)
        self._detail.setProperty("kind", "muted")
        self._fold = QPushButton(self.tr("Details"), self)
        self._fold.setProperty("kind", "ghost")
        self._fold.setCheckable(True)
        self._fold.toggled.connect(self._detail.setVisible)
        close = IconButton("close", self.tr("Close this message"), self, size=14)
        close.clicked.connect(self.dismiss)
        texts = QVBoxLayout()
        texts.setSpacing(2)
        texts.addWidget(self._message)
        texts.addWidget(self._hint)
        texts.addWidget(self._detail)
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 8, 8, 8)
        row.setSpacing(10)
        row.addWidget(IconLabel("error", 18, self, color="error"), 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(texts, 1)
        row.addWidget(self._fold, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)
        self.hide()

    def show_error(self, info: ErrorInfo) -> None:
        self._message.setText(error_message(info))
        hint = error_hint(info)
        self._hint.setText(hint)
        self._hint.setVisible(bool(hint))
        self._detail.setText(info.detail)
        self._fold.setVisible(bool(info.detail))
        self._fold.setChecked(False)
        self._detail.hide()
        self.setAccessibleName(f"{error_message(info)} {hint}")
        self.show()

    def text(self) -> str:
        """What is shown, without the details; "" while nothing is."""
        return "" if self.isHidden() else f"{self._message.text()} {self._hint.text()}".strip()

    def dismiss(self) -> None:
        self.hide()
        self.closed.emit()


def _text_label(parent: QWidget) -> QLabel:
    label = QLabel(parent)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
    return label
