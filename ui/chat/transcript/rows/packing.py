"""Blocks packed into rows: what one widget of the transcript shows. No Qt in here.

A row holds about 3.5 KB, so that the cost of laying one out stays the same however long an answer grows. Packing goes
from left to right and never looks ahead: the rows of a text that arrived in pieces are those of the whole text.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from markdown_it.token import Token

from ui.chat.transcript.rows.markdown import Block, render

ROW_SIZE = 3500  # characters of source after which a row of prose is full
CODE_LINES = 200  # lines of a code row
LARGE_BLOCK = 2 * ROW_SIZE  # characters of source beyond which one block is cut into several rows

GAP = 12  # px above a row
HEADING_GAP = 24
ITEM_GAP = 6  # between two rows of the same list
NO_GAP = 0  # between two rows of the same code block or paragraph


@dataclass(frozen=True, slots=True)
class ProseRow:
    html: str
    gap: int = GAP


@dataclass(frozen=True, slots=True)
class TableRow:
    html: str
    gap: int = GAP


@dataclass(frozen=True, slots=True)
class CodeRow:
    """Lines of a code block, whose frame opens at the ``first`` row and closes at the ``last``; ``open``: it grows."""

    text: str
    language: str
    first: bool
    last: bool
    open: bool
    block: str = field(compare=False)  # the whole code, for copying
    gap: int = GAP


Row: TypeAlias = ProseRow | TableRow | CodeRow


class Packer:
    """Packs settled blocks for good and the tail for now."""

    def __init__(self, citations: frozenset[int] = frozenset()) -> None:
        self._citations = citations
        self._closed: list[Row] = []
        self._prose = _Prose()

    def settle(self, blocks: Iterable[Block]) -> None:
        for block in blocks:
            self._put(block, self._closed, self._prose, live=False)

    def rows(self, tail: Sequence[Block] = ()) -> tuple[list[Row], int]:
        """All rows, and how many of the first are settled for good."""
        closed: list[Row] = []
        prose = self._prose.copy()
        for block in tail:
            self._put(block, closed, prose, live=True)
        prose.close(closed)
        return [*self._closed, *closed], len(self._closed)

    def _put(self, block: Block, closed: list[Row], prose: "_Prose", *, live: bool) -> None:
        if block.kind == "code":
            prose.close(closed)
            closed.extend(_code_rows(block, live))
        elif block.kind == "table":
            prose.close(closed)
            closed.extend(TableRow(html, gap) for html, gap, _ in self._pieces(block))
        else:
            for html, gap, size in self._pieces(block):
                prose.add(html, gap, size, closed)

    def _pieces(self, block: Block) -> Iterator[tuple[str, int, int]]:
        """HTML, the gap that it wants above it where it begins a row, and its size."""
        gap = HEADING_GAP if block.heading else GAP
        size = _size(block.tokens)
        if size < LARGE_BLOCK:
            yield render(block.tokens, self._citations), gap, size
            return
        for tokens, following_gap in _cut(block.tokens):
            yield render(tokens, self._citations), gap, ROW_SIZE
            gap = following_gap


class _Prose:
    """The row of prose that still takes blocks."""

    def __init__(self, html: str = "", gap: int = GAP, size: int = 0) -> None:
        self._html, self._gap, self._size = html, gap, size

    def copy(self) -> "_Prose":
        return _Prose(self._html, self._gap, self._size)

    def add(self, html: str, gap: int, size: int, closed: list[Row]) -> None:
        if not self._html:
            self._gap = gap
        self._html += html
        self._size += size
        if self._size >= ROW_SIZE:
            self.close(closed)

    def close(self, closed: list[Row]) -> None:
        if self._html:
            closed.append(ProseRow(self._html, self._gap))
        self._html, self._size = "", 0


def _code_rows(block: Block, live: bool) -> Iterator[CodeRow]:
    text = block.text.removesuffix("\n")
    if text.count("\n") < CODE_LINES:
        yield CodeRow(text, block.language, True, True, live, text)
        return
    lines = text.split("\n")
    for start in range(0, len(lines), CODE_LINES):
        last = start + CODE_LINES >= len(lines)
        part = "\n".join(lines[start : start + CODE_LINES])
        yield CodeRow(part, block.language, start == 0, last, live and last, text, GAP if start == 0 else NO_GAP)


def _size(tokens: Iterable[Token]) -> int:
    return sum(map(_weight, tokens))


def _weight(token: Token) -> int:
    """Characters, and something for the element itself: a table of short cells is not small."""
    return len(token.content) + 8


def _cut(tokens: Sequence[Token]) -> Iterator[tuple[list[Token], int]]:
    """A large block as several that stand alone, each with the gap above the next one."""
    first, last = tokens[0], tokens[-1]
    if first.type in ("bullet_list_open", "ordered_list_open"):
        number = int(first.attrs.get("start", 1))
        for group, count in _runs(tokens[1:-1], "list_item_close"):
            opening = first.copy()
            if first.type == "ordered_list_open":
                opening.attrs = {**first.attrs, "start": number}
            number += count
            yield [opening, *group, last], ITEM_GAP
    elif first.type == "table_open":
        body = next((i for i, token in enumerate(tokens) if token.type == "tbody_open"), len(tokens))
        for group, _ in _runs(tokens[body + 1 : -2], "tr_close"):
            yield [*tokens[: body + 1], *group, *tokens[-2:]], NO_GAP
    elif first.type == "paragraph_open":
        for inline in _cut_inline(tokens[1]):
            yield [first, inline, last], NO_GAP
    else:
        yield list(tokens), GAP


def _runs(tokens: Sequence[Token], closing: str) -> Iterator[tuple[list[Token], int]]:
    """Runs of whole items or table rows of about one row's size, with their number."""
    group: list[Token] = []
    size = count = 0
    level = tokens[0].level if tokens else 0
    for token in tokens:
        group.append(token)
        size += _weight(token)
        if token.type == closing and token.level == level:
            count += 1
            if size >= ROW_SIZE:
                yield group, count
                group, size, count = [], 0, 0
    if group:
        yield group, count


def _cut_inline(inline: Token) -> Iterator[Token]:
    """A very long paragraph, cut where no emphasis or link is open, at a line break or after a sentence's text."""
    run: list[Token] = []
    size = depth = 0
    for child in _short(inline.children or []):
        run.append(child)
        depth += child.nesting
        size += len(child.content)
        if size >= ROW_SIZE and depth == 0:
            yield _inline(inline, run)
            run, size = [], 0
    if run:
        yield _inline(inline, run)


def _short(children: Iterable[Token]) -> Iterator[Token]:
    for child in children:
        text = child.content
        if child.type != "text" or len(text) <= ROW_SIZE:
            yield child
            continue
        start = 0
        while start < len(text):
            end = start + ROW_SIZE
            if end < len(text):
                end = (text.rfind(" ", start, end) + 1) or end
            yield child.copy(content=text[start:end])
            start = end


def _inline(inline: Token, children: list[Token]) -> Token:
    return inline.copy(children=children, content="")
