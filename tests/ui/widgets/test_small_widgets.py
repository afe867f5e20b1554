"""Buttons for dense places."""

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from ui.theme import LIGHT
from ui.widgets.flat_button import FlatButton, Spinner


def test_a_flat_button_is_pressed_by_mouse_and_keyboard_and_has_a_name(qtbot: QtBot) -> None:
    button = FlatButton(LIGHT, "copy", "", "Copy answer")
    qtbot.addWidget(button)
    button.show()
    presses: list[bool] = []
    button.clicked.connect(lambda: presses.append(True))
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    QTest.keyClick(button, Qt.Key.Key_Space)
    assert len(presses) == 2
    assert button.accessibleName() == button.toolTip() == "Copy answer"


def test_a_flat_button_is_as_wide_as_what_it_shows(qtbot: QtBot) -> None:
    small, large = FlatButton(LIGHT, "copy"), FlatButton(LIGHT, "copy", "Copy")
    qtbot.addWidget(small)
    qtbot.addWidget(large)
    assert large.sizeHint().width() > small.sizeHint().width() > 0
    large.set_trailing("chevron-down")
    assert large.sizeHint().width() > large.width()


def test_a_ghost_paints_nothing_but_keeps_its_place(qtbot: QtBot) -> None:
    host = QWidget()
    qtbot.addWidget(host)
    button = FlatButton(LIGHT, "copy", "Copy", "", host)
    host.show()
    size = button.sizeHint()
    plain = button.grab().toImage()
    button.set_ghost(True)
    assert button.grab().toImage() != plain
    assert button.sizeHint() == size


def test_a_spinner_rests_while_it_is_hidden(qtbot: QtBot) -> None:
    spinner = Spinner(LIGHT.accent)
    qtbot.addWidget(spinner)
    spinner.show()
    first = spinner.grab().toImage()
    qtbot.waitUntil(lambda: spinner.grab().toImage() != first, timeout=2000)
    spinner.hide()
    still = spinner.grab().toImage()
    qtbot.wait(200)
    assert spinner.grab().toImage() == still
