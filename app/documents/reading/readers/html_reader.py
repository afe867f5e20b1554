"""HTML: the visible text in blocks, headings kept as the path, tables row by row, ``pre`` as code."""

import re
from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode

from app.documents.language.words import words
from app.documents.reading.blocks import Block, BlockKind, HeadingPath
from app.documents.reading.readers.decoding import declared_charset, decode
from app.documents.reading.readers.registry import ReadContext
from app.domain.sources import Locator

_SKIPPED = words("script style head template noscript svg nav iframe object select button textarea")
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_INLINE = words(
    "a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd label mark q rp rt ruby s samp small span "
    "strike strong sub sup time tt u var wbr img -text"
)
_SPACES = re.compile(r"[ \t\n\f\xa0\u200b]+")
_MARKS = re.compile(r"\s*[¶§#]\s*$")
_DEEPEST = 150
"""Elements inside one another that are walked one by one; what lies deeper is taken as plain text."""


def read(data: bytes, context: ReadContext) -> Iterator[Block]:
    text = decode(data, context, declared_charset(data))
    tree = LexborHTMLParser(text)
    root = tree.body or tree.root
    if root is None:
        return
    title = tree.css_first("title")
    yield from _Walker(title.text() if title is not None and tree.css_first("h1") is None else "").blocks(root)


class _Walker:
    """Collects inline text until a block element begins or ends."""

    def __init__(self, title: str) -> None:
        self._path = HeadingPath()
        if title.strip():
            self._path.enter(0, title)
        self._line: list[str] = []
        self._ready: list[Block] = []

    def blocks(self, root: LexborNode) -> Iterator[Block]:
        child = root.first_child
        while child is not None:
            self._node(child, 0)
            if len(self._ready) > 64:
                yield from self._ready
                self._ready.clear()
            child = child.next
        self._flush()
        yield from self._ready

    def _children(self, node: LexborNode, depth: int) -> None:
        child = node.first_child
        while child is not None:
            self._node(child, depth)
            child = child.next

    def _node(self, node: LexborNode, depth: int) -> None:
        tag = node.tag or ""
        if tag == "-text":
            self._line.append(node.text_content or "")
        elif tag in _INLINE:
            if depth > _DEEPEST:
                self._line.append(node.text())
            else:
                self._children(node, depth + 1)
        elif tag == "br":
            self._line.append("\x00")
        elif tag not in _SKIPPED and not tag.startswith("-") and tag:
            self._flush()
            self._block(node, tag, depth)

    def _block(self, node: LexborNode, tag: str, depth: int) -> None:
        if depth > _DEEPEST:
            self._put(node.text(separator=" "))
        elif tag in _HEADINGS:
            title = _MARKS.sub("", _SPACES.sub(" ", node.text()).strip())
            if title:
                self._path.enter(_HEADINGS[tag], title)
                self._put(title, BlockKind.HEADING)
        elif tag == "pre":
            self._put(node.text().strip("\n"), BlockKind.CODE)
        elif tag == "tr" and (cells := _plain_cells(node)) is not None:
            self._row(cells)
        else:
            self._children(node, depth + 1)
            if tag == "li" and self._line:
                self._line.insert(0, "- ")
            self._flush()

    def _row(self, cells: list[LexborNode]) -> None:
        row = " | ".join(_SPACES.sub(" ", cell.text()).strip() for cell in cells)
        if row.strip(" |"):
            self._ready.append(Block(row + "\n", Locator(heading=self._path.text), BlockKind.TABLE))

    def _flush(self) -> None:
        if self._line:
            line = _SPACES.sub(" ", "".join(self._line)).replace("\x00 ", "\n").replace("\x00", "\n")
            self._line.clear()
            self._put(line.strip())

    def _put(self, text: str, kind: BlockKind = BlockKind.PROSE) -> None:
        if text.strip(" -\n"):
            self._ready.append(Block(text + "\n\n", Locator(heading=self._path.text), kind))


def _plain_cells(row: LexborNode) -> list[LexborNode] | None:
    """The cells of a table row; None where the table only lays out the page: its cells hold blocks of their own."""
    cells: list[LexborNode] = []
    cell = row.first_child
    while cell is not None:
        if cell.tag in {"td", "th"}:
            cells.append(cell)
        cell = cell.next
    if row.css_first("table, h1, h2, h3, h4, h5, pre, ul, ol, dl, p + p, div + div") is not None:
        return None
    return cells
