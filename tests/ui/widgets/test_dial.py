"""A number that is automatic until it is touched."""

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from ui.widgets.dial import Dial

STOPS = (512, 1024, 2048, 4096)


@pytest.fixture
def dial(themed: object, qtbot: QtBot) -> Dial:
    dial = Dial("Context", "How much it sees")
    qtbot.addWidget(dial)
    dial.show_stops(STOPS)
    dial.show_choice(None, 4096)
    dial.show()
    return dial


@pytest.fixture
def told(dial: Dial) -> list[int | None]:
    told: list[int | None] = []
    dial.changed.connect(told.append)
    return told


def test_first_it_shows_what_the_program_chose(dial: Dial, told: list[int | None]) -> None:
    assert (dial.box.value(), dial.slider.value(), dial.automatic.isChecked()) == (4096, 3, True)
    assert dial.chosen is None
    assert told == []


def test_the_slider_chooses_a_stop_and_auto_takes_it_back(dial: Dial, told: list[int | None]) -> None:
    dial.slider.setValue(1)
    assert (dial.chosen, dial.box.value(), dial.automatic.isChecked()) == (1024, 1024, False)
    dial.automatic.click()
    assert dial.chosen is None
    dial.automatic.click()  # and what it shows is kept as a choice
    assert told == [1024, None, 1024]


def test_a_number_between_two_stops_is_typed_once_it_is_whole(dial: Dial, told: list[int | None], qtbot: QtBot) -> None:
    dial.box.selectAll()
    qtbot.keyClicks(dial.box, "1500")
    assert told == []
    qtbot.keyClick(dial.box, Qt.Key.Key_Return)
    assert told == [1500]
    assert dial.slider.value() == 1  # the nearest stop


@pytest.mark.parametrize(("start", "key", "end"), [
    (1500, Qt.Key.Key_Up, 2048), (1500, Qt.Key.Key_Down, 1024), (1024, Qt.Key.Key_Up, 2048),
    (1024, Qt.Key.Key_Down, 512), (4096, Qt.Key.Key_Up, 4096), (512, Qt.Key.Key_Down, 512),
])  # fmt: skip
def test_keys_go_from_stop_to_stop(dial: Dial, qtbot: QtBot, start: int, key: Qt.Key, end: int) -> None:
    dial.show_choice(start, start)
    qtbot.keyClick(dial.box, key)
    assert dial.box.value() == end


def test_the_wheel_scrolls_what_is_around_it(dial: Dial, told: list[int | None]) -> None:
    for widget in (dial.box, dial.slider):
        where = QPointF(widget.rect().center())
        event = QWheelEvent(
            where, widget.mapToGlobal(where), QPoint(), QPoint(0, -120), Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        QApplication.sendEvent(widget, event)
        assert not event.isAccepted()
    assert told == []


def test_a_screen_reader_finds_every_part(dial: Dial) -> None:
    assert dial.box.accessibleName() == dial.slider.accessibleName() == "Context"
    assert dial.automatic.accessibleName() == "Context: automatic"
    assert dial.box.accessibleDescription() == "How much it sees"
