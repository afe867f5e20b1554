"""One row of the transcript over its whole life."""

from collections.abc import Mapping

from app.domain.messages import CitationPart
from ui.chat.transcript.rows.content import Content, Metrics, ReasoningRow, estimate


class Segment:
    """Keeps its identity while its content changes, so that its widget, and what the person opened, stay with it.

    ``height`` in px, without the gap; an estimate until ``width`` is the width it was measured at. ``revision`` counts
    the changes of content. ``citations`` of the message, by number.
    """

    __slots__ = ("citations", "content", "expanded", "height", "revision", "width")

    def __init__(self, content: Content, citations: Mapping[int, CitationPart]) -> None:
        self.content = content
        self.citations = citations
        self.expanded: bool | None = None  # None until the person opens or closes it
        self.height = 0
        self.width = 0
        self.revision = 0

    @property
    def gap(self) -> int:
        return self.content.gap

    @property
    def open(self) -> bool:
        """Whether its body shows: as the person left it, else while the model thinks, or as the setting says."""
        if self.expanded is not None:
            return self.expanded
        row = self.content
        return isinstance(row, ReasoningRow) and (row.started is not None or row.keep_open)

    def set(self, content: Content) -> None:
        if content != self.content:
            self.content = content
            self.changed()

    def changed(self) -> None:
        self.revision += 1
        self.width = 0

    def estimate(self, metrics: Metrics) -> None:
        if self.width == 0 and self.height == 0:
            self.height = estimate(self.content, metrics, self.open)
