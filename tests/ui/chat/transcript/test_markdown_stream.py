"""What arrives in pieces is shown as what is stored."""

from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.domain.messages import TextPart
from ui.chat.transcript.rows.markdown import parse, render
from ui.chat.transcript.rows.packing import CodeRow, Packer, ProseRow, TableRow
from ui.chat.transcript.rows.parts import AnswerText
from ui.chat.transcript.rows.stream import MarkdownStream

PIECES = st.sampled_from(
    [
        "Some words and **bold** ones.",
        "# Heading",
        "Setext",
        "===",
        "---",
        "- item one",
        "- item two\n  more of it",
        "  - nested",
        "1. first",
        "2. second\n\n   with a paragraph",
        "> quoted\nlazy line",
        "> - list in a quote",
        "```python\nx = 1\n\n\n# not a heading\n```",
        "~~~\n```\n~~~",
        "  ```\n  indented fence\n    more\n  ```",
        "```js\nopen and never closed",
        "    indented code\n\n    after a blank line",
        "| a | b |\n|---|--:|\n| 1 | 2 |",
        "a | b\n--|--",
        "$$\nx^2\n$$",
        "$$\n- not a list",
        "$$ y $$",
        "\\[\nz\n\\]",
        "\\[ open",
        "costs $5 and $6, or $x$ and \\(y\\)",
        "[label]: https://example.org 'title'",
        "[label]:\nhttps://example.org/late",
        "see [label] and [other][label]",
        "![picture](https://example.org/p.png)",
        "<b>html</b> &amp; entities",
        "* * *",
        "\ttab",
        "`code` and `` ` ``",
        "hard  \nbreak",
        "日本語 and émoji 🙂",
        "**重要：**请注意。",
        "a claim[^1] and another[^note]",
        "[^1]: its source\n\n    and more of it",
        "[^note]:",
        "- [ ] to do\n- [x] done",
        "at https://example.org/a_b_(c)?d=1. Then",
        "```markdown\n# T\n```py\nx = 1\n```\nmore\n```",
        "```md\n```sh\nopen",
        "",
    ]
)
GLUE = st.sampled_from(["\n", "\n\n", "\n\n\n", " ", "\r\n", "\r\n\r\n", "\r"])


@st.composite
def documents(draw: st.DrawFn) -> str:
    parts = draw(st.lists(st.tuples(PIECES, GLUE), min_size=1, max_size=12))
    return "".join(piece + glue for piece, glue in parts)


@st.composite
def chunked(draw: st.DrawFn) -> list[str]:
    text = draw(documents())
    cuts = draw(st.lists(st.integers(0, len(text)), max_size=30))
    return [text[a:b] for a, b in pairwise([0, *sorted(cuts), len(text)])]


# What follows on the last line of a block makes it go on with the paragraph above.
CLOSED_TOO_SOON = [
    "Some words and **bold** ones.\n\\[\nz\n\\] Some words and **bold** ones.\n",
    "Some words.\na | b\n--|-- and more\n",
    "> quoted\n\\[\nz\n\\] and more\n",
]


def shown(part: AnswerText) -> list[object]:
    return [segment.content for segment in part.segments()]


def streamed(pieces: Iterable[str], begun: str = "") -> AnswerText:
    """A text that arrived in pieces and was looked at after each; it is still live."""
    rows, text = AnswerText(TextPart(begun), {}, live=True), begun
    for piece in pieces:
        text += piece
        rows.show(TextPart(text), live=True)
        rows.segments()
    return rows


@settings(max_examples=100, deadline=None)
@given(chunked())
def test_streamed_rows_equal_stored_rows(chunks: list[str]) -> None:
    text, rows = TextPart("".join(chunks)), streamed(chunks)
    rows.show(text, live=False)
    assert shown(rows) == shown(AnswerText(text, {}, live=False))


@settings(max_examples=100, deadline=None)
@example(["see [label]\n# Heading\n[label]: https:", "//example.org 'title' and no definition\n"])
@given(chunked())
def test_settled_blocks_equal_the_whole_where_no_link_is_defined(chunks: list[str]) -> None:
    stream = MarkdownStream()
    blocks = [block for chunk in chunks for block in stream.feed(chunk)[0]]
    blocks += stream.close()
    whole = parse("".join(chunks), {})
    if stream.provisional:
        return
    assert [(b.kind, b.text, b.language) for b in blocks] == [(b.kind, b.text, b.language) for b in whole]
    assert "".join(render(b.tokens) for b in blocks) == "".join(render(b.tokens) for b in whole)


