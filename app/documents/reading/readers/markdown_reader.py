"""Markdown: headings, fenced code, tables and paragraphs, each as it is written, so that line numbers hold."""

import re
from collections.abc import Iterator

from app.documents.reading.blocks import Block, BlockKind, HeadingPath
from app.documents.reading.readers.decoding import decode
from app.documents.reading.readers.registry import ReadContext
from app.domain.sources import Locator

_ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$")
_SETEXT = re.compile(r" {0,3}(=+|-+)[ \t]*$")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_MARKUP = re.compile(r"[*_`]+|!?\[([^\]]*)\]\([^)]*\)|\{#[^}]*\}")


def read(data: bytes, context: ReadContext) -> Iterator[Block]:
    return blocks(decode(data, context))


def blocks(text: str) -> Iterator[Block]:
    """Blocks that together are ``text``."""
    lines = text.split("\n")
    ends = [line + "\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
    path = HeadingPath()
    index = _front_matter(lines)
    if index:
        yield Block("".join(ends[:index]), Locator(line_start=1), BlockKind.CODE)
    while index < len(ends):
        end, kind = _block_at(lines, index, len(ends))
        if kind is BlockKind.HEADING:
            level, title = _heading(lines, index)
            path.enter(level, title)
        while end < len(ends) and not lines[end].strip():
            end += 1
        yield Block("".join(ends[index:end]), Locator(heading=path.text, line_start=index + 1), kind)
        index = end


def _front_matter(lines: list[str]) -> int:
    """How many lines a YAML header takes; 0 where there is none."""
    if lines[0].rstrip() != "---":
        return 0
    for index, line in enumerate(lines[1:200], 1):
        if line.rstrip() in {"---", "..."}:
            return index + 1
    return 0


def _block_at(lines: list[str], index: int, count: int) -> tuple[int, BlockKind]:
    """Where the block that begins at ``index`` ends, blank lines not counted, and what it is."""
    line = lines[index]
    fence = _FENCE.match(line)
    if fence:
        end = index + 1
        while end < count and not lines[end].lstrip().startswith(fence[1]):
            end += 1
        return min(end + 1, count), BlockKind.CODE
    if _ATX.match(line):
        return index + 1, BlockKind.HEADING
    if line.strip() and index + 1 < count and _SETEXT.match(lines[index + 1]) and "|" not in line:
        return index + 2, BlockKind.HEADING
    table = line.lstrip().startswith("|")
    end = index
    while end < count and lines[end].strip():
        if end > index and (_FENCE.match(lines[end]) or _ATX.match(lines[end])):
            break
        end += 1
    return max(end, index + 1), BlockKind.TABLE if table else BlockKind.PROSE


def _heading(lines: list[str], index: int) -> tuple[int, str]:
    atx = _ATX.match(lines[index])
    if atx:
        level, title = len(atx[1]), atx[2] or ""
    else:
        level, title = 1 if lines[index + 1].lstrip().startswith("=") else 2, lines[index]
    return level, _MARKUP.sub(lambda found: found[1] or "", title).strip()
