"""The lowest line: what is loaded, read and written just now."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QProgressBar, QSizePolicy, QStatusBar, QWidget

from app.domain.events import PrefillProgress, TokenRate, TurnFinished, TurnQueued
from ui.figures import rate_text
from ui.models.controller import ModelState
from ui.widgets.elided import ElidedLabel

A_SECOND = 4  # measurements of the speed


class StatusBar(QStatusBar):
    """In a narrow window the model's name gives way, so that no figure is cut. Figures change once a second."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizeGripEnabled(False)
        self._model = ElidedLabel(self)
        self._model.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self._loading = QProgressBar(self)
        self._loading.setFixedWidth(120)
        self._loading.setTextVisible(False)
        self._loading.setAccessibleName(self.tr("Loading the model"))
        self._loading.hide()
        self._index = QLabel(self)
        self._turn = QLabel(self)
        self._context = QLabel(self)
        self._rate = QLabel(self)
        self._rates: list[float] = []  # measured since the figures changed
        self._answer = ""
        self.setContentsMargins(10, 0, 14, 0)
        for widget in (self._model, self._loading, self._index):
            self.addWidget(widget)
        for widget in (self._turn, self._rate, self._context):
            widget.setContentsMargins(12, 0, 0, 0)
            widget.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self.addPermanentWidget(widget)

    def show_model(self, state: ModelState) -> None:
        loading = state.progress is not None
        self._loading.setVisible(loading)
        if state.progress is not None:
            self._loading.setValue(round(100 * state.progress))
            self._model.show_text(self.tr("Loading {name}").format(name=state.name))
        elif state.loaded:
            self._model.show_text(self.tr("{name} is ready").format(name=state.name))
        elif state.name:
            self._model.show_text(self.tr("{name} is not loaded").format(name=state.name))
        else:
            self._model.show_text(self.tr("No model"))

    def show_index(self, done: int, total: int) -> None:
        reading = self.tr("Reading {done} of {total} files").format(done=done, total=total)
        self._index.setText(reading if total else "")

    def show_turn(self, event: object) -> None:
        """The running answer: waiting, reading the prompt, writing; or its figures at the end."""
        match event:
            case TurnQueued(ahead=ahead):
                self._show(self._turn, self.tr("Waiting, {count} before this").format(count=ahead))
            case PrefillProgress(done=done, total=total):
                part = self.tr("Reading the prompt: {percent}%").format(percent=round(100 * done / max(total, 1)))
                self._show(self._turn, part if done < total else "")
            case TokenRate():
                self._show(self._turn, "")
                self._measured(event)
            case TurnFinished(stats=stats):
                self._show(self._turn, "")
                self._answer = ""
                if stats.decode_s > 0:
                    self._show_rate(stats.generated_tokens / stats.decode_s)
            case _:
                pass

    def _measured(self, event: TokenRate) -> None:
        """The first measurement is shown at once, from then on the average over a second."""
        first = event.answer_id != self._answer
        if first:
            self._answer, self._rates = event.answer_id, []
        if event.tokens_per_second > 0:
            self._rates.append(event.tokens_per_second)
        if first or len(self._rates) == A_SECOND:
            if self._rates:
                self._show_rate(sum(self._rates) / len(self._rates))
            self._rates = []
            used, size = f"{event.context_used:,}", f"{event.context_size:,}"
            self._show(self._context, self.tr("Context {used} of {size}").format(used=used, size=size))

    def clear_turn(self) -> None:
        """Another conversation is shown."""
        self._answer = ""
        for label in (self._turn, self._rate, self._context):
            self._show(label, "")

    def texts(self) -> list[str]:
        """What stands there now, from left to right."""
        labels = (self._index, self._turn, self._rate, self._context)
        return [text for text in (self._model.full_text(), *(label.text() for label in labels)) if text]

    def _show_rate(self, rate: float) -> None:
        self._show(self._rate, self.tr("{rate} tokens/s").format(rate=rate_text(rate)))

    def _show(self, label: QLabel, text: str) -> None:
        """Make room at once: a text is never seen in the place of its predecessor. A shorter one keeps the room."""
        label.setText(text)
        label.setMinimumWidth(max(label.minimumWidth(), label.sizeHint().width()) if text else 0)
        if (layout := self.layout()) is not None:
            layout.activate()
