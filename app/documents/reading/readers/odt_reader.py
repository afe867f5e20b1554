"""OpenDocument text: headings by outline level, paragraphs, list items, tables row by row."""

from collections.abc import Iterator

from lxml import etree

from app.documents.reading.blocks import Block, BlockKind, HeadingPath
from app.documents.reading.readers.packed import Package, local_name, text_block
from app.documents.reading.readers.registry import ReadContext
from app.domain.sources import Locator

_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_SKIPPED = frozenset({"tracked-changes", "annotation", "automatic-styles", "scripts", "font-face-decls", "forms"})


def read(data: bytes, context: ReadContext) -> Iterator[Block]:
    package = Package(data, context, "OpenDocument")
    path = HeadingPath()
    waiting = [iter(package.required("content.xml"))]
    while waiting:
        element = next(waiting[-1], None)
        if element is None:
            waiting.pop()
            continue
        name = local_name(element)
        if name == "h":
            level = element.get(f"{_TEXT}outline-level") or "1"
            text = _text(element)
            if text.strip():
                path.enter(int(level) if level.isdecimal() else 1, text)
            yield from text_block(text, Locator(heading=path.text), BlockKind.HEADING)
        elif name == "p":
            yield from text_block(_text(element), Locator(heading=path.text))
        elif name == "table-row":
            cells = [" ".join(_text(cell).split()) for cell in element if local_name(cell) == "table-cell"]
            yield from text_block(" | ".join(cells).strip(" |"), Locator(heading=path.text), BlockKind.TABLE)
        elif name not in _SKIPPED:
            waiting.append(iter(element))


def _text(element: etree._Element) -> str:
    """The visible characters; ``text:s`` stands for several spaces, tabs and line breaks have elements of their own."""
    parts = [element.text or ""]
    for child in element:
        name = local_name(child)
        if name == "s":
            count = child.get(f"{_TEXT}c") or "1"
            parts.append(" " * min(int(count), 100) if count.isdecimal() else " ")
        elif name in {"tab", "line-break"}:
            parts.append("\t" if name == "tab" else "\n")
        elif name and name not in _SKIPPED:
            parts.append(_text(child) + ("\n" if name in {"p", "h"} else ""))
        parts.append(child.tail or "")
    return "".join(parts)
