"""What the Markdown of chat models has beyond CommonMark, as rules of markdown-it. No Qt in here.

Each rule looks at no more than its own block, so that text which arrives in pieces is parsed as the whole is.
"""

import re
import unicodedata
from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Delimiter
from markdown_it.token import Token

_NESTING_LANGUAGES = frozenset({"markdown", "md"})
_FENCE = re.compile(r"(`{3,}|~{3,})(.*)$", re.DOTALL)
# Up to a space, what CommonMark keeps out of addresses, and the punctuation of Chinese and Japanese.
_ADDRESS = re.compile(
    r"(?<![A-Za-z0-9])https?://[^\s<>\[\]\"`|\\^{}\u3000-\u303f\uff01-\uff0f\uff1a-\uff20“”‘’]+", re.IGNORECASE
)
_AFTER_ADDRESS = "?!.,:;*_~'"


def use_rules(parser: MarkdownIt) -> None:
    """Add everything in here to ``parser``."""
    alternatives = ["paragraph", "reference", "blockquote", "list"]
    parser.block.ruler.before("fence", "nested_fence", _nested_fence)
    parser.block.ruler.before("fence", "bracket_math_block", _bracket_math_block, {"alt": alternatives})
    parser.inline.ruler.before("escape", "bracket_math_inline", _bracket_math_inline)
    parser.inline.ruler.at("emphasis", _emphasis)
    parser.core.ruler.push("bare_addresses", _bare_addresses)


class FenceEnd:
    """Finds the line that closes a fence: in one for Markdown, fences of its own may open and close before."""

    def __init__(self, mark: str, language: str) -> None:
        self._mark, self._nests = mark, language.lower() in _NESTING_LANGUAGES
        self._depth = 0

    def closes(self, line: str) -> bool:
        """``line`` without its indentation, the next one of the block."""
        kind = self._kind(line)
        if kind == "open":
            self._depth += 1
        elif kind == "close":
            self._depth -= 1
        return self._depth < 0

    def would_close(self, line: str) -> bool:
        """Whether a line that is not whole yet looks as if it did."""
        return self._depth == 0 and self._kind(line) == "close"

    def _kind(self, line: str) -> str:
        match = _FENCE.match(line)
        if match is None or match[1][0] != self._mark[0] or len(match[1]) < len(self._mark):
            return ""
        if not match[2].strip(" \t"):
            return "close"
        return "open" if self._nests and "`" not in match[2] else ""


def _line(state: StateBlock, line: int) -> str:
    return state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]]


def _nested_fence(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A fence for Markdown, with fences in it. Any other one is left to the parser's own rule, which comes next."""
    opening = _FENCE.match(_line(state, start))
    words = opening[2].split() if opening else []
    if silent or opening is None or state.is_code_block(start) or not words:
        return False
    if words[0].lower() not in _NESTING_LANGUAGES or "`" in opening[2]:
        return False
    fence, line, closed = FenceEnd(opening[1], words[0]), start + 1, False
    while line < end and not closed:
        text = _line(state, line)
        if text and state.sCount[line] < state.blkIndent:
            break  # the list or quotation around it ends
        closed = not state.is_code_block(line) and fence.closes(text)
        line += not closed
    state.line = line + closed
    token = state.push("fence", "code", 0)
    token.info, token.markup = opening[2], opening[1]
    token.content = state.getLines(start + 1, line, state.sCount[start], True)
    token.map = [start, state.line]
    return True


def _bracket_math_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    r"""``\[`` at the start of a line up to ``\]`` at the end of one, without a blank line between."""
    if not _line(state, start).startswith("\\[") or state.is_code_block(start):
        return False
    lines = []
    for line in range(start, end):
        text = _line(state, line).strip()
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
        token = state.push("math_inline" if opening == "\\(" else "math_inline_double", "math", 0)
        token.content = state.src[state.pos + 2 : end]
    state.pos = end + 2
    return True


def _emphasis(state: StateInline, silent: bool) -> bool:
    """CommonMark's, and ``**`` between punctuation and a CJK letter, where no space can stand beside it."""
    marker = state.src[state.pos]
    if silent or marker not in "*_":
        return False
    scanned = state.scanDelims(state.pos, marker == "*")
    before = state.src[state.pos - 1] if state.pos else " "
    end = state.pos + scanned.length
    after = state.src[end] if end < state.posMax else " "
    wide = marker == "*" and (_is_wide(before) or _is_wide(after))
    for _ in range(scanned.length):
        state.push("text", "", 0).content = marker
        state.delimiters.append(
            Delimiter(
                marker=ord(marker),
                length=scanned.length,
                token=len(state.tokens) - 1,
                end=-1,
                open=scanned.can_open or (wide and _is_punctuation(after) and not before.isspace()),
                close=scanned.can_close or (wide and _is_punctuation(before) and not after.isspace()),
            )
        )
    state.pos = end
    return True


def _is_wide(letter: str) -> bool:
    return unicodedata.east_asian_width(letter) in "WF"


def _is_punctuation(letter: str) -> bool:
    return unicodedata.category(letter)[0] in "PS"


def _bare_addresses(state: StateCore) -> None:
    """An address that stands in the text with its scheme becomes a link; what only looks like a host does not."""
    for block in state.tokens:
        if block.children and "://" in block.content:
            block.children = list(_linked(block.children))


def _linked(children: list[Token]) -> Iterator[Token]:
    inside = 0  # of links
    for token in children:
        inside += token.nesting * (token.type in ("link_open", "link_close"))
        if inside or token.type != "text" or "://" not in token.content:
            yield token
            continue
        start = 0
        for match in _ADDRESS.finditer(token.content):
            address = _trimmed(match[0])
            if address.endswith("/") and address.count("/") == 2:  # the scheme alone
                continue
            yield token.copy(content=token.content[start : match.start()])
            yield Token("link_open", "a", 1, attrs={"href": address}, level=token.level, markup="linkify")
            yield token.copy(content=address, level=token.level + 1)
            yield Token("link_close", "a", -1, level=token.level, markup="linkify")
            start = match.start() + len(address)
        yield token.copy(content=token.content[start:])


def _trimmed(address: str) -> str:
    """Without what belongs to the sentence: its punctuation, and a bracket that was opened before the address."""
    while True:
        bare = address.rstrip(_AFTER_ADDRESS)
        if bare.endswith(")") and bare.count(")") > bare.count("("):
            bare = bare[:-1]
        if bare == address:
            return address
        address = bare
