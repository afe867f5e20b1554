"""The lowest line: what is loaded, read and written just now."""

from PySide6.QtWidgets import QLabel, QProgressBar, QStatusBar, QWidget

from app.domain.events import PrefillProgress, TokenRate, TurnFinished, TurnQueued
from ui.models.controller import ModelState


class StatusBar(QStatusBar):
    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizeGripEnabled(False)
        self._model = QLabel(self)
        self._loading = QProgressBar(self)
        self._loading.setFixedWidth(120)
        self._loading.setTextVisible(False)
        self._loading.setAccessibleName(self.tr("Loading the model"))
        self._loading.hide()
        self._index = QLabel(self)
        self._turn = QLabel(self)
        self._context = QLabel(self)
        self._rate = QLabel(self)
        self.setContentsMargins(10, 0, 14, 0)
        for widget in (self._model, self._loading, self._index):
            self.addWidget(widget)
        for widget in (self._turn, self._rate, self._context):
            widget.setContentsMargins(12, 0, 0, 0)
            self.addPermanentWidget(widget)

    def show_model(self, state: ModelState) -> None:
        loading = state.progress is not None
        self._loading.setVisible(loading)
        if state.progress is not None:
            self._loading.setValue(round(100 * state.progress))
            self._model.setText(self.tr("Loading {name}").format(name=state.name))
        elif state.loaded:
            self._model.setText(self.tr("{name} is ready").format(name=state.name))
        elif state.name:
            self._model.setText(self.tr("{name} is not loaded").format(name=state.name))
        else:
            self._model.setText(self.tr("No model"))

    def show_index(self, done: int, total: int) -> None:
        reading = self.tr("Reading {done} of {total} files").format(done=done, total=total)
        self._index.setText(reading if total else "")

    def show_turn(self, event: object) -> None:
        """The running answer: waiting, reading the prompt, writing; or its figures at the end."""
        match event:
            case TurnQueued(ahead=ahead):
                self._turn.setText(self.tr("Waiting, {count} before this").format(count=ahead))
            case PrefillProgress(done=done, total=total):
                part = self.tr("Reading the prompt: {percent}%").format(percent=round(100 * done / max(total, 1)))
                self._turn.setText(part if done < total else "")
            case TokenRate(tokens_per_second=rate, context_used=used, context_size=size):
                self._turn.setText("")
                self._show_rate(rate)
                self._context.setText(self.tr("Context {used} of {size}").format(used=f"{used:,}", size=f"{size:,}"))
            case TurnFinished(stats=stats):
                self._turn.setText("")
                if stats.decode_s > 0:
                    self._show_rate(stats.generated_tokens / stats.decode_s)
            case _:
                pass

    def clear_turn(self) -> None:
        """Another conversation is shown."""
        for label in (self._turn, self._rate, self._context):
            label.setText("")

    def texts(self) -> list[str]:
        """What stands there now, from left to right."""
        labels = (self._model, self._index, self._turn, self._rate, self._context)
        return [label.text() for label in labels if label.text()]

    def _show_rate(self, rate: float) -> None:
        self._rate.setText(self.tr("{rate} tokens/s").format(rate=f"{rate:.1f}"))
