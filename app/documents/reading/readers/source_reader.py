"""Source code and configuration: pieces between blank lines, named after the definition they stand in."""

import re
from collections.abc import Iterator

from app.documents.reading.blocks import HEADING_CHARS, Block, BlockKind
from app.documents.reading.readers.decoding import decode
from app.documents.reading.readers.registry import ReadContext
from app.domain.sources import Locator

_DEFINITION = re.compile(
    r"(?:(?:export|default|public|private|protected|internal|static|final|abstract|async|pub(?:\([a-z]+\))?|unsafe)\s+)*"
    r"(?:class|def|function|func|fn|interface|struct|enum|trait|impl|type|module|namespace|sub|object|record)\s+\w"
    r"|\[[\w.\"' -]+\]\s*$"
)


def read(data: bytes, context: ReadContext) -> Iterator[Block]:
    lines = decode(data, context).split("\n")
    last = len(lines) - 1
    start, heading, next_heading = 0, "", ""
    for index, line in enumerate(lines):
        opens = index > start and line[:1].strip() and not lines[index - 1].strip()
        if opens:
            yield _block(lines, start, index, last, heading)
            start = index
        if line[:1].strip() and _DEFINITION.match(line):
            next_heading = line.strip().rstrip(":{( ")[:HEADING_CHARS]
            if index == start or not heading:
                heading = next_heading
        elif opens:
            heading = next_heading if line[:1] in "}])" else ""
    yield _block(lines, start, len(lines), last, heading)


def _block(lines: list[str], start: int, end: int, last: int, heading: str) -> Block:
    text = "\n".join(lines[start:end]) + ("\n" if end <= last else "")
    return Block(text, Locator(heading=heading, line_start=start + 1), BlockKind.CODE)
