"""A line across the window that tells of an error and stays until it is closed. It never takes the focus."""

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.domain.errors import ErrorInfo
from ui.errors import error_hint, error_message
from ui.widgets.buttons import IconButton, IconLabel

NARROW = 560  # px
LEAST_DETAIL = 72  # px
MOST_DETAIL = 0.2  # of the window's height


@dataclass(frozen=True, slots=True)
class Offer:
    """Something to do about it, one press away."""

    text: str
    run: Callable[[], object]


class Banner(QFrame):
    """Shows one error at a time, the newest; ``closed`` is the press on the cross."""

    closed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "banner")
        self._message = _text_label(self)
        self._message.setStyleSheet("font-weight: 600;")
        self._hint = _text_label(self)
        self._detail = _Detail(self)
        self._offer: Offer | None = None
        self.action = QPushButton(self)
        self.action.clicked.connect(self._accept)
        self._fold = QPushButton(self.tr("Details"), self)
        self._fold.setProperty("kind", "ghost")
        self._fold.setCheckable(True)
        self._fold.toggled.connect(self._unfold)
        close = IconButton("close", self.tr("Close this message"), self, size=14)
        close.clicked.connect(self.dismiss)
        texts = QVBoxLayout()
        texts.setSpacing(2)
        texts.addWidget(self._message)
        texts.addWidget(self._hint)
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 8, 8, 8)
        row.setSpacing(10)
        self._icon = IconLabel("error", 18, self, color="error")
        row.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        buttons = QHBoxLayout()
        buttons.setSpacing(6)
        buttons.addWidget(self.action, 0, Qt.AlignmentFlag.AlignTop)
        buttons.addWidget(self._fold, 0, Qt.AlignmentFlag.AlignTop)
        buttons.addStretch(1)
        self._body = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._body.setSpacing(8)
        self._body.addLayout(texts, 1)
        self._body.addLayout(buttons)
        column = QVBoxLayout()
        column.setSpacing(8)
        column.addLayout(self._body)
        column.addWidget(self._detail)
        row.addLayout(column, 1)
        row.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)
        self.hide()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Where the window is narrow the buttons stand below the text, which would be a tall column beside them."""
        super().resizeEvent(event)
        beside = self.width() >= NARROW
        self._body.setDirection(QBoxLayout.Direction.LeftToRight if beside else QBoxLayout.Direction.TopToBottom)
        self._detail.fit()

    def show_error(self, info: ErrorInfo, offer: Offer | None = None) -> None:
        self._show(info, offer, calm=False)

    def show_note(self, info: ErrorInfo, offer: Offer | None = None) -> None:
        """What is worth knowing and no cause for alarm."""
        self._show(info, offer, calm=True)

    def _show(self, info: ErrorInfo, offer: Offer | None, *, calm: bool) -> None:
        self.setProperty("kind", "note" if calm else "banner")
        self.style().polish(self)
        self._icon.set_icon("info" if calm else "error", "muted" if calm else "error")
        self._offer = offer
        self.action.setText(offer.text if offer else "")
        self.action.setVisible(offer is not None)
        self._message.setText(error_message(info))
        hint = error_hint(info)
        self._hint.setText(hint)
        self._hint.setVisible(bool(hint))
        self._detail.setPlainText(info.detail)
        self._fold.setVisible(bool(info.detail))
        self._fold.setChecked(False)
        self.setAccessibleName(f"{error_message(info)} {hint}")
        self.show()

    def text(self) -> str:
        """What is shown, without the details; "" while nothing is."""
        return "" if self.isHidden() else f"{self._message.text()} {self._hint.text()}".strip()

    def dismiss(self) -> None:
        self.hide()
        self.closed.emit()

    def _unfold(self, shown: bool) -> None:
        self._detail.setVisible(shown)
        self._detail.fit()

    def _accept(self) -> None:
        offer = self._offer
        self.dismiss()
        if offer is not None:
            offer.run()


class _Detail(QPlainTextEdit):
    """What programmers want to know. It scrolls where it is long, so that the window keeps its size."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setReadOnly(True)
        self.setTabChangesFocus(True)
        self.setProperty("kind", "code")
        self.setAccessibleName(self.tr("Details"))
        self.hide()

    def fit(self) -> None:
        """As high as its lines, up to a part of the window's height. The layout counts lines, not pixels."""
        around = self.contentsMargins()
        extra = round(2 * self.document().documentMargin()) + around.top() + around.bottom() + 2 * self.frameWidth()
        line = self.fontMetrics().lineSpacing()
        most = max(LEAST_DETAIL, round(self.window().height() * MOST_DETAIL))
        lines = min(round(self.document().size().height()), (most - extra) // line)
        self.setFixedHeight(lines * line + extra)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.fit()


def _text_label(parent: QWidget) -> QLabel:
    label = QLabel(parent)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
    return label
