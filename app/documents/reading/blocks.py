"""What readers yield: stretches of text with their place in the file."""

from dataclasses import dataclass
from enum import StrEnum

from app.domain.sources import Locator

HEADING_SEPARATOR = " > "
HEADING_CHARS = 80
"""Longest part of a heading path, in characters."""


class BlockKind(StrEnum):
    HEADING = "heading"
    PROSE = "prose"
    TABLE = "table"  # one row a line
    CODE = "code"  # lines that must not be joined


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, heading, table or piece of code, with the line breaks that follow it.

    All blocks of a file one after the other are the document's text: nothing is between them. ``locator.line_start``
    is the line of the first character; formats without lines leave it None.
    """

    text: str
    locator: Locator
    kind: BlockKind = BlockKind.PROSE


@dataclass(frozen=True, slots=True)
class Limits:
    """What reading one file may cost. Sizes in MiB, times in seconds.

    ``memory_mb``: address space of the reading process (Linux). ``stall_s``: without a word from it. ``total_s``: for
    one file. ``max_text_file_mb`` also bounds the text that any file may unfold to.
    """

    max_text_file_mb: int = 64
    max_file_mb: int = 1024
    memory_mb: int = 2048
    stall_s: float = 30.0
    total_s: float = 600.0


class HeadingPath:
    """The headings above the current place: a stack by level."""

    def __init__(self) -> None:
        self._stack: list[tuple[int, str]] = []
        self.text = ""

    def enter(self, level: int, title: str) -> str:
        """A heading of ``level`` (1 is the highest) begins; returns the path including it."""
        title = " ".join(title.split())[:HEADING_CHARS]
        while self._stack and self._stack[-1][0] >= level:
            self._stack.pop()
        if title:
            self._stack.append((level, title))
        self.text = HEADING_SEPARATOR.join(part for _, part in self._stack)
        return self.text
