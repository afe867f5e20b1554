"""Plain text and reStructuredText: paragraphs between blank lines.

A line underlined (or framed) by one mark is a heading. Levels follow
reStructuredText: each new style of underline is one level deeper.
"""

import re
from collections.abc import Iterator

from app.documents.reading.blocks import Block, BlockKind, HeadingPath
from app.documents.reading.readers.decoding import decode
from app.documents.reading.readers.registry import ReadContext
from app.domain.sources import Locator

_RULE = re.compile(r"([=\-~^\"'`#*+.:_])\1{2,}\s*$")


def read(data: bytes, context: ReadContext) -> Iterator[Block]:
    return paragraphs(decode(data, context))


def paragraphs(text: str) -> Iterator[Block]:
    """Blocks that together are ``text``, blank lines at their ends."""
    path = HeadingPath()
    styles: list[str] = []
    lines = text.splitlines(keepends=True) if "\n" in text else [text]
    lines = _only_newlines(lines, text)
    start = index = 0
    while index < len(lines):
        heading = _heading_at(lines, index) if index == start else None
        if heading is not None:
            title, style, used = heading
            if style not in styles:
                styles.append(style)
            path.enter(styles.index(style) + 1, title)
            index += used
            kind = BlockKind.HEADING
        else:
            while index < len(lines) and lines[index].strip():
                index += 1
            kind = BlockKind.PROSE
        while index < len(lines) and not lines[index].strip():
            index += 1
        block = "".join(lines[start:index])
        if kind is BlockKind.PROSE and _keeps_lines(lines[start:index]):
            kind = BlockKind.CODE
        yield Block(block, Locator(heading=path.text, line_start=start + 1), kind)
        start = index


def _only_newlines(lines: list[str], text: str) -> list[str]:
    """``str.splitlines`` also cuts at form feeds and the like, which are no line ends to an editor."""
    if len(lines) == text.count("\n") + (not text.endswith("\n")):
        return lines
    return [line + "\n" for line in text.split("\n")[:-1]] + ([rest] if (rest := text.rpartition("\n")[2]) else [])


def _heading_at(lines: list[str], index: int) -> tuple[str, str, int] | None:
    """(title, style, lines used) of a heading that begins at ``index``."""
    over = _RULE.match(lines[index])
    title_at = index + 1 if over else index
    if title_at + 1 >= len(lines):
        return None
    title, rule = lines[title_at].strip(), _RULE.match(lines[title_at + 1])
    if rule is None or not title or len(title) > 120 or _RULE.match(title):
        return None
    length = len(lines[title_at + 1].rstrip())
    if over and over[1] != rule[1]:
        return None
    if length < len(title) - 2 or (length > len(title) + 4 and not over):
        return None
    return title, rule[1] * (2 if over else 1), title_at + 2 - index


def _keeps_lines(lines: list[str]) -> bool:
    """Indented or columned stretches (code, tables, menus) whose lines must not be run together."""
    if len(lines) < 3:
        return False
    kept = sum(1 for line in lines if line.startswith(("    ", "\t", "|", "+-")) or "   " in line.strip())
    return kept * 2 > len(lines)
