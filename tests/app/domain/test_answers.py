"""An answer is cut into rounds where the model goes on after results; sources are found by their numbers."""

from app.domain.answers import all_sources, given_sources, rounds
from app.domain.messages import (
    NotePart,
    Part,
    ReasoningPart,
    SourcesPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    ToolStatus,
)
from app.domain.sources import Locator, Source

FIRST, SECOND = (Source(n, f"/d/{n}.md", Locator(), f"text {n}") for n in (1, 2))


def call(name: str, status: ToolStatus = ToolStatus.OK) -> list[Part]:
    return [ToolCallPart(name, "look", "{}"), ToolResultPart(name, "look", status, "found")]


def test_a_round_ends_where_the_model_goes_on_after_results() -> None:
    wrote, asked, found, said = ReasoningPart("Look."), call("a"), SourcesPart((FIRST,)), TextPart("So.")
    assert list(rounds([wrote, *asked, found, said])) == [[wrote, *asked, found], [said]]


def test_several_calls_of_one_round_stay_together() -> None:
    calls: list[Part] = [ToolCallPart("a", "look", "{}"), ToolCallPart("b", "look", "{}")]
    results = [ToolResultPart(name, "look", ToolStatus.OK, "") for name in ("a", "b")]
    assert list(rounds([*calls, *results])) == [[*calls, *results]]


def test_a_call_that_was_never_whole_ends_no_round() -> None:
    parts = [*call("a", ToolStatus.INCOMPLETE), NotePart("x", "Cut off."), TextPart("So.")]
    assert list(rounds(parts)) == [parts]


def test_an_empty_answer_has_no_round() -> None:
    assert list(rounds([])) == []


def test_given_are_the_sources_before_the_first_word() -> None:
    parts: list[Part] = [SourcesPart((FIRST,)), TextPart("Well."), SourcesPart((SECOND,))]
    assert given_sources(parts) == (FIRST,)
    assert given_sources([TextPart("Well."), SourcesPart((FIRST,))]) == ()
    assert all_sources(parts) == {1: FIRST, 2: SECOND}
