"""A formula whose end has not come yet, shown as source instead of as Markdown that it is not. No Qt in here."""

import re
from collections.abc import Iterator
from typing import Any

from markdown_it.token import Token

from ui.chat.transcript.rows.markdown import GROWING, Block, parse

_MARKS = re.compile(r"`+[^`]*`+|\\[()\[\]]|\\.|\$\$|\$", re.DOTALL)
_BLANK = re.compile(r"\n[ \t]*\n")
_CLOSING = {"\\(": "\\)", "\\[": "\\]", "$$": "$$", "$": "$"}
_WORDS = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{3,}[ ,.]+[A-Za-z]{3,}")


def with_open_formula(source: str, references: dict[str, Any], footnotes: set[str]) -> list[Block] | None:
    """The last block of an answer as if the formula at its end were whole; None where there is none."""
    found = _open_mark(source)
    if found is None:
        return None
    mark, position = found
    body = source[position + len(mark) :].rstrip().rstrip("\\$")
    line = source[source.rfind("\n", 0, position) + 1 : position]
    own_line = len(mark) == 2 and mark != "\\(" and not line.strip()
    closed = source[:position] + mark + body + ("\n" if own_line else "") + _CLOSING[mark]
    blocks = parse(closed, dict(references), set(footnotes))
    formulas = [token for block in blocks for token in _formulas(block.tokens)]
    if not formulas or formulas[-1].content.split() != body.split():
        return None
    formulas[-1].meta = {**formulas[-1].meta, GROWING: True}
    return blocks


def _open_mark(source: str) -> tuple[str, int] | None:
    """The mark that opens the formula at the end of the last paragraph, and where it stands."""
    start = max((match.end() for match in _BLANK.finditer(source)), default=0)
    opened: tuple[str, int] | None = None
    for match in _MARKS.finditer(source, start):
        mark = match[0]
        if opened is None and mark in _CLOSING:
            after = source[match.end() : match.end() + 1]
            if mark != "$" or not (after.isspace() or after.isdigit()):  # a sum of money
                opened = mark, match.start()
        elif opened is not None and mark == _CLOSING[opened[0]]:
            opened = None
    if opened is None or not source[opened[1] + len(opened[0]) :].strip():
        return None
    body = source[opened[1] :]
    return None if opened[0] == "$" and ("\n" in body or _WORDS.search(body)) else opened


def _formulas(tokens: "tuple[Token, ...] | list[Token]") -> Iterator[Token]:
    for token in tokens:
        if token.type.startswith("math_"):
            yield token
        yield from _formulas(token.children or [])
