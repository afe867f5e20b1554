"""The tab "Get models": the program's own list, and above it a field that searches the Hub."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.domain.library import CatalogueOffer
from ui.models.shop.hub_view import HubView
from ui.models.shop.offer_card import OfferCard
from ui.widgets.buttons import IconLabel

SEARCH_MS = 400  # after the last key; the Hub is another machine
CARD_WIDTH = 880


class ShopView(QWidget):
    search_changed = Signal(str)  # "" ends the search
    download_requested = Signal(str, str)  # an offer's name, a quantization
    expectation_wanted = Signal(str, str)  # an offer's name, a quantization
    settings_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.cards: list[OfferCard] = []
        self._offline = False
        self.search = QLineEdit(self)
        self.search.setPlaceholderText(self.tr("Search the Hugging Face Hub, or write OWNER/NAME"))
        self.search.setAccessibleName(self.tr("Search the Hub"))
        self.search.setClearButtonEnabled(True)
        self.search.setMaximumWidth(CARD_WIDTH)
        self._delay = QTimer(self)
        self._delay.setSingleShot(True)
        self._delay.setInterval(SEARCH_MS)
        self._delay.timeout.connect(self._search)
        self.search.textChanged.connect(self._typed)
        self.search.returnPressed.connect(self._search)
        self.offline_note = self._make_offline_note()
        self.hub = HubView(self)
        self._list = QWidget()
        self._cards = QVBoxLayout(self._list)
        self._cards.setContentsMargins(24, 0, 24, 20)
        self._cards.setSpacing(10)
        title = QLabel(self.tr("Thinking models that were chosen for Alcove, from small to large"), self._list)
        title.setProperty("kind", "section")
        title.setWordWrap(True)
        self._cards.addWidget(title)
        self._cards.addStretch(1)
        scroll = QScrollArea(self)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(self._list)
        self._stack = QStackedWidget(self)
        self._stack.addWidget(scroll)
        self._stack.addWidget(self.hub)
        field = QHBoxLayout()
        field.setContentsMargins(24, 16, 24, 0)
        field.addWidget(self.search, 100)
        field.addWidget(self.offline_note, 100)
        field.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addLayout(field)
        column.addWidget(self._stack, 1)

    @property
    def searching(self) -> bool:
        return self._stack.currentWidget() is self.hub

    def show_offers(self, offers: Sequence[CatalogueOffer]) -> None:
        if [card.offer.model.name for card in self.cards] == [offer.model.name for offer in offers]:
            for card, offer in zip(self.cards, offers, strict=True):
                card.show_fits(offer)
            return
        for card in self.cards:
            self._cards.removeWidget(card)
            card.deleteLater()
        self.cards = [OfferCard(offer, self._list) for offer in offers]
        for index, card in enumerate(self.cards):
            card.setMaximumWidth(CARD_WIDTH)
            card.set_offline(self._offline)
            card.download_requested.connect(self.download_requested)
            card.expectation_wanted.connect(self.expectation_wanted)
            self._cards.insertWidget(index + 1, card)

    def card(self, name: str) -> OfferCard | None:
        return next((card for card in self.cards if card.offer.model.name == name), None)

    def show_hub(self) -> None:
        self._stack.setCurrentWidget(self.hub)

    def set_busy(self, name: str, busy: bool) -> None:
        card = self.card(name)
        if card is not None and not self._offline:
            card.set_busy(busy)

    def set_offline(self, offline: bool) -> None:
        """One sentence takes the place of everything that needs the Hub."""
        self._offline = offline
        self.search.setVisible(not offline)
        self.offline_note.setVisible(offline)
        if offline:
            self._delay.stop()
            self._stack.setCurrentIndex(0)
        for card in self.cards:
            card.set_offline(offline)

    def _make_offline_note(self) -> QFrame:
        note = QFrame(self)
        note.setProperty("kind", "notice")
        note.setMaximumWidth(CARD_WIDTH)
        text = QLabel(self.tr("Alcove is offline, so nothing is looked up or downloaded."), note)
        text.setWordWrap(True)
        settings = QPushButton(self.tr("Settings"), note)
        settings.setProperty("kind", "link")
        settings.clicked.connect(self.settings_requested)
        row = QHBoxLayout(note)
        row.setContentsMargins(14, 8, 8, 8)
        row.setSpacing(10)
        row.addWidget(IconLabel("blocked", 18, note, color="warning"))
        row.addWidget(text, 1)
        row.addWidget(settings)
        note.hide()
        return note

    def _typed(self, text: str) -> None:
        if text.strip():
            self._delay.start()
        else:
            self._search()

    def _search(self) -> None:
        self._delay.stop()
        query = self.search.text().strip()
        if query:
            self.hub.show_searching()
        self._stack.setCurrentIndex(1 if query else 0)
        self.search_changed.emit(query)
