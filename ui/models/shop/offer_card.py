"""A model of the program's own list as a card, and the sentence that says whether it fits."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from app.domain.library import CatalogueModel, CatalogueOffer, CatalogueQuantization, Fit, FitVerdict
from ui.models.words import context_text, count_text, size_text
from ui.widgets.buttons import mark
from ui.widgets.choice import ChoiceBox
from ui.widgets.elided import ElidedLabel
from ui.widgets.tip import plain_tip

NARROW = 520  # px; below it the sentence about the fit has a line of its own
FIT_KINDS = {Fit.GPU: "fit-good", Fit.MEMORY: "fit-good", Fit.DISK: "fit-poor"}


class FitLabel(QLabel):
    """Whether a quantization fits this machine: in words, and in a colour that goes with them."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)
        self.setProperty("kind", "muted")

    def show_verdict(self, verdict: FitVerdict | None) -> None:
        self.setText(verdict.sentence if verdict is not None else "")
        kind = FIT_KINDS[verdict.fit] if verdict is not None else "muted"
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

    def __init__(self, offer: CatalogueOffer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "card")
        model = offer.model
        self.setAccessibleName(model.name)
        self.offer = offer
        self._offline = False
        name = _label(model.name, "heading", self)
        maker = ElidedLabel(self)
        maker.setProperty("kind", "muted")
        maker.show_text(model.maker)
        head = QHBoxLayout()
        head.setSpacing(10)
        head.addWidget(name)
        head.addWidget(maker, 1)
        if model.licence_asks:
            head.addWidget(_label(self.tr("licence to accept"), "badge-warning", self))
        description = _label(model.description, "", self)
        description.setWordWrap(True)
        about = QHBoxLayout()
        about.setSpacing(10)
        about.addWidget(description, 1)
        facts = _label(self._facts(model), "muted", self)
        facts.setWordWrap(True)
        facts.setToolTip(plain_tip(model.note))
        self.chooser = ChoiceBox(self)
        self.chooser.setAccessibleName(self.tr("Quantization of {name}").format(name=model.name))
        self.chooser.setMinimumWidth(190)
        self.fit = FitLabel(self)
        self.fit.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.download = QPushButton(self.tr("Download"), self)
        self.download.setAccessibleName(self.tr("Download {name}").format(name=model.name))
        self.download.clicked.connect(self._ask)
        self.expected = Expectation(self)
        self.ask_speed = QPushButton(self.tr("How fast here?"), self)
        self.ask_speed.setProperty("kind", "link")
        self.ask_speed.setAccessibleName(self.tr("How fast would {name} be here?").format(name=model.name))
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

    def show_fits(self, offer: CatalogueOffer) -> None:
        """The same offer, looked at again: free memory changes. The choice stays."""
        self.offer = offer
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

    def quantization(self) -> CatalogueQuantization | None:
        """The chosen one."""
        index = self.chooser.currentIndex()
        return self.offer.model.quantizations[index] if index >= 0 else None

    def _fill(self) -> None:
        """The largest quantization that fits is chosen, or the smallest of all."""
        for quantization in self.offer.model.quantizations:
            self.chooser.addItem(f"{quantization.name}   {size_text(quantization.size)}")
        fitting = [index for index, verdict in enumerate(self.offer.fits) if verdict.fit is not Fit.DISK]
        self.chooser.setCurrentIndex(fitting[-1] if fitting else 0)
        self._chosen()

    def _chosen(self) -> None:
        index = self.chooser.currentIndex()
        self.fit.show_verdict(self.offer.fits[index] if index >= 0 else None)
        self.show_expectation("")

    def _offer_speed(self) -> None:
        self.ask_speed.setVisible(not self._offline and self.expected.isHidden())

    def _want(self) -> None:
        quantization = self.quantization()
        if quantization is not None and not self._offline:
            self.expectation_wanted.emit(self.offer.model.name, quantization.name)

    def _ask(self) -> None:
        quantization = self.quantization()
        if quantization is not None:
            self.download_requested.emit(self.offer.model.name, quantization.name)

    def _facts(self, model: CatalogueModel) -> str:
        parts = (
            self.tr("{all} parameters, {active} active").format(
                all=count_text(model.parameters), active=count_text(model.active)
            ),
            self.tr("{used} of {all} experts").format(used=model.experts_used, all=model.experts),
            self.tr("context {size}").format(size=context_text(model.context)),
            self.tr("licence {name}").format(name=model.licence),
        )
        return " · ".join(parts)


def _label(text: str, kind: str, parent: QWidget) -> QLabel:
    label = QLabel(text, parent)
    label.setTextFormat(Qt.TextFormat.PlainText)
    if kind:
        label.setProperty("kind", kind)
    return label
