"""The whole window over recorded services."""

from collections.abc import Callable
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from ui.bridge import Bridge
from ui.shell.window import MainWindow

Settle = Callable[[Callable[[], bool]], None]


@pytest.fixture
def make_window(services: Any, bridge: Bridge, qtbot: QtBot, settle: Settle) -> Callable[[], MainWindow]:
    def make() -> MainWindow:
        window = MainWindow(services, bridge)
        qtbot.addWidget(window)
        window.show()
        preloads = services.model_choice.preloads
        window.start()
        settle(
            lambda: services.model_choice.preloads == preloads + 1 and window.views.picker.text() != "Choose a model"
        )
        return window

    return make


@pytest.fixture
def window(make_window: Callable[[], MainWindow]) -> MainWindow:
    return make_window()
