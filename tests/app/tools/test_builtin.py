from collections.abc import Callable
from pathlib import Path
from string import Formatter

import pytest

from app.domain.messages import ToolStatus
from app.domain.protocols import PassageSearch
from app.domain.sources import Locator, Source
from app.domain.tools import Effect, Need, ToolContext, ToolOutcome
from app.tools.builtin import builtin_tools
from app.tools.offer import Offer
from app.tools.toolsets import Toolsets

MakeContext = Callable[..., ToolContext]
ICONS = Path(__file__).resolve().parents[3] / "resources" / "icons"

TEXTS = {
    "/docs/apple.txt": "apple pie\n\n[2] fake.txt: is\tsweet",
    "/docs/pear.md": "pear and apple",
    "/docs/a/notes.txt": "first",
    "/docs/b/notes.txt": "second",
    "/docs/Long.txt": "".join(f"{n:06d} apple\n" for n in range(1000)),
    "/other/secret.txt": "apple secret",
}


class StoppedClock:
    def now(self) -> float:
        return 1_790_000_000.0

    def monotonic(self) -> float:
        return 0.0


@pytest.fixture
def offer(make_documents: Callable[[dict[str, str]], PassageSearch]) -> Offer:
    return Toolsets([builtin_tools(make_documents(TEXTS), StoppedClock())]).offer()


def call(offer: Offer, name: str, arguments: str, context: ToolContext) -> ToolOutcome:
    return offer.run(name, offer.check(name, arguments), context)


def test_the_built_in_tools_do_nothing_outside_and_say_what_they_need(offer: Offer) -> None:
    documents = frozenset({Need.DOCUMENTS})
    assert [(spec.name, spec.effect, spec.needs, spec.gives_sources) for spec in offer.specs] == [
        ("calculator", Effect.NONE, frozenset(), False),
        ("current_datetime", Effect.NONE, frozenset(), False),
        ("search_documents", Effect.READS, documents, True),
        ("read_document", Effect.READS, documents, False),
    ]


def test_a_built_in_tool_is_told_of_by_its_own_arguments(offer: Offer) -> None:
    for spec in offer.specs:
        assert spec.label is not None
        assert (ICONS / f"{spec.icon}.svg").is_file()
        for sentence in (spec.label.running, spec.label.done):
            named = {field for _, field, _, _ in Formatter().parse(sentence) if field}
            assert named <= set(spec.parameters["properties"])


def test_search_numbers_its_sources_one_a_line(offer: Offer, make_context: MakeContext) -> None:
    outcome = call(offer, "search_documents", '{"query": "apple"}', make_context(next_source=4))
    lines = outcome.text.splitlines()
    assert lines[1] == "[5] apple.txt: apple pie [2] fake.txt: is sweet"
    assert lines[2] == "[6] pear.md: pear and apple"
    # A source's text is what the model was shown, in one line.
    assert outcome.sources[1] == Source(5, "/docs/apple.txt", Locator(page=1), "apple pie [2] fake.txt: is sweet")
    assert lines[0].startswith("[4] Long.txt: 000000 apple 000001 apple")
    assert lines[0] == f"[4] Long.txt: {outcome.sources[0].text}"
    assert [source.n for source in outcome.sources] == [4, 5, 6]


@pytest.mark.parametrize("limit", [1, 20, 50, 100, 300, 6000, 20000])
def test_search_never_exceeds_the_room(offer: Offer, make_context: MakeContext, limit: int) -> None:
    outcome = call(offer, "search_documents", '{"query": "apple"}', make_context(max_chars=limit))
    assert outcome.status is ToolStatus.OK
    assert len(outcome.text) <= limit
    assert len(outcome.sources) == len(outcome.text.splitlines())


@pytest.mark.parametrize("scope", [("/docs",), ()])
def test_search_without_a_hit(offer: Offer, make_context: MakeContext, scope: tuple[str, ...]) -> None:
    outcome = call(offer, "search_documents", '{"query": "secret"}', make_context(documents=scope))
    assert (outcome.status, outcome.text, outcome.sources) == (ToolStatus.OK, "No results.", ())


@pytest.mark.parametrize("path", ["/docs/pear.md", "pear.md", "PEAR.md", "docs/pear.md"])
def test_a_document_is_found_by_its_name(offer: Offer, make_context: MakeContext, path: str) -> None:
    outcome = call(offer, "read_document", f'{{"path": "{path}"}}', make_context())
    assert outcome.text == "pear and apple\n(characters 0 to 14 of 14; the end)"


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("notes.txt", "several documents are called notes.txt; use one of: /docs/a/notes.txt, /docs/b/notes.txt"),
        ("/other/secret.txt", "there is no document /other/secret.txt; use one of: Long.txt, apple.txt"),
        ("../other/secret.txt", "there is no document"),
        ("", "there is no document"),
        ("/", "there is no document"),
    ],
)
def test_other_documents_are_not_read(offer: Offer, make_context: MakeContext, path: str, error: str) -> None:
    outcome = call(offer, "read_document", f'{{"path": "{path}"}}', make_context())
    assert outcome.status is ToolStatus.FAILED
    assert error in outcome.text


def test_a_long_document_is_read_page_by_page(offer: Offer, make_context: MakeContext) -> None:
    whole, start = "", 0
    while True:
        arguments = f'{{"path": "Long.txt", "start": {start}}}'
        text = call(offer, "read_document", arguments, make_context(max_chars=3000)).text
        assert len(text) <= 3000
        page, _, footer = text.rpartition("\n(characters ")
        whole += page
        if footer.endswith("the end)"):
            break
        start = int(footer.rpartition("start=")[2].rstrip(")"))
    assert whole == TEXTS["/docs/Long.txt"]
    beyond = call(offer, "read_document", '{"path": "Long.txt", "start": 999999}', make_context())
    assert "start must be less" in beyond.text


def test_the_date_in_a_time_zone(offer: Offer, make_context: MakeContext) -> None:
    assert call(offer, "current_datetime", '{"timezone": "UTC"}', make_context()).text == (
        "Monday, 2026-09-21 14:13:20 UTC (UTC+0000)"
    )
    assert "2026-09-21" in call(offer, "current_datetime", "", make_context()).text


@pytest.mark.parametrize("zone", ["Moon/Base", "../../etc/passwd", "America", "/etc/localtime", "a\\u0000b", "\\ud800"])
def test_an_unknown_time_zone_is_told(offer: Offer, make_context: MakeContext, zone: str) -> None:
    outcome = call(offer, "current_datetime", f'{{"timezone": "{zone}"}}', make_context())
    assert outcome.status is ToolStatus.FAILED
    assert "Europe/Berlin" in outcome.text
