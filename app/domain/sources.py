"""Passages of the person's documents, and where they stand."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Locator:
    """Where a passage stands in its file. Pages and lines count from 1; what a format does not have is None or ""."""

    page: int | None = None
    heading: str = ""
    line_start: int | None = None
    line_end: int | None = None

    def label(self) -> str:
        """Short English text for a person and for JSON: ``page 3``, ``Install, lines 10-24``."""
        parts = [self.heading] if self.heading else []
        if self.page is not None:
            parts.append(f"page {self.page}")
        if self.line_start is not None:
            end = self.line_end if self.line_end is not None else self.line_start
            parts.append(f"line {self.line_start}" if end == self.line_start else f"lines {self.line_start}-{end}")
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document that a search found. ``score``: higher is better, comparable within one search only."""

    path: str
    locator: Locator
    text: str
    score: float = 0.0


@dataclass(frozen=True, slots=True)
class Source:
    """A passage as the model was given it, with its number in the prompt (from 1, running on through a turn)."""

    n: int
    path: str
    locator: Locator
    text: str
