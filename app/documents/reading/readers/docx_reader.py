"""Word documents: paragraphs, headings by style or outline level, tables row by row, foot- and endnotes at the end."""

from collections.abc import Iterator

from lxml import etree

from app.documents.reading.blocks import Block, BlockKind, HeadingPath
from app.documents.reading.readers.packed import Package, local_name, text_block
from app.documents.reading.readers.registry import ReadContext
from app.domain.sources import Locator

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_SKIPPED = frozenset({"del", "moveFrom", "instrText", "delText", "Fallback"})


def read(data: bytes, context: ReadContext) -> Iterator[Block]:
    package = Package(data, context, "Word")
    levels = _heading_levels(package)
    path = HeadingPath()
    yield from _blocks(package.required("word/document.xml"), path, levels)
    for notes in ("word/footnotes.xml", "word/endnotes.xml"):
        if notes in package.names():
            yield from _blocks(package.xml(notes), path, levels)


def _heading_levels(package: Package) -> dict[str, int]:
    """Style id -> level from 1, for the styles that are headings in any language."""
    levels: dict[str, int] = {}
    if "word/styles.xml" not in package.names():
        return levels
    for style in package.xml("word/styles.xml").iter(f"{_W}style"):
        name = style.find(f"{_W}name")
        label = "" if name is None else (name.get(f"{_W}val") or "").lower()
        outline = style.find(f"{_W}pPr/{_W}outlineLvl")
        level = _number(outline.get(f"{_W}val")) if outline is not None else None
        if label == "title":
            levels[style.get(f"{_W}styleId") or ""] = 0
        elif label.startswith("heading ") and label[8:].isdigit():
            levels[style.get(f"{_W}styleId") or ""] = int(label[8:])
        elif level is not None and level < 9:
            levels[style.get(f"{_W}styleId") or ""] = level + 1
    return levels


def _blocks(root: etree._Element, path: HeadingPath, levels: dict[str, int]) -> Iterator[Block]:
    waiting = [iter(root)]
    while waiting:
        element = next(waiting[-1], None)
        if element is None:
            waiting.pop()
            continue
        name = local_name(element)
        if name == "p":
            text, level = _text(element), _level(element, levels)
            if level is not None and text.strip():
                path.enter(level, text)
            kind = BlockKind.PROSE if level is None else BlockKind.HEADING
            yield from text_block(text, Locator(heading=path.text), kind)
        elif name == "tr":
            cells = (" ".join(_text(p) for p in cell.iter(f"{_W}p")) for cell in element.iterchildren(f"{_W}tc"))
            yield from text_block(" | ".join(" ".join(c.split()) for c in cells), Locator(heading=path.text),
                                  BlockKind.TABLE)  # fmt: skip
        elif name not in _SKIPPED:
            waiting.append(iter(element))


def _level(paragraph: etree._Element, levels: dict[str, int]) -> int | None:
    style = paragraph.find(f"{_W}pPr/{_W}pStyle")
    outline = paragraph.find(f"{_W}pPr/{_W}outlineLvl")
    if outline is not None and (level := _number(outline.get(f"{_W}val"))) is not None and level < 9:
        return level + 1
    return levels.get(style.get(f"{_W}val") or "") if style is not None else None


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() else None


def _text(paragraph: etree._Element) -> str:
    parts: list[str] = []
    skipped: etree._Element | None = None
    for event, element in etree.iterwalk(paragraph, events=("start", "end")):
        name = local_name(element)
        if skipped is not None:
            skipped = None if event == "end" and element is skipped else skipped
        elif event == "start" and name in _SKIPPED:
            skipped = element
        elif event == "start" and name == "t":
            parts.append(element.text or "")
        elif event == "start" and name in {"tab", "br", "cr"}:
            parts.append("\t" if name == "tab" else "\n")
        elif event == "start" and name == "noBreakHyphen":
            parts.append("-")
    return "".join(parts)
