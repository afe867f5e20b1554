"""PDF, page by page. Headings come from the outline (bookmarks), where a file has one."""

import re
from collections.abc import Iterator

import pypdfium2
from pypdfium2 import raw

from app.documents import errors
from app.documents.reading.blocks import HEADING_CHARS, Block, BlockKind, HeadingPath
from app.documents.reading.readers.registry import ReadContext
from app.domain.sources import Locator

_SOFT_HYPHEN = re.compile("[\x02\ufffe\u00ad]\r?\n?")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_MOST_BOOKMARKS = 20_000


def read(data: bytes, context: ReadContext) -> Iterator[Block]:
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if getattr(error, "err_code", None) == raw.FPDF_ERR_PASSWORD:
            raise errors.as_error(errors.encrypted(context.path)) from error
        raise errors.as_error(errors.damaged(context.path, "PDF")) from error
    found = False
    try:
        for block in _pages(document):
            found = found or any(char.isalnum() for char in block.text)
            yield block
    finally:
        document.close()
    if not found:
        raise errors.as_error(errors.scanned(context.path))


def _pages(document: pypdfium2.PdfDocument) -> Iterator[Block]:
    outline = _outline(document)
    path = HeadingPath()
    for index in range(len(document)):
        yield from _split(_page_text(document, index), index + 1, outline.get(index, []), path)


def _page_text(document: pypdfium2.PdfDocument, index: int) -> str:
    """One page's text; "" for a page that cannot be loaded (the others may still be fine)."""
    try:
        page = document[index]
    except pypdfium2.PdfiumError:
        return ""
    try:
        text_page = page.get_textpage()
        try:
            text: str = text_page.get_text_range()
        finally:
            text_page.close()
    finally:
        page.close()
    return _CONTROL.sub("", _SOFT_HYPHEN.sub("", text).replace("\r\n", "\n").replace("\r", "\n"))


def _outline(document: pypdfium2.PdfDocument) -> dict[int, list[tuple[int, str]]]:
    """Page index -> (level from 1, title) of the bookmarks that lead there, in their order."""
    found: dict[int, list[tuple[int, str]]] = {}
    try:
        for count, mark in enumerate(document.get_toc()):
            target = mark.get_dest()
            page = target.get_index() if target is not None else None
            title = " ".join(mark.get_title().split())
            if page is not None and title:
                found.setdefault(page, []).append((mark.level + 1, title))
            if count > _MOST_BOOKMARKS:
                break
    except (pypdfium2.PdfiumError, UnicodeDecodeError, RecursionError):
        return {}
    return found


def _split(text: str, page: int, marks: list[tuple[int, str]], path: HeadingPath) -> Iterator[Block]:
    """The page's text cut at the headings that the outline promises on it."""
    position = 0
    for level, title in marks:
        words = [re.escape(word) for word in title.split()]
        place = re.compile(r"^[^\w\n]*(?:[\dA-Z][\d.]*\s+)?" + r"\s+".join(words) + r"\s*$", re.MULTILINE)
        found = place.search(text, position)
        if found is not None and found.start() > position:
            yield Block(text[position : found.start()], Locator(page=page, heading=path.text))
        path.enter(level, title[:HEADING_CHARS])
        if found is not None:
            yield Block(text[found.start() : found.end()], Locator(page=page, heading=path.text), BlockKind.HEADING)
            position = found.end()
    rest = text[position:]
    if rest.strip():
        yield Block(rest.rstrip("\n") + "\n\n", Locator(page=page, heading=path.text))
