"""What a new chat shows before its first question: three examples, or the way to a first model."""

from dataclasses import dataclass

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from ui.widgets.buttons import IconLabel

NARROW = 520  # px; below it three examples do not fit beside each other
HIGH, LOW = 116, 66  # px of an example beside the others, and below them
LEAST = 148  # px of its width
THINKER = "alcove-tiny"  # ships with the program, reasons and calls tools


@dataclass(frozen=True, slots=True)
class Example:
    """``documents``: the sample documents are added first. ``model``: a shipped model that is good at this."""

    icon: str
    title: str
    prompt: str
    documents: bool = False
    model: str = ""


class ExampleCard(QPushButton):
    def __init__(self, example: Example, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "example")
        self.setAccessibleName(f"{example.title}: {example.prompt}")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(HIGH)
        title = QLabel(example.title, self)
        title.setProperty("kind", "heading")
        prompt = QLabel(example.prompt, self)
        prompt.setProperty("kind", "muted")
        prompt.setWordWrap(True)
        prompt.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 12, 14, 12)
        column.setSpacing(6)
        self._icon = IconLabel(example.icon, 18, self, color="accent")
        column.addWidget(self._icon)
        column.addWidget(title)
        column.addWidget(prompt, 1)
        for label in (title, prompt):
            label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            label.setWordWrap(True)

    def set_low(self, low: bool) -> None:
        """Without its icon, where cards stand one below the other."""
        self._icon.setVisible(not low)
        self.setFixedHeight(LOW if low else HIGH)

    def sizeHint(self) -> QSize:
        return QSize(200, HIGH)

    def minimumSizeHint(self) -> QSize:
        return QSize(LEAST, 0)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)


class Welcome(QScrollArea):
    """It scrolls where the window is low: what it holds never decides how small the window can be."""

    chosen = Signal(object)  # Example
    models_requested = Signal()  # models that can be had
    file_requested = Signal()  # a model that is on this computer

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        examples = (
            Example(
                "book",
                self.tr("Try it with the sample documents"),
                self.tr("When does the flight to Lisbon leave?"),
                documents=True,
            ),
            Example(
                "calculator",
                self.tr("Watch it think and use a tool"),
                self.tr("What is 17*23?"),
                model=THINKER,
            ),
            Example("thinking", self.tr("Ask anything"), self.tr("Why is the sky blue, in three sentences?")),
        )
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        title = QLabel(self.tr("What would you like to know?"), self)
        title.setProperty("kind", "welcome")
        title.setAlignment(Qt.AlignmentFlag.AlignCenter)
        title.setWordWrap(True)
        note = QLabel(self.tr("Everything stays on this computer: the model, your documents, your chats."), self)
        note.setProperty("kind", "muted")
        note.setAlignment(Qt.AlignmentFlag.AlignCenter)
        note.setWordWrap(True)
        self.cards = [ExampleCard(example, self) for example in examples]
        row = self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        row.setSpacing(12)
        for card, example in zip(self.cards, examples, strict=True):
            card.clicked.connect(lambda _=False, chosen=example: self.chosen.emit(chosen))
            row.addWidget(card, 1)
        self._examples = QWidget(self)
        self._examples.setLayout(row)
        row.setContentsMargins(0, 0, 0, 0)
        self.no_model = self._make_no_model()
        inner = QWidget(self)
        inner.setMaximumWidth(780)
        column = QVBoxLayout(inner)
        column.setContentsMargins(16, 0, 16, 0)
        column.setSpacing(8)
        column.addWidget(title)
        column.addWidget(note)
        column.addSpacing(20)
        column.addWidget(self._examples)
        column.addWidget(self.no_model)
        page = QWidget(self)
        outer = QHBoxLayout(page)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addStretch(1)
        outer.addWidget(inner, 100, Qt.AlignmentFlag.AlignVCenter)
        outer.addStretch(1)
        self.setWidget(page)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Where there is no room beside each other, the examples stand one below the other."""
        super().resizeEvent(event)
        beside = self.width() >= NARROW
        self._row.setDirection(QBoxLayout.Direction.LeftToRight if beside else QBoxLayout.Direction.TopToBottom)
        for card in self.cards:
            card.set_low(not beside)

    def set_available(self, available: bool) -> None:
        """Without a model there is nothing to ask: the way to one takes the place of the examples."""
        self._examples.setVisible(available)
        self.no_model.setVisible(not available)

    def _make_no_model(self) -> QFrame:
        frame = QFrame(self)
        frame.setProperty("kind", "card")
        title = QLabel(self.tr("A model is needed first"), frame)
        title.setProperty("kind", "heading")
        text = QLabel(
            self.tr(
                "Alcove has no model on this computer yet. Download one that fits your machine, or open a GGUF file "
                "that you have."
            ),
            frame,
        )
        text.setWordWrap(True)
        get = QPushButton(self.tr("Get models"), frame)
        get.setProperty("kind", "primary")
        get.clicked.connect(self.models_requested)
        have = QPushButton(self.tr("Open a GGUF file…"), frame)
        have.clicked.connect(self.file_requested)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(get)
        buttons.addWidget(have)
        buttons.addStretch(1)
        column = QVBoxLayout(frame)
        column.setContentsMargins(18, 16, 18, 16)
        column.setSpacing(8)
        column.addWidget(title)
        column.addWidget(text)
        column.addSpacing(6)
        column.addLayout(buttons)
        frame.hide()
        return frame
