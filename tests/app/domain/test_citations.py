"""`[n]` counts only where a given source has that number."""

import pytest

from app.domain.citations import citations, cut_at_mentions
from app.domain.sources import Locator, Source

SOURCES = {n: Source(n, f"/d/{n}.md", Locator(), f"text {n}") for n in (1, 2, 3)}


@pytest.mark.parametrize(
    ("text", "cited"),
    [
        ("Six hours [1].", [1]),
        ("Both [2][1].", [2, 1]),
        ("Both [1, 3].", [1, 3]),
        ("Twice [1] and [1].", [1]),
        ("Not given [4] [0].", []),
        ("In code `a[1]` only.", []),
        ("```\na[1]\n```\nafter [2]", [2]),
        ("```\nopen a[1]", []),
        ("A link [1](http://example.org).", []),
        ("Nothing.", []),
        ("[01]", [1]),
        ("[1,`x` 3]", []),
    ],
)
def test_citations(text: str, cited: list[int]) -> None:
    assert [part.n for part in citations(text, SOURCES)] == cited


def test_a_citation_keeps_the_quote() -> None:
    (part,) = citations("[2]", SOURCES)
    assert (part.path, part.quote) == ("/d/2.md", "text 2")


def test_a_text_is_cut_where_it_mentions_cited_sources_only() -> None:
    assert list(cut_at_mentions("Both [1; 3], `[1]` not, [2], [1, 2]. [3]", {1, 3})) == [
        "Both ",
        (1, 3),
        ", `[1]` not, [2], [1, 2]. ",
        (3,),
        "",
    ]
    assert list(cut_at_mentions("Nothing.", {1})) == ["Nothing."]
