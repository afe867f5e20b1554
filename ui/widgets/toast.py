"""A short remark at the upper edge that goes away by itself, with one thing to press."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QWidget

SHOWN_MS = 8000
DROP = 12  # px below the upper edge


class Toast(QFrame):
    """Floats over ``parent`` and stays centred at its upper edge."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setProperty("kind", "toast")
        self._label = QLabel(self)
        self._button = QPushButton(self)
        self._button.setProperty("kind", "link")
        self._button.clicked.connect(self._press)
        self._action: Callable[[], object] | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SHOWN_MS)
        self._timer.timeout.connect(self.hide)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 8, 10, 8)
        row.setSpacing(12)
        row.addWidget(self._label)
        row.addWidget(self._button)
        self._below = parent
        parent.installEventFilter(self)
        self.hide()

    def show_message(self, text: str, button: str = "", action: Callable[[], object] | None = None) -> None:
        self._label.setText(text)
        self._button.setText(button)
        self._button.setVisible(action is not None)
        self._action = action
        self._place()
        self.show()
        self.raise_()
        self._timer.start()

    def press(self) -> None:
        """What the button does."""
        self._press()

    def _press(self) -> None:
        self.hide()
        if self._action is not None:
            self._action()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._place()
        return super().eventFilter(watched, event)

    def _place(self) -> None:
        self.adjustSize()

        self.move((self._below.width() - self.width()) // 2, DROP)
