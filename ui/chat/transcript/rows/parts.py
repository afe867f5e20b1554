"""The rows of one part of an answer, stored or arriving. No Qt in here.

What a part is, is folded elsewhere (``app.domain.fold``); here is only what its rows keep between two looks at it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from app.domain.fold import ToolCall
from app.domain.messages import CitationPart, NotePart, Part, ReasoningPart, SourcesPart, TextPart
from ui.chat.transcript.rows.content import NoteRow, ReasoningRow, SourcesRow, ToolRow
from ui.chat.transcript.rows.markdown import parse
from ui.chat.transcript.rows.packing import Packer, Row
from ui.chat.transcript.rows.segment import Segment
from ui.chat.transcript.rows.stream import MarkdownStream

Monotonic = Callable[[], float]
Citations = Mapping[int, CitationPart]


class PartRows(Protocol):
    def show(self, part: Part, *, live: bool) -> bool:
        """Take the part as it is now; ``live``: more of it is to come. False when it is of another kind."""
        ...

    def segments(self) -> Sequence[Segment]:
        """Worked out here, so that ``show`` is cheap."""
        ...


class AnswerText:
    """Markdown prose, code and tables. Stored and arriving text take the same way."""

    def __init__(self, part: TextPart, citations: Citations, *, live: bool) -> None:
        self._citations = citations
        self._segments: list[Segment] = []
        self._text = part.text
        self._live = live
        self._cited: frozenset[int]
        self._fed: str  # what the stream has of the text
        self._closed: bool
        self._begin()

    def show(self, part: Part, *, live: bool) -> bool:
        if not isinstance(part, TextPart):
            return False
        self._text, self._live = part.text, live
        return True

    def segments(self) -> list[Segment]:
        cited = frozenset(self._citations)
        again = (
            not self._text.startswith(self._fed)
            or (self._closed and (self._live or self._text != self._fed))  # an answer that was stopped goes on
            or (cited != self._cited and "[" in self._text)
        )
        if again:
            self._begin()
        self._cited = cited
        if again or self._text != self._fed or not (self._live or self._closed):
            self._advance()
        return self._segments

    def _begin(self) -> None:
        self._cited = frozenset(self._citations)
        self._stream = MarkdownStream()
        self._packer = Packer(self._cited)
        self._fed = ""
        self._same = 0  # of the first segments, how many will not change
        self._closed = False

    def _advance(self) -> None:
        settled, tail = self._stream.feed(self._text[len(self._fed) :])
        self._fed = self._text
        self._packer.settle(settled)
        if not self._live:
            self._packer.settle(self._stream.close())
            tail, self._closed = [], True
            if self._stream.provisional:
                self._packer, self._same = Packer(self._cited), 0
                self._packer.settle(parse(self._text, {}))
        rows, same = self._packer.rows(tail)
        self._show(rows)
        self._same = same

    def _show(self, rows: list[Row]) -> None:
        segments = self._segments
        for index in range(min(self._same, len(rows)), len(rows)):
            if index < len(segments) and type(segments[index].content) is type(rows[index]):
                segments[index].set(rows[index])
            else:
                segments[index:] = [Segment(rows[index], self._citations)]
        del segments[len(rows) :]


class Reasoning:
    """What the model thought before it spoke."""

    def __init__(
        self, part: ReasoningPart, citations: Citations, monotonic: Monotonic, *, live: bool, keep_open: bool = False
    ) -> None:
        self._monotonic = monotonic
        self._segment = Segment(ReasoningRow(part.text, keep_open=keep_open), citations)
        self.show(part, live=live)

    def show(self, part: Part, *, live: bool) -> bool:
        if not isinstance(part, ReasoningPart):
            return False
        row = self._segment.content
        assert isinstance(row, ReasoningRow)
        started, seconds = row.started, part.seconds
        if live and started is None:
            started = self._monotonic()
        elif not live and seconds is None:
            seconds = row.seconds if started is None else self._monotonic() - started
        started = started if live else None
        self._segment.set(replace(row, text=part.text, started=started, seconds=seconds, tokens=part.tokens))
        return True

    def segments(self) -> list[Segment]:
        row = self._segment.content
        assert isinstance(row, ReasoningRow)
        return [self._segment] if row.text.strip() or row.started is not None else []


class CallCard:
    """A call with its result, one card."""

    def __init__(self, call: ToolCall, citations: Citations) -> None:
        self._segment = Segment(_tool_row(call), citations)

    def show_call(self, call: ToolCall) -> None:
        self._segment.set(_tool_row(call))

    def show(self, part: Part, *, live: bool) -> bool:
        """False: what became of the call is more than its part."""
        return False

    def segments(self) -> list[Segment]:
        return [self._segment]


class Plain:
    """Sources and remarks: one row that comes whole. Anything else has none."""

    def __init__(self, part: Part, citations: Citations) -> None:
        self._citations = citations
        self._segments: list[Segment] = []
        self.show(part)

    def show(self, part: Part, *, live: bool = False) -> bool:
        row: SourcesRow | NoteRow
        match part:
            case SourcesPart(sources=sources) if sources:
                row = SourcesRow(sources)
            case NotePart(text=text):
                row = NoteRow(text)
            case _:
                return False
        if self._segments:
            self._segments[0].set(row)
        else:
            self._segments = [Segment(row, self._citations)]
        return True

    def segments(self) -> list[Segment]:
        return self._segments


def _tool_row(call: ToolCall) -> ToolRow:
    return ToolRow(call.id, call.name, call.arguments, call.status, call.result, call.seconds, call.since)
