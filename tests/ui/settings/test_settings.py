"""The settings dialog changes what was changed, and nothing else."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QSpinBox,
    QToolButton,
    QWidget,
)
from pytestqt.qtbot import QtBot

from app.domain.setting import Group, Needs, Setting, Shown
from app.domain.settings import CONNECTIONS
from app.services import Settings
from app.storage.settings import SettingsStore
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
        ("ftp://proxy.example", "Write it like"),
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


MORE = Group("More", "Of another kind.")


@dataclass(frozen=True, slots=True)
class MoreSettings(Settings):
    """A setting of each kind, added as a new one is: by its declaration alone."""

    pace: Annotated[int, Setting(MORE, "Pace", "How fast", words={1: "Slow"}, unit="km/h", least=1, most=9)] = 2
    voice: Annotated[Literal["alto", "bass"], Setting(MORE, "Voice", words={"alto": "High", "bass": "Low"})] = "alto"
    places: Annotated[tuple[str, ...], Setting(MORE, "Places", needs=Needs.RESTART)] = ()
    loud: Annotated[bool, Setting(CONNECTIONS, "Loud")] = False
    inner: Annotated[str, Setting(MORE, "Inner", shown=Shown.NOWHERE)] = ""


@pytest.fixture
def shown(qtbot: QtBot, themed: object) -> SettingsDialog:
    """With something changed, on the screen."""
    dialog = SettingsDialog(Settings(context=8192, gpu_layers=0, offline=True))
    qtbot.addWidget(dialog)
    with qtbot.waitExposed(dialog):
        dialog.show()
    return dialog


def labels(dialog: SettingsDialog) -> list[str]:
    """What can be changed now, in order."""
    rows = [*dialog.rows, dialog.token]
    return [row.field.accessibleName() for row in rows if row.isVisibleTo(dialog)]


def backs(dialog: SettingsDialog) -> dict[str, QToolButton]:
    """The buttons that are there, by the setting that they take back."""
    ending = ": back to the default"
    buttons = [button for button in dialog.findChildren(QToolButton) if button.isVisibleTo(dialog)]
    return {
        button.accessibleName().removesuffix(ending): button
        for button in buttons
        if button.accessibleName().endswith(ending)
    }


def test_a_declaration_is_all_that_a_new_setting_needs(qtbot: QtBot, themed: object, tmp_path: Any) -> None:
    store = SettingsStore(tmp_path / "settings.json", MoreSettings)
    dialog = SettingsDialog(store.get())
    qtbot.addWidget(dialog)
    pace = by_name(dialog, QSpinBox, "Pace")
    assert (pace.text(), pace.minimum(), pace.maximum()) == ("2 km/h", 1, 9)
    pace.setValue(1)
    assert pace.text() == "Slow"
    voice = by_name(dialog, QComboBox, "Voice")
    assert [voice.itemText(index) for index in range(voice.count())] == ["High", "Low"]
    voice.setCurrentIndex(1)
    by_name(dialog, QPlainTextEdit, "Places").setPlainText(" /a \n\n/b c\n")
    assert {"More", "Of another kind.", "How fast.", "A change counts from the next start on."} <= set(words(dialog))
    assert "Inner" not in labels(dialog)
    assert words(dialog).count("Connections") == 1
    store.update(**dialog.changes())
    assert json.loads((tmp_path / "settings.json").read_text()) == {
        "pace": 1,
        "places": ["/a", "/b c"],
        "voice": "bass",
    }


def test_what_differs_from_the_default_is_marked_and_taken_back(shown: SettingsDialog) -> None:
    assert set(backs(shown)) == {"Context", "Layers on the GPU", "Offline: connect to nothing"}
    context = by_name(shown, QSpinBox, "Context")
    assert context.accessibleDescription().endswith("Differs from the default.")
    backs(shown)["Context"].click()
    assert context.text() == "Automatic"
    assert context.hasFocus()
    assert "Differs" not in context.accessibleDescription()
    assert "Context" not in backs(shown)
    by_name(shown, QSpinBox, "Threads").setValue(2)
    assert backs(shown)["Threads"].toolTip() == "Back to the default: Automatic"
    assert shown.changes() == {"context": None, "threads": 2}


def test_all_can_be_taken_back_and_count_when_saved(shown: SettingsDialog, qtbot: QtBot) -> None:
    by_name(shown, QLineEdit, "Proxy").setText("ftp://no")
    next(button for button in shown.findChildren(QPushButton) if button.text() == "Reset all").click()
    assert backs(shown) == {}
    with qtbot.waitSignal(shown.saved) as saved:
        press_save(shown)
    assert saved.args == [{"context": None, "gpu_layers": None, "offline": False}]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("colour", ["Colours"]),
        ("DARK", ["Colours"]),
        ("gpu card", ["Layers on the GPU"]),
        ("connections", ["Offline: connect to nothing", "Proxy"]),
        ("max_text_file_mb", ["Largest text file"]),
        ("hugging", ["Hugging Face token"]),
        ("hologram", []),
    ],
)
def test_the_search_leaves_what_has_its_words(shown: SettingsDialog, typed: str, found: list[str]) -> None:
    everything = labels(shown)
    shown.search.setText(typed)
    assert labels(shown) == found
    assert ("No setting is called so." in words(shown)) == (not found)
    shown.search.clear()
    assert labels(shown) == everything


def test_enter_in_the_search_goes_to_what_was_found(shown: SettingsDialog, qtbot: QtBot) -> None:
    qtbot.keyClicks(shown.search, "gpu")
    qtbot.keyClick(shown.search, Qt.Key.Key_Return)
    assert shown.isVisible()
    assert by_name(shown, QSpinBox, "Layers on the GPU").hasFocus()


def test_a_refused_value_is_shown_even_where_the_search_hid_it(shown: SettingsDialog, settle: Settle) -> None:
    proxy = by_name(shown, QLineEdit, "Proxy")
    proxy.setText("ftp://no")
    shown.search.setText("colour")
    press_save(shown)
    assert any("Write it like" in text for text in words(shown))
    settle(lambda: not proxy.visibleRegion().isEmpty())


def test_the_keyboard_reaches_everything(shown: SettingsDialog, qtbot: QtBot) -> None:
    reached = []
    for _ in range(40):
        field = QApplication.focusWidget()
        assert field is not None
        name = field.accessibleName() or field.property("text")
        if name in reached:
            break
        reached.append(name)
        qtbot.keyClick(field, Qt.Key.Key_Tab)
    without_buttons = [name for name in reached if "back to the default" not in name]
    assert without_buttons == ["Search settings", *labels_in_order(shown), "Reset all", "Save", "Cancel"]
    assert reached.index("Context: back to the default") == reached.index("Context") + 1


def labels_in_order(dialog: SettingsDialog) -> list[str]:
    names = labels(dialog)
    names.remove("Hugging Face token")
    names.insert(names.index("Proxy") + 1, "Hugging Face token")
    return names


def test_escape_closes_and_changes_nothing(shown: SettingsDialog, qtbot: QtBot) -> None:
    by_name(shown, QSpinBox, "Threads").setValue(2)
    with qtbot.assertNotEmitted(shown.saved):
        qtbot.keyClick(by_name(shown, QSpinBox, "Threads"), Qt.Key.Key_Escape)
    assert not shown.isVisible()


def test_the_wheel_scrolls_the_page_and_turns_no_number(shown: SettingsDialog) -> None:
    context = by_name(shown, QSpinBox, "Context")
    down = QWheelEvent(
        QPointF(5, 5),
        QPointF(context.mapToGlobal(QPoint(5, 5))),
        QPoint(),
        QPoint(0, -120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(context, down)
    assert context.value() == 8192


def test_a_value_that_the_file_has_and_nobody_touches_stays(qtbot: QtBot, themed: object) -> None:
    dialog = SettingsDialog(Settings(proxy="gopher://of.my.own", unload_after_minutes=2880))
    qtbot.addWidget(dialog)
    assert dialog.changes() == {}


@pytest.mark.expect_log("is damaged")
def test_what_was_wrong_with_the_file_is_told(services: Any, bridge: Bridge, qtbot: QtBot, tmp_path: Any) -> None:
    (tmp_path / "broken.json").write_text("{")
    window = QWidget()
    qtbot.addWidget(window)
    for store, codes in ((services.settings, []), (SettingsStore(tmp_path / "broken.json"), ["settings-damaged"])):
        services.settings = store
        controller = SettingsController(services, bridge, window)
        failures: list[Any] = []
        controller.failed.connect(failures.append)
        controller.start()
        assert [failure.code for failure in failures] == codes