@settings(max_examples=15, deadline=None)
@example(CLOSED_TOO_SOON[0])
@example(CLOSED_TOO_SOON[1])
@example(CLOSED_TOO_SOON[2])
@given(documents())
def test_one_character_at_a_time_equals_the_whole(text: str) -> None:
    rows = streamed(text)
    rows.show(TextPart(text), live=False)
    assert shown(rows) == shown(AnswerText(TextPart(text), {}, live=False))


@pytest.mark.parametrize("mark", ["-", "1."])
@pytest.mark.parametrize("last", ["", "\n- loose item\n", "\n\nA paragraph."])
def test_a_long_list_is_cut_while_it_grows_and_whole_in_the_end(mark: str, last: str) -> None:
    text = "".join(f"{mark} item {i} with *some* words\n  and more\n" for i in range(500)) + last
    rows = streamed((text[start : start + 800] for start in range(0, len(text), 800)), "Intro\n\n")
    html = "".join(row.html for row in shown(rows) if isinstance(row, ProseRow))
    assert all(html.count(f"item {i} ") == 1 for i in range(490))
    whole = TextPart("Intro\n\n" + text)
    rows.show(whole, live=False)
    assert shown(rows) == shown(AnswerText(whole, {}, live=False))


def rows_of(text: str) -> list[object]:
    packer = Packer()
    packer.settle(parse(text, {}))
    return list(packer.rows()[0])


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("\n".join(f"- item {i} with some words" for i in range(2000)), ProseRow),
        ("\n".join(f"{i}. item with some words" for i in range(1, 2000)), ProseRow),
        (" ".join(f"word{i}" for i in range(6000)), ProseRow),
        ("| a | b |\n|---|---|\n" + "\n".join(f"| cell {i} | other |" for i in range(2000)), TableRow),
        ("```python\n" + "\n".join(f"x = {i}" for i in range(3000)) + "\n```", CodeRow),
    ],
    ids=["list", "ordered", "paragraph", "table", "code"],
)
def test_a_long_block_becomes_many_rows_of_bounded_size(text: str, kind: type[object]) -> None:
    rows = rows_of(text)
    assert len(rows) > 5
    assert all(isinstance(row, kind) for row in rows)
    sizes = [len(row.text if isinstance(row, CodeRow) else row.html) for row in rows]  # type: ignore[attr-defined]
    assert max(sizes) < 12_000


def test_numbers_go_on_in_the_next_row_of_an_ordered_list() -> None:
    rows = rows_of("\n".join(f"{i}. item with some words in it" for i in range(3, 900)))
    starts = [row.html.split("start=")[1].split('"')[1] for row in rows if isinstance(row, ProseRow)]
    counts = [row.html.count("<li>") for row in rows if isinstance(row, ProseRow)]
    assert [int(start) for start in starts] == [3 + sum(counts[:i]) for i in range(len(counts))]


@pytest.mark.parametrize(
    ("source", "html"),
    [
        ("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>\n"),
        ("[a](javascript:alert(1))", "<p>[a](javascript:alert(1))</p>\n"),
        ("[a](file:///etc/passwd)", "<p>[a](file:///etc/passwd)</p>\n"),
        ("[a](alcove-cite:1)", "<p>[a](alcove-cite:1)</p>\n"),
        ("[a](docs/x.md)", "<p>[a](docs/x.md)</p>\n"),
        ("<https://example.org>", '<p><a href="https://example.org">https://example.org</a></p>\n'),
        ("[a](mailto:a@example.org)", '<p><a href="mailto:a@example.org">a</a></p>\n'),
        ("see https://a.org/b_(c).", '<p>see <a href="https://a.org/b_(c)">https://a.org/b_(c)</a>.</p>\n'),
        ("(http://a.org/x)", '<p>(<a href="http://a.org/x">http://a.org/x</a>)</p>\n'),
        ("见https://a.org/b，然后", '<p>见<a href="https://a.org/b">https://a.org/b</a>，然后</p>\n'),
        (
            "`https://a.org` example.org www.a.org https://",
            "<p><code>https://a.org</code> example.org www.a.org https://</p>\n",
        ),
        ("file:///etc javascript://a.org", "<p>file:///etc javascript://a.org</p>\n"),
        ("[https://a.org](https://b.org)", '<p><a href="https://b.org">https://a.org</a></p>\n'),
        ("$5 and $6", "<p>$5 and $6</p>\n"),
        ("\\(a<b\\)", "<p><tex-i>a&lt;b</tex-i></p>\n"),
    ],
)
def test_text_of_strangers_is_data(source: str, html: str) -> None:
    assert "".join(render(block.tokens) for block in parse(source, {})) == html


