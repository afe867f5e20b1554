"""PowerPoint: slide by slide (as pages), the title as heading, tables row by row, speaker's notes after the slide."""

import re
from collections.abc import Iterator
from posixpath import basename

from lxml import etree

from app.documents.reading.blocks import Block, BlockKind, HeadingPath
from app.documents.reading.readers.packed import Package, local_name, text_block
from app.documents.reading.readers.registry import ReadContext
from app.domain.sources import Locator

_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_SLIDE = re.compile(r"ppt/slides/slide(\d+)\.xml")


def read(data: bytes, context: ReadContext) -> Iterator[Block]:
    package = Package(data, context, "PowerPoint")
    package.required("ppt/presentation.xml")
    for page, name in enumerate(_in_order(package), 1):
        path = HeadingPath()
        root = package.xml(name)
        for shape in root.iter():
            if local_name(shape) in {"sp", "graphicFrame"}:
                yield from _shape(shape, page, path)
        notes = _related(package, name, "notesSlide")
        if notes:
            text = "\n".join(_paragraphs(package.xml(notes[0])))
            yield from text_block(text, Locator(page=page, heading=path.text))


def _in_order(package: Package) -> list[str]:
    """Slides as they are shown; by number where the presentation does not tell."""
    found = {name for name in package.names() if _SLIDE.fullmatch(name)}
    ids = [element for element in package.xml("ppt/presentation.xml").iter() if local_name(element) == "sldId"]
    targets = dict(_relations(package, "ppt/presentation.xml"))
    order = [
        f"ppt/slides/{basename(targets.get(value, ''))}"
        for element in ids
        for key, value in element.attrib.items()
        if str(key).endswith("}id") and isinstance(value, str)
    ]
    order = [name for name in order if name in found]
    return order or sorted(found, key=lambda name: int(_SLIDE.fullmatch(name)[1]))  # type: ignore[index]  # matched above


def _relations(package: Package, name: str) -> Iterator[tuple[str, str]]:
    folder, _, file = name.rpartition("/")
    part = f"{folder}/_rels/{file}.rels"
    if part in package.names():
        for element in package.xml(part):
            yield element.get("Id") or "", element.get("Target") or ""


def _related(package: Package, name: str, kind: str) -> list[str]:
    targets = (f"ppt/{kind}s/{basename(target)}" for _, target in _relations(package, name) if kind in target)
    return [target for target in targets if target in package.names()]


def _shape(shape: etree._Element, page: int, path: HeadingPath) -> Iterator[Block]:
    rows = list(shape.iter(f"{_A}tr"))
    for row in rows:
        cells = (" ".join(" ".join(_paragraphs(cell)).split()) for cell in row.iter(f"{_A}tc"))
        yield from text_block(" | ".join(cells).strip(" |"), Locator(page=page, heading=path.text), BlockKind.TABLE)
    if rows:
        return
    title = any(local_name(e) == "ph" and (e.get("type") or "") in {"title", "ctrTitle"} for e in shape.iter())
    text = "\n".join(_paragraphs(shape))
    if title and text.strip():
        path.enter(1, text)
    kind = BlockKind.HEADING if title else BlockKind.PROSE
    yield from text_block(text, Locator(page=page, heading=path.text), kind)


def _paragraphs(element: etree._Element) -> Iterator[str]:
    for paragraph in element.iter(f"{_A}p"):
        text = "".join(run.text or "" for run in paragraph.iter(f"{_A}t"))
        if text.strip():
            yield text
