import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.tools.names import joined_name

texts = st.text(max_size=80) | st.text("ab_-.9", max_size=6)


@pytest.mark.parametrize(
    ("toolset", "tool", "name"),
    [
        ("files", "read_file", "files__read_file"),
        ("brave-search", "web-search", "brave-search__web-search"),
        ("a", "b__c", "a__b__c"),
    ],
)
def test_a_usual_name_stays_readable(toolset: str, tool: str, name: str) -> None:
    assert joined_name(toolset, tool) == name


def test_any_other_name_is_made_one_that_models_write() -> None:
    assert re.fullmatch(r"My_server__files_read_[0-9a-f]{8}", joined_name("My server", "files/read"))
    assert re.fullmatch(r"t9__x_[0-9a-f]{8}", joined_name("9", "x"))


@given(texts, texts)
def test_every_name_can_be_written(toolset: str, tool: str) -> None:
    assert re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]{0,63}", joined_name(toolset, tool))


@given(st.tuples(texts, texts), st.tuples(texts, texts))
def test_no_two_tools_share_a_name(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert (joined_name(*one) == joined_name(*other)) is (one == other)
