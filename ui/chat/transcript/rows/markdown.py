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
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from mdit_py_plugins.dollarmath import dollarmath_plugin

from app.domain.citations import cut_at_mentions

Env: TypeAlias = MutableMapping[str, Any]
Kind: TypeAlias = Literal["prose", "code", "table"]

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


def parse(text: str, references: MutableMapping[str, Any]) -> list[Block]:
    """Top-level blocks of ``text``. Link definitions are looked up in and added to ``references``."""
    tokens = _parser().parse(text, {"references": references})
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
    for rule in ("math_inline", "math_inline_double", "math_block"):  # the plugin put its own there
        renderer.rules[rule] = getattr(renderer, rule)
    alternatives = ["paragraph", "reference", "blockquote", "list"]
    parser.block.ruler.before("fence", "bracket_math_block", _bracket_math_block, {"alt": alternatives})
    parser.inline.ruler.before("escape", "bracket_math_inline", _bracket_math_inline)
    parser.validateLink = _is_safe_link  # type: ignore[method-assign]  # the library's documented way to set it
    return parser


def _is_safe_link(url: str) -> bool:
    try:
        return urlsplit(url).scheme.lower() in _SAFE_SCHEMES
    except ValueError:
        return False


def _bracket_math_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    r"""``\[`` at the start of a line up to ``\]`` at the end of one, without a blank line between."""
    first = state.src[state.bMarks[start] + state.tShift[start] : state.eMarks[start]]
    if not first.startswith("\\[") or state.is_code_block(start):
        return False
    lines = []
    for line in range(start, end):
        text = state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]].strip()
        if not text:
            return False
        lines.append(text)
        if text.endswith("\\]"):
            break
    else:
        return False
    if silent:
        return True
    state.line = start + len(lines)
    token = state.push("math_block", "math", 0)
    token.block = True
    token.content = "\n".join(lines)[2:-2].strip()
    token.map = [start, state.line]
    return True


def _bracket_math_inline(state: StateInline, silent: bool) -> bool:
    r"""``\( ... \)``, and ``\[ ... \]`` inside a paragraph."""
    opening = state.src[state.pos : state.pos + 2]
    closing = {"\\(": "\\)", "\\[": "\\]"}.get(opening)
    if closing is None:
        return False
    end = state.src.find(closing, state.pos + 2, state.posMax)
    if end <= state.pos + 2:
        return False
    if not silent:
        token = state.push("math_inline", "math", 0)
        token.content = state.src[state.pos + 2 : end]
    state.pos = end + 2
    return True


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
        return f'<code class="math">{escape(tokens[index].content.strip(), quote=False)}</code>'

    math_inline_double = math_inline

    def math_block(self, tokens: Sequence[Token], index: int, *_: object) -> str:
        source = escape(tokens[index].content.strip(), quote=False).replace("\n", "<br>")
        return f'<p align="center" class="math"><code>{source}</code></p>\n'

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


def _chip(number: int) -> str:
    # The brackets are the chip's padding: drawn in its own colour, and still there when it is copied.
    return (
        f'<a class="chip" href="{CITATION_SCHEME}{number}"><span class="bracket">[</span>{number}'
        '<span class="bracket">]</span></a>'
    )
