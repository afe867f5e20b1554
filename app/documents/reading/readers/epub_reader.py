"""EPUB: the chapters in reading order, each read as HTML."""

from collections.abc import Iterator
from posixpath import dirname, join
from urllib.parse import unquote

from app.documents.reading.blocks import Block
from app.documents.reading.readers import html_reader
from app.documents.reading.readers.packed import Package, local_name
from app.documents.reading.readers.registry import ReadContext

_CHAPTERS = frozenset({"application/xhtml+xml", "text/html", "application/xml"})


def read(data: bytes, context: ReadContext) -> Iterator[Block]:
    package = Package(data, context, "EPUB")
    found = set(package.names())
    for name in _chapters(package):
        if name in found:
            yield from html_reader.read(package.read(name), context)


def _chapters(package: Package) -> list[str]:
    """Part names in the order of the spine."""
    container = package.required("META-INF/container.xml")
    opf = next((e.get("full-path") or "" for e in container.iter() if local_name(e) == "rootfile"), "")
    root = package.required(opf)
    items = {
        item.get("id"): join(dirname(opf), unquote(item.get("href") or ""))
        for item in root.iter()
        if local_name(item) == "item" and item.get("media-type") in _CHAPTERS
    }
    spine = [element.get("idref") for element in root.iter() if local_name(element) == "itemref"]
    return [items[name] for name in spine if name in items] or list(items.values())
