"""Cutting a document into passages of about 200 tokens, 40 of them shared with the one before.

A passage is a stretch of the document's text, so its place is exact, and all passages together hold every character but
for stretches of nothing but whitespace. A passage never spans pages. It begins at a heading or paragraph where one is
near, and never cuts a line of code or a table row that is not itself too long. Sizes are in characters of English; a
character of a script without spaces counts as ``WIDE``, because it is about a token of its own.
"""

import re
from collections.abc import Generator, Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

from app.documents.language.analysis import UNSPACED
from app.documents.reading.blocks import Block, BlockKind
from app.domain.sources import Locator

TARGET = 1000
LONGEST = 1400
OVERLAP = 180
MIN_SECTION = 400
"""A heading begins a new passage when the one before it has at least this size."""
WIDE = 4
_LONGEST_ATOM = 350
_NARROW_ATOM = _LONGEST_ATOM // WIDE
_LONGEST_RUN = 20 * TARGET

_SENTENCE_END = re.compile(r"[.!?…]['\")\]»”’]*\s+|[。！？]\s*|\n(?=[ \t]*(?:[-*•·–]|\d+[.)])\s)|\n[ \t]*\n")


class Chunk(NamedTuple):
    """``start`` and ``end`` count characters in the document's text. ``text`` is that stretch."""

    start: int
    end: int
    locator: Locator
    text: str


class _Atom(NamedTuple):
    """What is never cut: a sentence, a line of code, a table row, or a piece of one that is too long."""

    text: str
    size: int
    block: Block
    line: int | None
    opens: bool  # first of its block


def chunks(blocks: Iterable[Block]) -> Iterator[Chunk]:
    """Passages in order. Each begins at or before the end of the one before it; whitespace-only documents give none."""
    offset = 0
    pending: list[_Atom] = []
    size = 0
    for block in blocks:
        for atom in _atoms(block):
            boundary = _is_boundary(pending, size, atom)
            if boundary or size > _LONGEST_RUN:
                kept = [] if boundary else _tail(pending)
                offset = yield from _run(pending, size, offset, kept)
                pending, size = kept, sum(a.size for a in kept)
            pending.append(atom)
            size += atom.size
    yield from _run(pending, size, offset, [])


def _is_boundary(pending: list[_Atom], size: int, atom: _Atom) -> bool:
    if not pending:
        return False
    if pending[-1].block.locator.page != atom.block.locator.page:
        return True
    return atom.opens and atom.block.kind is BlockKind.HEADING and size >= MIN_SECTION


def _run(atoms: list[_Atom], size: int, offset: int, kept: list[_Atom]) -> Generator[Chunk, None, int]:
    """Passages of one section, of even size. Returns the offset where the next section (or its ``kept``) begins."""
    pieces = max(1, round(size / TARGET)) if size > LONGEST else 1
    goal = size / pieces
    first, used = 0, 0
    position = offset
    while first < len(atoms):
        end = _end_of_piece(atoms, first, goal + (0 if used == 0 else OVERLAP / 2))
        text = "".join(atom.text for atom in atoms[first:end])
        if text.strip():
            yield Chunk(position, position + len(text), _locator(atoms[first:end]), text)
        used += 1
        if end >= len(atoms):
            position += len(text)
            break
        overlap = _tail(atoms[first:end])
        position += len(text) - sum(len(atom.text) for atom in overlap)
        first = end - len(overlap)
    return position - sum(len(atom.text) for atom in kept)


def _end_of_piece(atoms: list[_Atom], first: int, goal: float) -> int:
    """Where the piece that begins at ``first`` ends: near ``goal``, at the start of a block if one is close."""
    size, end = 0, first
    while end < len(atoms) and (end == first or size + atoms[end].size <= goal * 1.15):
        size += atoms[end].size
        end += 1
    if end == len(atoms):
        return end
    lowest = end
    back = size
    while lowest > first + 1 and back - atoms[lowest - 1].size >= goal * 0.65:
        if atoms[lowest].opens and atoms[lowest - 1].block.kind is not BlockKind.HEADING:
            return lowest
        lowest -= 1
        back -= atoms[lowest].size
    while end > first + 1 and atoms[end - 1].block.kind is BlockKind.HEADING:
        end -= 1
    return end


def _tail(atoms: list[_Atom]) -> list[_Atom]:
    """The last atoms that the next passage repeats; never all of them."""
    size, start = 0, len(atoms)
    while start > 1 and size + atoms[start - 1].size <= OVERLAP:
        start -= 1
        size += atoms[start].size
    return atoms[start:]


def _locator(atoms: list[_Atom]) -> Locator:
    """The place of these atoms, under the heading that most of their text stands under."""
    sizes: dict[str, int] = {}
    for atom in atoms:
        heading = atom.block.locator.heading
        sizes[heading] = sizes.get(heading, 0) + (atom.size if atom.block.kind is not BlockKind.HEADING else 0)
    first, last = atoms[0], atoms[-1]
    place = Locator(first.block.locator.page, max(sizes, key=lambda heading: sizes[heading]))
    if first.line is None or last.line is None:
        return place
    text = "".join(atom.text for atom in atoms)
    start = first.line + (len(text) - len(text.lstrip("\n")))
    end = last.line + last.text.rstrip("\n").count("\n") if last.text.strip() else None
    if end is None:  # only blank lines at the end
        end = first.line + text.rstrip().count("\n")
    return Locator(place.page, place.heading, start, max(start, end))


def _atoms(block: Block) -> Iterator[_Atom]:
    text, line = block.text, block.locator.line_start
    whole = measure(text)
    if whole <= _LONGEST_ATOM and (block.kind is not BlockKind.CODE or whole < OVERLAP):
        yield _Atom(text, whole, block, line, opens=True)
        return
    opens = True
    for piece in _pieces(text, block.kind):
        yield _Atom(piece, measure(piece), block, line, opens)
        opens = False
        if line is not None:
            line += piece.count("\n")


def _pieces(text: str, kind: BlockKind) -> Iterator[str]:
    if kind in {BlockKind.CODE, BlockKind.TABLE}:
        lines = text.split("\n")
        parts = [line + "\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
    else:
        cuts = [0, *(found.end() for found in _SENTENCE_END.finditer(text)), len(text)]
        parts = [text[a:b] for a, b in pairwise(cuts) if b > a]
    for part in parts:
        yield from _fitting(part)


def _fitting(part: str) -> Iterator[str]:
    """``part`` in pieces of bounded size, cut at spaces where there are any."""
    if len(part) <= _LONGEST_ATOM and measure(part) <= _LONGEST_ATOM:
        yield part
        return
    start = 0
    while start < len(part):
        width = _LONGEST_ATOM if measure(part[start : start + _LONGEST_ATOM]) <= _LONGEST_ATOM else _NARROW_ATOM
        end = start + width
        if end < len(part):
            space = max(part.rfind(" ", start + width // 2, end), part.rfind("\n", start + width // 2, end))
            end = space + 1 if space >= 0 else end
        yield part[start:end]
        start = end


def measure(text: str) -> int:
    """Size in characters of English."""
    if text.isascii():
        return len(text)
    return len(text) + (WIDE - 1) * sum(len(run) for run in UNSPACED.findall(text))
