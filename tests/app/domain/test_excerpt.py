"""Excerpts: what answers the query stays, whole sentences, never more than the limit."""

from hypothesis import given
from hypothesis import strategies as st

from app.domain.excerpt import excerpt, shortened

TEXT = "The house is old. The boiler stands in the cellar. It is from Nordwerk. The roof was mended in May."


def test_a_short_text_is_taken_whole() -> None:
    assert excerpt(TEXT, "boiler", 500) == TEXT


def test_the_sentence_that_answers_comes_first_then_its_neighbours() -> None:
    assert excerpt(TEXT, "where is the boiler", 40) == "The boiler stands in the cellar."
    assert excerpt(TEXT, "where is the boiler", 60) == "The boiler stands in the cellar. It is from Nordwerk."
    assert excerpt(TEXT, "who mended the roofs", 40) == "The roof was mended in May."


def test_a_long_sentence_is_cut_at_a_word() -> None:
    assert excerpt("boiler " * 100, "boiler", 20) == "boiler boiler"


@given(st.text(), st.text(), st.integers(1, 200))
def test_never_longer_than_the_limit(text: str, query: str, limit: int) -> None:
    assert len(excerpt(text, query, limit)) <= limit


def test_a_mark_says_that_a_text_was_longer() -> None:
    assert shortened("boiler", 6) == "boiler"
    assert shortened("boilers", 6) == "boiler…"
