"""The window's state as a string in the settings."""

import pytest

from ui.shell.window_state import WindowState, decoded


def test_a_place_comes_back_as_it_was() -> None:
    place = WindowState("00ff", "aa", "conversation", sidebar=False, panel="model")
    assert decoded(place.encoded()) == place


@pytest.mark.parametrize("text", ["", "nonsense", "[]", '{"window": 3, "unknown": 1}', "null"])
def test_what_cannot_be_read_is_a_fresh_place(text: str) -> None:
    assert decoded(text) == WindowState()
