"""Markdown to blocks, and blocks to the HTML that Qt's text documents read. No Qt in here.

Text comes from a model or a document and is data: HTML is switched off, pictures are never fetched (their alternative
text becomes a link), and a link that is not http, https or mailto stays as it was written.
"""

import functools
from collections.abc import Iterable, Iterator, MutableMapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Literal, TypeAlias
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.tasklists import tasklists_plugin

from app.domain.citations import cut_at_mentions
from ui.chat.transcript.rows.rules import use_rules

Env: TypeAlias = MutableMapping[str, Any]
Kind: TypeAlias = Literal["prose", "code", "table"]

GROWING = "growing"  # in the meta of a formula that is not whole yet: it is shown as source
CITATION_SCHEME = "alcove-cite:"
_SAFE_SCHEMES = frozenset({"http", "https", "mailto"})
_HEADINGS = frozenset({"h1", "h2", "h3"})


@dataclass(frozen=True, slots=True)
class Block:
    """A top-level block, lines ``[start, end)``. ``tokens`` render it; ``text`` and ``language`` are a code block's."""

    kind: Kind
    tokens: tuple[Token, ...]
    start: int
    end: int
    text: str = ""
    language: str = ""

    @property
    def heading(self) -> bool:
        return self.tokens[0].tag in _HEADINGS if self.tokens else False

    @property
    def math(self) -> bool:
        return bool(self.tokens) and self.tokens[0].type == "math_block"


def parse(text: str, references: MutableMapping[str, Any], footnotes: set[str] | None = None) -> list[Block]:
    """Top-level blocks of ``text``.

    Link definitions are looked up in and added to ``references``, the names of footnotes in and to ``footnotes``.
    """
    noted: dict[str, int] = dict.fromkeys(footnotes or (), -1)
    tokens = _parser().parse(text, {"references": references, "footnotes": {"refs": noted, "list": {}}})
    if footnotes is not None:
        footnotes.update(noted)
    return [_block(group) for group in _groups(tokens)]


def render(tokens: Iterable[Token], citations: frozenset[int] = frozenset()) -> str:
    """HTML of whole blocks; ``[n]`` becomes a link where ``n`` is in ``citations``, ``[n, m]`` a link for each."""
    parser = _parser()
    html: str = parser.renderer.render(list(tokens), parser.options, {"citations": citations})
    return html


def _groups(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    group: list[Token] = []
    depth = 0
    for token in tokens:
        group.append(token)
        depth += token.nesting
        if depth == 0:
            yield group
            group = []


def _block(tokens: list[Token]) -> Block:
    first = tokens[0]
    start, end = first.map or (0, 0)
    if first.type in ("fence", "code_block"):
        words = first.info.split()
        return Block("code", (first,), start, end, first.content, words[0] if words else "")
    return Block("table" if first.type == "table_open" else "prose", tuple(tokens), start, end)


@functools.cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}, renderer_cls=_Renderer).enable(["table", "strikethrough"])
    # A blank line ends display math, as in LaTeX: an unclosed "$$" can then never hold back the rest of an answer.
    dollarmath_plugin(
        parser, allow_labels=False, allow_space=False, allow_digits=False, allow_blank_lines=False, double_inline=True
    )
    renderer = parser.renderer
    assert isinstance(renderer, _Renderer)
    # A footnote stays where it is written: it can be shown before the rest of the answer has come.
    footnote_plugin(parser, inline=False, move_to_end=False)
    tasklists_plugin(parser)
    for rule in ("math_inline", "math_inline_double", "math_block", "footnote_ref"):  # the plugins put their own there
        renderer.rules[rule] = getattr(renderer, rule)
    use_rules(parser)
    parser.validateLink = _is_safe_link  # type: ignore[method-assign]  # the library's documented way to set it
    return parser


def _is_safe_link(url: str) -> bool:
    try:
        return urlsplit(url).scheme.lower() in _SAFE_SCHEMES
    except ValueError:
        return False


