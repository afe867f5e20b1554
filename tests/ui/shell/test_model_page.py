"""The models page inside the window: ways in and out, what is told meanwhile, the first start without a model."""

from collections.abc import Callable
from typing import Any

import pytest

from app.domain.events import DownloadFinished, DownloadProgress, DownloadState
from ui.models.page import ModelsPage
from ui.shell.window import MainWindow

Settle = Callable[[Callable[[], bool]], None]


def opened(window: MainWindow) -> bool:
    return isinstance(window.views.pages.currentWidget(), ModelsPage)


def test_there_are_ways_in_and_out(window: MainWindow, services: Any, settle: Settle) -> None:
    assert not opened(window)
    window.actions_by_text["Manage models…"].trigger()
    assert opened(window)
    assert window.views.composer.isHidden() or not window.views.composer.isVisible()
    window.escape()
    assert not opened(window)
    assert window.views.composer.isVisible()
    window.views.picker.manage_requested.emit()
    assert opened(window)
    window.views.top_bar.page_left.emit()
    assert not opened(window)
    window.model_page.open()
    window.new_chat()
    assert not opened(window)


def test_the_shortcut_and_the_menu_name_it(window: MainWindow) -> None:
    assert window.actions_by_text["Manage models…"].shortcut().toString() == "Ctrl+M"
    assert "Manage models…" in [action.text() for action in window.views.picker.menu().actions()]


def test_what_is_there_is_read_whenever_the_page_is_opened(window: MainWindow, services: Any) -> None:
    page = window.model_page.open()
    read: list[bool] = []
    page.opened.connect(lambda: read.append(True))
    window.escape()
    assert window.model_page.open() is page
    assert read == [True]


def test_a_model_of_the_page_answers(window: MainWindow, services: Any, settle: Settle) -> None:
    window.model_page.open()
    window.features.manager.use_requested.emit("/models/smol.gguf")
    settle(lambda: services.model_choice.selected == ["/models/smol.gguf"])
    assert window.views.toast.isVisible()
    window.views.toast.press()
    assert not opened(window)


def test_downloads_are_told_while_one_talks(window: MainWindow, services: Any, settle: Settle) -> None:
    button = window.views.top_bar._downloads
    assert button.isHidden()
    services.mailbox.publish(DownloadProgress("d", "Big", 250, 1000, 9.0, DownloadState.DOWNLOADING))
    settle(lambda: not button.isHidden() and button.text() == "25%")
    button.click()
    assert opened(window)
    window.escape()
    services.mailbox.publish(DownloadFinished("d", "/models/smol.gguf"))
    settle(lambda: window.views.toast.isVisible())
    assert button.isHidden()
    window.views.toast.press()
    settle(lambda: services.model_choice.selected == ["/models/smol.gguf"])


def test_without_any_model_the_welcome_leads_to_them(window: MainWindow, services: Any, settle: Settle) -> None:
    services.model_choice.chosen = None
    window.models.refresh()
    welcome = window.views.welcome
    settle(lambda: not welcome.no_model.isHidden())
    assert not any(card.isVisible() for card in welcome.cards)
    welcome.models_requested.emit()
    page = window.views.pages.currentWidget()
    assert isinstance(page, ModelsPage)
    assert page.tabs.currentWidget() is page.shop
    services.model_choice.chosen = services.model_choice.files[0]
    window.models.refresh()
    settle(lambda: welcome.no_model.isHidden())


def test_being_called_again_brings_the_window_forward_with_the_files(
    window: MainWindow, services: Any, settle: Settle, tmp_path: Any
) -> None:
    window.showMinimized()
    window.called([str(tmp_path), "/models/smol.gguf"])
    settle(lambda: services.model_choice.selected == ["/models/smol.gguf"])
    assert not window.isMinimized()
    assert window.documents.scope == (str(tmp_path),)


@pytest.mark.parametrize("offline", [True, False])
def test_the_settings_reach_the_page(offline: bool, window: MainWindow, services: Any, settle: Settle) -> None:
    window.model_page.open_shop()
    window.settings.save({"offline": offline})
    page = window.views.pages.currentWidget()
    assert isinstance(page, ModelsPage)
    settle(lambda: page.shop.offline_note.isVisible() is offline)
