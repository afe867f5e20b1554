"""The stopwatch: finds which placement is the fastest here."""

from PySide6.QtCore import QElapsedTimer, QTimer, Signal
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from app.domain.placement import Tuning
from ui.models.panel.words import tuning_text

TICK_MS = 1000


class TuningView(QWidget):
    start_requested = Signal()
    stop_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._running = False
        self.button = QPushButton(self)
        self.button.setToolTip(
            self.tr("Loads the model a few times, each time placed in another way, and keeps to the fastest")
        )
        self.button.clicked.connect(lambda: (self.stop_requested if self._running else self.start_requested).emit())
        self.words = QLabel(self)
        self.words.setProperty("kind", "muted")
        self.words.setWordWrap(True)
        self._since = QElapsedTimer()
        self._tick = QTimer(self)
        self._tick.setInterval(TICK_MS)
        self._tick.timeout.connect(self._show_time)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.button)
        column.addWidget(self.words)
        self.show_running(False)
        self.show_result(None)

    def set_possible(self, possible: bool) -> None:
        """Whether it can be started; stopping it is always possible."""
        self.button.setEnabled(possible or self._running)

    def show_running(self, running: bool) -> None:
        self._running = running
        self.button.setText(self.tr("Stop") if running else self.tr("Find the fastest settings"))
        if running:
            self.button.setEnabled(True)
            self._since.start()
            self._tick.start()
            self._show_time()
        elif self._tick.isActive():
            self._tick.stop()
            self._say("")

    def show_result(self, tuning: Tuning | None) -> None:
        if not self._running:
            self._say(tuning_text(tuning) if tuning is not None else "")

    def _show_time(self) -> None:
        seconds = self._since.elapsed() // 1000
        self._say(
            self.tr("Timing a few ways to place it: {seconds} s. Asking a question stops it.").format(seconds=seconds)
        )

    def _say(self, text: str) -> None:
        self.words.setText(text)
        self.words.setVisible(bool(text))
