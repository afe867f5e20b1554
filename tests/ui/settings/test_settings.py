"""The settings dialog changes what was changed, and nothing else."""

from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtWidgets import QCheckBox, QComboBox, QLabel, QLineEdit, QPlainTextEdit, QPushButton, QSpinBox, QWidget
from pytestqt.qtbot import QtBot

from app.services import Settings
from ui.bridge import Bridge
from ui.settings.controller import SettingsController
from ui.settings.dialog import SettingsDialog

Settle = Callable[[Callable[[], bool]], None]


def by_name(dialog: SettingsDialog, kind: type[QWidget], name: str) -> Any:
    return next(widget for widget in dialog.findChildren(kind) if widget.accessibleName() == name)


def press_save(dialog: SettingsDialog) -> None:
    next(button for button in dialog.findChildren(QPushButton) if button.text() == "Save").click()


def words(dialog: SettingsDialog) -> list[str]:
    return [label.text() for label in dialog.findChildren(QLabel) if not label.isHidden()]


class RecordedKeyring:
    """Takes what it is given, or refuses to."""

    def __init__(self, *, refuses: bool = False) -> None:
        self.held: dict[str, str] = {}
        self._refuses = refuses

    def get_password(self, service: str, username: str) -> str | None:
        return self.held.get(username)

    def set_password(self, service: str, username: str, password: str) -> None:
        if self._refuses:
            raise RuntimeError("locked")
        self.held[username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.held[username]


@pytest.fixture
def controller(services: Any, bridge: Bridge, qtbot: QtBot) -> SettingsController:
    window = QWidget()
    qtbot.addWidget(window)
    return SettingsController(services, bridge, window)


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
    asks = by_name(dialog, QComboBox, "Ask before a tool runs")
    asks.setCurrentIndex(asks.findData("always"))
    by_name(dialog, QSpinBox, "Context").setValue(0)
    by_name(dialog, QSpinBox, "Threads").setValue(6)
    by_name(dialog, QSpinBox, "Layers on the GPU").setValue(-1)
    by_name(dialog, QSpinBox, "Largest text file").setValue(10)
    by_name(dialog, QPlainTextEdit, "Instructions for the model").setPlainText(" Be brief. ")
    by_name(dialog, QLineEdit, "Proxy").setText("proxy.example:8080")
    for box in dialog.findChildren(QCheckBox):
        box.toggle()
    with qtbot.waitSignal(dialog.saved) as saved:
        press_save(dialog)
    assert saved.args == [
        {
            "theme": "dark",
            "constrain_calls": False,
            "keep_reasoning_open": True,
            "approval": "always",
            "context": None,
            "threads": 6,
            "gpu_layers": None,
            "max_text_file_mb": 10,
            "offline": True,
            "proxy": "http://proxy.example:8080",
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


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("proxy.example", "http://proxy.example"),
        (" https://Proxy.example:3128/ ", "https://proxy.example:3128"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("10.0.0.1:80", "http://10.0.0.1:80"),
        ("", ""),
    ],
)
def test_a_proxy_is_an_address(typed: str, kept: str, themed: object, qtbot: QtBot) -> None:
    dialog = SettingsDialog(Settings(proxy="http://before.example"))
    qtbot.addWidget(dialog)
    by_name(dialog, QLineEdit, "Proxy").setText(typed)
    with qtbot.waitSignal(dialog.saved) as saved:
        press_save(dialog)
    assert saved.args == [{"proxy": kept}]


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ("socks5://proxy.example", "Write it like"),
        ("http://", "Write it like"),
        ("no proxy", "Write it like"),
        ("proxy.example:99999", "Write it like"),
        ("http://proxy.example/path", "Write it like"),
        ("http://me:secret@proxy.example:8080", "not kept here"),
    ],
)
def test_what_is_no_proxy_keeps_the_dialog_open(typed: str, problem: str, dialog: SettingsDialog) -> None:
    dialog.show()
    field = by_name(dialog, QLineEdit, "Proxy")
    field.setText(typed)
    press_save(dialog)
    assert dialog.isVisible()
    assert any(problem in text for text in words(dialog))
    field.setText("proxy.example:8080")
    assert not any(problem in text for text in words(dialog))
    press_save(dialog)
    assert not dialog.isVisible()


@pytest.mark.parametrize("keyring", [RecordedKeyring()], ids=["keyring"])
def test_a_token_goes_to_the_keyring_and_is_never_shown(
    services: Any, controller: SettingsController, keyring: RecordedKeyring, settle: Settle
) -> None:
    dialog = controller.open()
    settle(lambda: any(text.startswith("Kept in the keyring") for text in words(dialog)))
    field = by_name(dialog, QLineEdit, "Hugging Face token")
    assert field.echoMode() is QLineEdit.EchoMode.Password
    field.setText(" hf_secret ")
    press_save(dialog)
    settle(lambda: services.models.has_token)
    assert list(keyring.held.values()) == ["hf_secret"]
    again = controller.open()
    field = by_name(again, QLineEdit, "Hugging Face token")
    settle(lambda: field.placeholderText().startswith("There is one"))
    assert field.text() == ""
    again.reject()


def test_without_a_keyring_the_dialog_says_that_the_token_is_forgotten(
    services: Any, controller: SettingsController, settle: Settle
) -> None:
    failures: list[object] = []
    controller.failed.connect(failures.append)
    dialog = controller.open()
    settle(lambda: "No keyring here: forgotten when Alcove is closed." in words(dialog))
    by_name(dialog, QLineEdit, "Hugging Face token").setText("hf_secret")
    press_save(dialog)
    settle(lambda: services.models.has_token)
    assert failures == []


@pytest.mark.expect_log("keyring could not be written")
@pytest.mark.parametrize("keyring", [RecordedKeyring(refuses=True)], ids=["locked"])
def test_a_keyring_that_refuses_is_told(controller: SettingsController, settle: Settle) -> None:
    failures: list[Any] = []
    controller.failed.connect(failures.append)
    controller.save_token("hf_secret")
    settle(lambda: [failure.code for failure in failures] == ["token-not-kept"])


def test_when_an_idle_model_leaves_the_memory(dialog: SettingsDialog) -> None:
    box = by_name(dialog, QSpinBox, "Unload when idle for")
    assert box.text() == "30 minutes"
    box.setValue(0)
    assert box.text() == "Never"
    assert dialog.changes() == {"unload_after_minutes": 0}
