"""The settings dialog changes what was changed, and nothing else."""

from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtWidgets import QComboBox, QPlainTextEdit, QPushButton, QSpinBox, QWidget
from pytestqt.qtbot import QtBot

from app.services import Settings
from ui.bridge import Bridge
from ui.settings.controller import SettingsController
from ui.settings.dialog import SettingsDialog

Settle = Callable[[Callable[[], bool]], None]


def by_name(dialog: SettingsDialog, kind: type[QWidget], name: str) -> Any:
    return next(widget for widget in dialog.findChildren(kind) if widget.accessibleName() == name)


@pytest.fixture
def dialog(qtbot: QtBot, themed: object) -> SettingsDialog:
    dialog = SettingsDialog(Settings(context=8192, gpu_layers=0))
    qtbot.addWidget(dialog)
    return dialog


def test_untouched_it_changes_nothing(dialog: SettingsDialog) -> None:
    assert dialog.changes() == {}


def test_changes_are_named(dialog: SettingsDialog, qtbot: QtBot) -> None:
    theme = by_name(dialog, QComboBox, "Colours")
    theme.setCurrentIndex(theme.findData("dark"))
    asks = by_name(dialog, QComboBox, "Ask before one runs")
    asks.setCurrentIndex(asks.findData("always"))
    by_name(dialog, QSpinBox, "Context").setValue(0)
    by_name(dialog, QSpinBox, "Threads").setValue(6)
    by_name(dialog, QSpinBox, "Layers on the GPU").setValue(-1)
    by_name(dialog, QSpinBox, "Largest text file").setValue(10)
    by_name(dialog, QPlainTextEdit, "Instructions for the model").setPlainText(" Be brief. ")
    dialog._reasoning.setChecked(True)
    with qtbot.waitSignal(dialog.saved) as saved:
        next(button for button in dialog.findChildren(QPushButton) if button.text() == "Save").click()
    assert saved.args == [
        {
            "theme": "dark",
            "keep_reasoning_open": True,
            "approval": "always",
            "context": None,
            "threads": 6,
            "gpu_layers": None,
            "max_text_file_mb": 10,
            "system_prompt": "Be brief.",
        }
    ]


def test_saving_writes_and_tells(services: Any, bridge: Bridge, qtbot: QtBot, settle: Settle) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    controller = SettingsController(services, bridge, window)
    told: list[Settings] = []
    reloads: list[int] = []
    controller.changed.connect(told.append)
    controller.reload_wanted.connect(lambda: reloads.append(1))
    controller.save({"theme": "dark"})
    settle(lambda: len(told) == 1)
    controller.save({"threads": 2})
    settle(lambda: len(told) == 2)
    assert (told[1].theme, told[1].threads) == ("dark", 2)
    assert reloads == [1]
    assert services.settings.get().threads == 2


def test_the_dialog_opens_with_what_is_set(services: Any, bridge: Bridge, qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    services.settings.update(system_prompt="Short.")
    dialog = SettingsController(services, bridge, window).open()
    assert by_name(dialog, QPlainTextEdit, "Instructions for the model").toPlainText() == "Short."
    dialog.reject()
