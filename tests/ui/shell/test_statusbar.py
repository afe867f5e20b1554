"""The lowest line has room for its figures, whatever else stands there."""

import pytest
from PySide6.QtWidgets import QLabel, QMainWindow
from pytestqt.qtbot import QtBot

from app.domain.events import TokenRate
from ui.figures import rate_text
from ui.models.controller import ModelState
from ui.shell.statusbar import StatusBar


@pytest.fixture
def window(themed: object, qtbot: QtBot) -> QMainWindow:
    window = QMainWindow()
    qtbot.addWidget(window)
    window.setStatusBar(StatusBar(window))
    return window


@pytest.mark.parametrize("width", [420, 1200])
def test_figures_are_never_cut_and_do_not_widen_the_window(width: int, window: QMainWindow) -> None:
    status = window.statusBar()
    assert isinstance(status, StatusBar)
    window.resize(width, 200)
    window.show()
    status.show_model(ModelState(name="A-model-with-a-long-name-135M-Instruct", loaded=True))
    for number, rate in enumerate((9.9, 31.3, 1131.3, 9.4)):
        status.show_turn(TokenRate("c", f"answer {number}", rate, 1312, 8192))
        figures = [label for label in status.findChildren(QLabel) if label.text() and label.text()[-1].isalnum()]
        shown = {label.text(): label for label in figures}
        for text in (f"{rate_text(rate)} tokens/s", "Context 1,312 of 8,192"):
            assert shown[text].width() >= shown[text].sizeHint().width()
    assert window.width() == width
    assert status.texts()[0] == "A-model-with-a-long-name-135M-Instruct is ready"


def test_the_speed_changes_once_a_second_to_the_average_of_it(window: QMainWindow) -> None:
    status = window.statusBar()
    assert isinstance(status, StatusBar)
    shown = []
    for used, rate in enumerate((20.0, 10.0, 30.0, 10.0, 30.0, 100.0, 0.0, 100.0)):
        status.show_turn(TokenRate("c", "a", rate, used, 8192))
        shown.append(status.texts()[-2:])
    first, average = ["20.0 tokens/s", "Context 0 of 8,192"], ["20.0 tokens/s", "Context 4 of 8,192"]
    assert shown == [first] * 4 + [average] * 4