def test_a_picture_is_never_fetched_but_linked() -> None:
    html = "".join(render(block.tokens) for block in parse("![a <b>](https://example.org/p.png)", {}))
    assert "<img" not in html
    assert 'href="https://example.org/p.png"' in html
    assert "a &lt;b&gt;" in html


def test_only_given_citations_become_chips_and_never_inside_code() -> None:
    html = render(parse("x [1] y [2] `[1]`", {})[0].tokens, frozenset({1}))
    assert html.count("alcove-cite:1") == 1
    assert "[2]" in html
    assert "<code>[1]</code>" in html


def test_a_citation_of_several_sources_is_a_chip_for_each() -> None:
    html = render(parse("x [1, 3] y [1, 2]", {})[0].tokens, frozenset({1, 3}))
    assert [html.count(f"alcove-cite:{n}") for n in (1, 2, 3)] == [1, 0, 1]
    assert "y [1, 2]" in html


def html_of(text: str) -> str:
    return "".join(render(block.tokens) for block in parse(text, {}))


@pytest.mark.parametrize(
    ("source", "html"),
    [
        ("**重要：**请注意。", "<strong>重要：</strong>请注意。"),
        ("这是**“引用”**的意思", "这是<strong>“引用”</strong>的意思"),
        ("注意**（例）**です。", "注意<strong>（例）</strong>です。"),
        ('**"강조"**는', "<strong>&quot;강조&quot;</strong>는"),
        ("*「本」*を", "<em>「本」</em>を"),
        ("a ** b ** c", "a ** b ** c"),
        ("2**3 and 4**5", "2<strong>3 and 4</strong>5"),
        ("重要： ** 请", "重要： ** 请"),
    ],
)
def test_bold_beside_punctuation_where_no_spaces_are_written(source: str, html: str) -> None:
    assert html_of(source).replace('"', "&quot;") == f"<p>{html}</p>\n"


def test_a_poem_keeps_its_lines() -> None:
    assert html_of("Roses are red\nviolets are blue") == "<p>Roses are red<br>\nviolets are blue</p>\n"


@pytest.mark.parametrize("mark", ["```", "~~~~"])
def test_a_fence_inside_a_markdown_fence_does_not_end_it(mark: str) -> None:
    inner = f"# Title\n\n{mark}python\nx = 1\n{mark}\n\nMore\n"
    blocks = parse(f"Before\n\n{mark}markdown\n{inner}{mark}\n\nAfter", {})
    assert [(block.kind, block.language, block.text) for block in blocks] == [
        ("prose", "", ""),
        ("code", "markdown", inner),
        ("prose", "", ""),
    ]


def test_a_fence_of_another_language_ends_at_the_first_mark() -> None:
    kinds = [block.kind for block in parse("```text\n```python\nx\n```\nAfter", {})]
    assert kinds == ["code", "prose"]


def test_tasks_are_boxes() -> None:
    html = html_of("- [ ] to do\n- [x] done\n- neither [ ] nor\n- [x](https://a.org)")
    assert [piece.split(">")[0] for piece in html.split("<li")[1:]] == [
        ' class="unchecked"',
        ' class="checked"',
        "",
        "",
    ]
    assert "<input" not in html
    assert "[ ] to do" not in html


def test_footnotes_are_marks_and_stand_where_they_are_written() -> None:
    html = html_of("A claim[^1], a pattern [^a-z].\n\n[^1]: Its **source**.\n\nAfter.")
    assert '<sup class="note">1</sup>' in html
    assert "[^a-z]" in html
    assert html.index("claim") < html.index("<strong>source</strong>") < html.index("After")
    assert "<b" not in html_of("x[^<b>]\n\n[^<b>]: y")
