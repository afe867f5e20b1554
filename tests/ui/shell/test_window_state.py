"""The window's state as a string in the settings."""

import pytest
from PySide6.QtCore import QRect

from ui.shell.window_state import WindowState, decoded, fitted


def test_a_place_comes_back_as_it_was() -> None:
    place = WindowState("00ff", "aa", "conversation", sidebar=False, panel="model")
    assert decoded(place.encoded()) == place


@pytest.mark.parametrize("text", ["", "nonsense", "[]", '{"window": 3, "unknown": 1}', "null"])
def test_what_cannot_be_read_is_a_fresh_place(text: str) -> None:
    assert decoded(text) == WindowState()


@pytest.mark.parametrize(
    ("window", "where"),
    [
        (QRect(100, 100, 800, 600), QRect(100, 100, 800, 600)),
        (QRect(-700, 100, 800, 600), QRect(2, 100, 800, 600)),  # hardly anything left to take hold of
        (QRect(2400, 100, 800, 600), QRect(2400, 100, 800, 600)),  # on the second screen
        (QRect(2500, 400, 800, 600), QRect(2484, 166, 800, 600)),  # its composer would be below the edge
        (QRect(5000, 5000, 800, 600), QRect(1118, 478, 800, 600)),
        (QRect(100, -3000, 4000, 3000), QRect(2, 40, 1916, 1038)),
    ],
)
def test_a_window_comes_back_where_it_is_seen_whole(window: QRect, where: QRect) -> None:
    assert fitted(window, [QRect(0, 0, 1920, 1080), QRect(1920, 0, 1366, 768)]) == where
    assert fitted(window, []) == window
