"""What to expect of a model before its download, from its first megabytes on the loopback Hub."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ui.models.manager import ModelManager
from ui.models.page import ModelsPage
from ui.models.shop.offer_card import OfferCard

Settle = Callable[[Callable[[], bool]], None]
REPO = "maker/Model-GGUF"
HEADER = Path("tests/data/shapes/qwen3-30b-a3b-q4_k_m.gguf").read_bytes()


@pytest.fixture
def card(page: ModelsPage, hub: Any) -> OfferCard:
    """An offer with two quantizations, which the Hub has."""
    page.show_shop()
    card = next(card for card in page.shop.cards if len(card.offer.model.quantizations) > 1)
    names = [f"x-{each.name}.gguf" for each in card.offer.model.quantizations]
    hub.add(card.offer.model.repository, dict.fromkeys(names, HEADER))
    return card


def test_an_offer_says_how_it_would_run_once_one_asks(card: OfferCard, hub: Any, settle: Settle) -> None:
    assert hub.requests == []  # looking at the list asks nobody
    card.ask_speed.click()
    assert card.expected.text() == "Asking the Hub how fast it would be…"
    assert not card.ask_speed.isVisible()
    settle(lambda: "on the graphics card" in card.expected.text())
    other = (card.chooser.currentIndex() + 1) % card.chooser.count()
    card.chooser.setCurrentIndex(other)
    assert not card.expected.isVisible()
    assert card.ask_speed.isVisible()
    card.chooser.activated.emit(other)  # as a person does it
    settle(lambda: "on the graphics card" in card.expected.text())


def test_only_the_newest_question_is_answered(page: ModelsPage, card: OfferCard, hub: Any, settle: Settle) -> None:
    second = next(other for other in page.shop.cards if other is not card)
    hub.add(second.offer.model.repository, {f"x-{second.quantization().name}.gguf": HEADER})
    card.ask_speed.click()
    second.ask_speed.click()
    assert not card.expected.isVisible()
    settle(lambda: "should answer" in second.expected.text())
    assert not card.expected.isVisible()


def test_where_the_hub_does_not_answer_nothing_is_said(card: OfferCard, hub: Any, told: Any, settle: Settle) -> None:
    hub.refuse("/api/models", 503)
    card.ask_speed.click()
    settle(card.ask_speed.isVisible)
    assert not card.expected.isVisible()
    assert told.errors == []


def test_offline_there_is_nothing_to_ask(
    page: ModelsPage, card: OfferCard, hub: Any, services: Any, manager: ModelManager
) -> None:
    manager.use_settings(services.settings.update(offline=True))
    assert not card.ask_speed.isVisible()
    card.chooser.activated.emit(0)
    assert not card.expected.isVisible()
    assert hub.requests == []


def test_a_file_on_the_hub_says_it_by_itself(page: ModelsPage, hub: Any, settle: Settle) -> None:
    hub.add(REPO, {"Model-Q4_K_M.gguf": HEADER})
    page.show_shop()
    shop = page.shop
    shop.search.setText(REPO)
    shop.search.returnPressed.emit()
    settle(lambda: shop.hub.results.rowCount() > 0 and shop.hub.notes()[0] == "")
    shop.hub.list.setCurrentIndex(shop.hub.results.index(0, 0))
    settle(lambda: "on the graphics card" in shop.hub.stock.expected.text())