class _Renderer(RendererHTML):
    """What Qt's subset of HTML needs said differently. The classes are styled by ``prose.style_sheet``."""

    def text(self, tokens: Sequence[Token], index: int, _options: object, env: Env) -> str:
        content = tokens[index].content
        citations = env.get("citations")
        if not citations or "[" not in content:
            return escape(content, quote=False)
        return "".join(
            escape(piece, quote=False) if isinstance(piece, str) else "".join(map(_chip, piece))
            for piece in cut_at_mentions(content, citations)
        )

    def image(self, tokens: Sequence[Token], index: int, *_: object) -> str:
        token = tokens[index]
        url = str(token.attrs.get("src", ""))
        label = token.content or url
        return f'<a href="{escape(url)}">\N{WHITE SQUARE CONTAINING BLACK SMALL SQUARE} {escape(label)}</a>'

    def math_inline(self, tokens: Sequence[Token], index: int, *_: object) -> str:
        return _formula(tokens[index], "i")

    def math_inline_double(self, tokens: Sequence[Token], index: int, *_: object) -> str:
        return _formula(tokens[index], "d")

    def math_block(self, tokens: Sequence[Token], index: int, *_: object) -> str:
        return f'<p align="center" class="math">{_formula(tokens[index], "d")}</p>\n'

    def softbreak(self, *_: object) -> str:
        """Lines end where they were written: verses, addresses, lists without marks."""
        return "<br>\n"

    def html_inline(self, *_: object) -> str:
        """HTML is switched off; this is the box of a task, whose mark Qt draws by the item's class."""
        return ""

    def list_item_open(self, tokens: Sequence[Token], index: int, *_: object) -> str:
        done = _task(tokens[index : index + 3])
        if done is None or tokens[index].info:  # a numbered item keeps its number
            return "<li>" if done is None else f"<li>{'☑' if done else '☐'} "
        return f'<li class="{"checked" if done else "unchecked"}">'

    def bullet_list_open(self, *_: object) -> str:
        return "<ul>\n"

    def footnote_ref(self, tokens: Sequence[Token], index: int, *_: object) -> str:
        return f'<sup class="note">{escape(tokens[index].meta["label"])}</sup>'

    def footnote_reference_open(self, tokens: Sequence[Token], index: int, *_: object) -> str:
        label = escape(tokens[index].meta["label"])
        return f'<table class="note" cellspacing="0"><tr><td class="mark">{label}</td><td class="noted">'

    def footnote_reference_close(self, *_: object) -> str:
        return "</td></tr></table>\n"

    def code_block(self, tokens: Sequence[Token], index: int, *_: object) -> str:
        """Only code inside a list or quotation comes here; at the top level it has a view of its own."""
        return f"<pre>{escape(tokens[index].content.rstrip(), quote=False)}</pre>\n"

    def fence(self, tokens: Sequence[Token], idx: int, *_: object) -> str:
        return self.code_block(tokens, idx)

    def blockquote_open(self, *_: object) -> str:
        bar = '<td class="bar" width="3"></td>'
        return f'<table class="quote" width="100%" cellspacing="0"><tr>{bar}<td class="quoted">'

    def blockquote_close(self, *_: object) -> str:
        return "</td></tr></table>\n"

    def table_open(self, *_: object) -> str:
        return '<table class="data" cellspacing="0" cellpadding="0">\n'

    def th_open(self, tokens: Sequence[Token], index: int, *_: object) -> str:
        """With ``align``: a ``style`` of its own would hide the style sheet's borders from Qt."""
        token = tokens[index]
        align = str(token.attrs.get("style", "text-align:left")).removeprefix("text-align:")
        return f'<{token.tag} align="{align}">'

    td_open = th_open


def _formula(token: Token, kind: str) -> str:
    """A mark; whoever shows the row puts a picture or the source in its place."""
    source = escape(token.content.strip(), quote=False)
    return f'<code class="math">{source}</code>' if token.meta.get(GROWING) else f"<tex-{kind}>{source}</tex-{kind}>"


def _task(item: Sequence[Token]) -> bool | None:
    """Whether the task of a list item is done; None for an item that is no task."""
    if item[0].attrs.get("class") != "task-list-item":
        return None
    children = item[-1].children
    return "checked=" in children[0].content if children else None


def _chip(number: int) -> str:
    # The brackets are the chip's padding: drawn in its own colour, and still there when it is copied.
    return (
        f'<a class="chip" href="{CITATION_SCHEME}{number}"><span class="bracket">[</span>{number}'
        '<span class="bracket">]</span></a>'
    )
