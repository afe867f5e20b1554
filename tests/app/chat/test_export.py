import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from app.chat.export import FORMATS, export
from app.domain.errors import AppError
from app.domain.messages import (
    AttachmentPart,
    CitationPart,
    Conversation,
    GeneratedSpan,
    Message,
    MessageStatus,
    NotePart,
    Part,
    ReasoningPart,
    Role,
    SourcesPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    ToolStatus,
)
from app.domain.sources import Locator, Source

CONVERSATION = Conversation("c", "Pies & <tarts>", 1_790_000_000.0, 1_790_000_001.0, "a", ("/docs",))
TEXT = (
    "**Bold** [1] and [2] and [1, 3] but `[1]`.\n\n```\n[1]\n```\n\n<script>alert(1)</script> ![x](http://host/x.png)"
)
CITED = tuple(CitationPart(n, f"/docs/{n}.pdf", Locator(page=n), f"quote\n{n} " + "long " * 100) for n in (1, 3))
MESSAGES = (
    Message("q", "c", None, Role.USER, MessageStatus.COMPLETE, (TextPart("Why?"), AttachmentPart("/a b", "a b")), 1.0),
    Message(
        "a",
        "c",
        "q",
        Role.ASSISTANT,
        MessageStatus.INTERRUPTED,
        (
            ReasoningPart("so </details> it is", 2.4),
            ToolCallPart("1", "search_documents", '{"query": "<b>"}'),
            ToolResultPart("1", "search_documents", ToolStatus.OK, "```\n[1] <i>\n```", 0.25),
            SourcesPart((Source(1, "/docs/1.pdf", Locator(), "secret passage"),)),
            TextPart(TEXT),
            *CITED,
            NotePart("x", "A note & more."),
        ),
        2.0,
        model="tiny",
        error="The engine died.",
        spans=(GeneratedSpan(0, "raw", (1, 2), "v"),),
    ),
)


def test_markdown() -> None:
    text = export(CONVERSATION, MESSAGES, "md")
    assert text.startswith("# Pies & <tarts>\n")
    assert "\n## You\n\nWhy?\n\n*Attachment: a b*\n\n## Answer (tiny)\n" in text
    assert "<summary>Reasoning (2 s)</summary>\n\nso &lt;/details&gt; it is\n\n</details>" in text
    assert '**Tool call** `search_documents`\n\n```json\n{"query": "<b>"}\n```' in text
    assert "**Result of search_documents (ok, 0.2 s)**\n\n````\n```\n[1] <i>\n```\n````" in text
    assert "**Bold** [^2-1] and [2] and [^2-1][^2-3] but `[1]`.\n\n```\n[1]\n```" in text
    assert re.search(r"^\[\^2-3\]: 3\.pdf, page 3: “quote 3 long .{280,320}…”$", text, re.MULTILINE)
    assert text.endswith("*Interrupted. The engine died.*\n")
    assert "secret passage" not in text


@pytest.mark.parametrize(
    ("text", "closes"),
    [
        ("So:\n```python\nprint(1)", "```"),
        ("~~~~ text\n```\n~~~", "~~~~"),
        ("````md\n```\nhi\n```", "````"),
        ("```py\nx\n```", ""),
        ("`` ` ``` ``", ""),
        ("``` not `code`", ""),
    ],
)
def test_a_code_block_left_open_does_not_swallow_what_follows(text: str, closes: str) -> None:
    answer = replace(MESSAGES[1], parts=(TextPart(text),), status=MessageStatus.STOPPED)
    written = export(CONVERSATION, [answer, MESSAGES[0]], "md")
    expected = f"{text}\n{closes}" if closes else text
    assert f"\n\n{expected}\n\n*Stopped." in written
    tokens = MarkdownIt().parse(written)
    headings = [tokens[at + 1].content for at, token in enumerate(tokens) if token.type == "heading_open"]
    assert headings[-1] == "You"


def test_json_has_everything_but_the_token_ids() -> None:
    document = json.loads(export(CONVERSATION, MESSAGES, "json"))
    assert document["conversation"]["title"] == "Pies & <tarts>"
    question, answer = document["messages"]
    assert question["parts"][0] == {"kind": "text", "text": "Why?"}
    assert [part["kind"] for part in answer["parts"]] == [
        "reasoning",
        "tool_call",
        "tool_result",
        "sources",
        "text",
        "citation",
        "citation",
        "note",
    ]
    assert answer["parts"][3]["sources"][0]["locator"]["page"] is None
    assert "spans" not in answer


class Page(HTMLParser):
    """Tags, ids and addresses of a page; fails on tags that are left open."""

    VOID = ("meta", "br", "hr")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.ids: set[str | None] = set()
        self.links: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        values = dict(attrs)
        self.ids.add(values.get("id"))
        self.links.append(values.get("href") or "")
        assert not any(name.startswith("on") or name == "src" for name in values)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_html_is_one_page_without_scripts_or_anything_from_outside() -> None:
    text = export(CONVERSATION, MESSAGES, "html")
    page = Page(text)
    assert not page.tags & {"script", "img", "iframe", "link", "i"}
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "<title>Pies &amp; &lt;tarts&gt;</title>" in text
    assert '<strong>Bold</strong> <sup><a href="#source-2-1">[1]</a></sup> and [2] and' in text
    assert "<code>[1]</code>" in text
    assert {link.removeprefix("#") for link in page.links if link.startswith("#")} == {"source-2-1", "source-2-3"}
    assert {"source-2-1", "source-2-3"} <= page.ids
    assert "so &lt;/details&gt; it is" in text
    assert "Interrupted. The engine died." in text


def test_an_unknown_format_is_one_sentence() -> None:
    with pytest.raises(AppError, match="docx is no export format"):
        export(CONVERSATION, MESSAGES, "docx")


@settings(max_examples=60, deadline=None)
@given(
    st.text(alphabet=st.sampled_from("<>[]()!&\"'`~#*_-\\\n 1a:/\ud800") | st.characters(), max_size=80),
    st.sampled_from(FORMATS),
)
def test_no_text_breaks_the_document(text: str, fmt: str) -> None:
    parts: tuple[Part, ...] = (
        ReasoningPart(text),
        TextPart(text),
        ToolCallPart("1", text, text),
        NotePart("n", text),
        *CITED,
    )
    message = Message("m", "c", None, Role.ASSISTANT, MessageStatus.FAILED, parts, 1.0, model=text, error=text)
    document = export(Conversation("c", text, 1.0, 1.0), [message], fmt)
    document.encode()
    if fmt == "html":
        assert "script" not in Page(document).tags
    if fmt == "json":
        json.loads(document)
