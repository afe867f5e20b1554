"""A model of the program's own list as a card, and the sentence that says whether it fits."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from ui.models.values import Choice, Offer, context_text, count_text, size_text
from ui.widgets.buttons import mark
from ui.widgets.choice import ChoiceBox
from ui.widgets.elided import ElidedLabel

NARROW = 520  # px; below it the sentence about the fit has a line of its own
FIT_KINDS = {"gpu": "fit-good", "memory": "fit-good", "disk": "fit-poor"}


class FitLabel(QLabel):
    """Whether a quantization fits this machine: in words, and in a colour that goes with them."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)
        self.setProperty("kind", "muted")

    def show_choice(self, choice: Choice | None) -> None:
        self.setText(choice.sentence if choice is not None else "")
        kind = FIT_KINDS.get(choice.fit, "muted") if choice is not None else "muted"
        if self.property("kind") != kind:
            mark(self, kind)


class Expectation(QLabel):
    """How a model would run here, once it is known."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.hide()

    def show_text(self, text: str) -> None:
        self.setText(text)
        self.setVisible(bool(text))


class OfferCard(QFrame):
    download_requested = Signal(str, str)  # the offer's name, the quantization
    expectation_wanted = Signal(str, str)  # the same

    def __init__(self, offer: Offer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "card")
        self.setAccessibleName(offer.name)
        self.offer = offer
        self._choices = offer.choices
        self._offline = False
        name = _label(offer.name, "heading", self)
        maker = ElidedLabel(self)
        maker.setProperty("kind", "muted")
        maker.show_text(offer.maker)
        head = QHBoxLayout()
        head.setSpacing(10)
        head.addWidget(name)
        head.addWidget(maker, 1)
        if offer.asks:
            head.addWidget(_label(self.tr("licence to accept"), "badge-warning", self))
        description = _label(offer.description, "", self)
        description.setWordWrap(True)
        about = QHBoxLayout()
        about.setSpacing(10)
        about.addWidget(description, 1)
        facts = _label(self._facts(offer), "muted", self)
        facts.setWordWrap(True)
        facts.setToolTip(offer.note)
        self.chooser = ChoiceBox(self)
        self.chooser.setAccessibleName(self.tr("Quantization of {name}").format(name=offer.name))
        self.chooser.setMinimumWidth(190)
        self.fit = FitLabel(self)
        self.fit.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.download = QPushButton(self.tr("Download"), self)
        self.download.setAccessibleName(self.tr("Download {name}").format(name=offer.name))
        self.download.clicked.connect(self._ask)
        self.expected = Expectation(self)
        self.ask_speed = QPushButton(self.tr("How fast here?"), self)
        self.ask_speed.setProperty("kind", "link")
        self.ask_speed.setAccessibleName(self.tr("How fast would {name} be here?").format(name=offer.name))
        self.ask_speed.setToolTip(self.tr("Reads some megabytes of it on the Hub"))
        self.ask_speed.clicked.connect(self._want)
        about.addWidget(self.ask_speed, 0, Qt.AlignmentFlag.AlignTop)
        foot = self._foot = QGridLayout()
        foot.setHorizontalSpacing(12)
        foot.setVerticalSpacing(6)
        foot.setColumnStretch(1, 1)
        foot.addWidget(self.chooser, 0, 0)
        foot.addWidget(self.fit, 0, 1)
        foot.addWidget(self.download, 0, 2)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 14, 14)
        column.setSpacing(6)
        column.addLayout(head)
        column.addLayout(about)
        column.addWidget(facts)
        column.addSpacing(4)
        column.addLayout(foot)
        column.addWidget(self.expected)
        self._fill()
        self.chooser.currentIndexChanged.connect(self._chosen)
        self.chooser.activated.connect(self._want)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow = self.width() < NARROW
        if narrow != (self._foot.itemAtPosition(1, 0) is not None):
            self._foot.removeWidget(self.fit)
            self._foot.addWidget(self.fit, 1 if narrow else 0, 0 if narrow else 1, 1, 3 if narrow else 1)

    def show_fits(self, offer: Offer) -> None:
        """The same offer, looked at again: free memory changes. The choice stays."""
        self.offer, self._choices = offer, offer.choices
        self._chosen()

    def set_offline(self, offline: bool) -> None:
        self.download.setEnabled(not offline)
        self._offline = offline
        self._offer_speed()

    def show_expectation(self, text: str) -> None:
        """How the chosen quantization would run here; "" where nobody knows."""
        self.expected.show_text(text)
        self._offer_speed()

    def set_busy(self, busy: bool) -> None:
        """The Hub is being asked about this one."""
        self.download.setEnabled(not busy)
        self.download.setText(self.tr("Asks the Hub…") if busy else self.tr("Download"))

    def choice(self) -> Choice | None:
        index = self.chooser.currentIndex()
        return self._choices[index] if 0 <= index < len(self._choices) else None

    def _fill(self) -> None:
        """The largest quantization that fits is chosen, or the smallest of all."""
        for choice in self._choices:
            self.chooser.addItem(f"{choice.quantization}   {size_text(choice.size)}")
        fitting = [index for index, choice in enumerate(self._choices) if choice.fit != "disk"]
        self.chooser.setCurrentIndex(fitting[-1] if fitting else 0)
        self._chosen()

    def _chosen(self) -> None:
        self.fit.show_choice(self.choice())
        self.show_expectation("")

    def _offer_speed(self) -> None:
        self.ask_speed.setVisible(not self._offline and self.expected.isHidden())

    def _want(self) -> None:
        choice = self.choice()
        if choice is not None and not self._offline:
            self.expectation_wanted.emit(self.offer.name, choice.quantization)

    def _ask(self) -> None:
        choice = self.choice()
        if choice is not None:
            self.download_requested.emit(self.offer.name, choice.quantization)

    def _facts(self, offer: Offer) -> str:
        parts = (
            self.tr("{all} parameters, {active} active").format(
                all=count_text(offer.parameters), active=count_text(offer.active)
            ),
            self.tr("{used} of {all} experts").format(used=offer.experts_used, all=offer.experts),
            self.tr("context {size}").format(size=context_text(offer.context)),
            self.tr("licence {name}").format(name=offer.licence),
        )
        return " · ".join(parts)


def _label(text: str, kind: str, parent: QWidget) -> QLabel:
    label = QLabel(text, parent)
    label.setTextFormat(Qt.TextFormat.PlainText)
    if kind:
        label.setProperty("kind", kind)
    return label
