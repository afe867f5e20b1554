"""CSV and TSV: the lines as they are, the first one naming the columns in the heading."""

import csv
from collections.abc import Iterator

from app.documents.reading.blocks import HEADING_CHARS, Block, BlockKind
from app.documents.reading.readers.decoding import decode
from app.documents.reading.readers.registry import ReadContext
from app.domain.sources import Locator


def read(data: bytes, context: ReadContext) -> Iterator[Block]:
    lines = decode(data, context).split("\n")
    heading = _columns(lines[0])
    last = len(lines) - 1
    for number, line in enumerate(lines):
        if number < last or line:
            text = line + ("\n" if number < last else "")
            yield Block(text, Locator(heading=heading, line_start=number + 1), BlockKind.TABLE)


def _columns(line: str) -> str:
    """The column names; "" where the first line looks like data."""
    separator = max(",;\t|", key=line.count)
    try:
        names = next(csv.reader([line], delimiter=separator), [])
    except csv.Error:
        return ""
    if any(name.strip().replace(".", "").replace("-", "").isdecimal() for name in names):
        return ""
    return ", ".join(name.strip() for name in names if name.strip())[:HEADING_CHARS]
