"""The rows of one part of an answer, stored or arriving. No Qt in here."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from app.domain.messages import (
    CitationPart,
    NotePart,
    Part,
    ReasoningPart,
    SourcesPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    ToolStatus,
)
from ui.chat.transcript.rows.content import NoteRow, ReasoningRow, SourcesRow, ToolRow
from ui.chat.transcript.rows.markdown import parse
from ui.chat.transcript.rows.packing import Packer, Row
from ui.chat.transcript.rows.segment import Segment
from ui.chat.transcript.rows.stream import MarkdownStream

Monotonic = Callable[[], float]
Citations = Mapping[int, CitationPart]


class PartRows(Protocol):
    """``append`` and ``replace`` are cheap; what they bring is worked out when ``segments`` are asked for."""

    def segments(self) -> Sequence[Segment]: ...

    def append(self, text: str) -> None: ...

    def replace(self, part: Part) -> bool:
        """Take the part as it will be stored; False when it is of another kind."""
        ...

    def seal(self) -> None:
        """Nothing more comes."""
        ...


class AnswerText:
    """Markdown prose, code and tables. Stored and arriving text take the same way."""

    def __init__(self, part: TextPart, citations: Citations, *, live: bool) -> None:
        self._citations = citations
        self._segments: list[Segment] = []
        self._sealed = not live
        self._cited: frozenset[int]
        self._pieces: list[str]
        self._pending: list[str]
        self._closed: bool
        self._begin(part.text)

    @property
    def text(self) -> str:
        if len(self._pieces) > 1:
            self._pieces = ["".join(self._pieces)]
        return self._pieces[0]

    def append(self, text: str) -> None:
        if self._sealed:  # an answer that was stopped goes on
            self._sealed = False
            self._begin(self.text)
        self._pieces.append(text)
        self._pending.append(text)

    def replace(self, part: Part) -> bool:
        if not isinstance(part, TextPart):
            return False
        if part.text != self.text:
            self._begin(part.text)
        self.seal()
        return True

    def seal(self) -> None:
        self._sealed = True

    def segments(self) -> list[Segment]:
        cited = frozenset(self._citations)
        if cited != self._cited and "[" in self.text:
            self._begin(self.text)
        self._cited = cited
        if self._pending or (self._sealed and not self._closed):
            self._advance()
        return self._segments

    def _begin(self, text: str) -> None:
        self._cited = frozenset(self._citations)
        self._stream = MarkdownStream()
        self._packer = Packer(self._cited)
        self._pieces = [text]
        self._pending = [text]
        self._same = 0  # of the first segments, how many will not change
        self._closed = False

    def _advance(self) -> None:
        settled, tail = self._stream.feed("".join(self._pending))
        self._pending.clear()
        self._packer.settle(settled)
        if self._sealed:
            self._packer.settle(self._stream.close())
            tail, self._closed = [], True
            if self._stream.provisional:
                self._packer, self._same = Packer(self._cited), 0
                self._packer.settle(parse(self.text, {}))
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
        self._pending: list[str] = []
        started = monotonic() if live else None
        row = ReasoningRow(part.text, started, part.seconds, part.tokens, keep_open=keep_open)
        self._segment = Segment(row, citations)

    @property
    def _row(self) -> ReasoningRow:
        row = self._segment.content
        assert isinstance(row, ReasoningRow)
        return row

    def append(self, text: str) -> None:
        self._pending.append(text)

    def replace(self, part: Part) -> bool:
        if not isinstance(part, ReasoningPart):
            return False
        self._pending.clear()
        seconds = part.seconds if part.seconds is not None else self._elapsed()
        self._segment.set(replace(self._row, text=part.text, started=None, seconds=seconds, tokens=part.tokens))
        return True

    def seal(self) -> None:
        self._take()
        if self._row.started is not None:
            self._segment.set(replace(self._row, started=None, seconds=self._elapsed()))

    def segments(self) -> list[Segment]:
        self._take()
        return [self._segment] if self._row.text.strip() or self._row.started is not None else []

    def _elapsed(self) -> float | None:
        return self._row.seconds if self._row.started is None else self._monotonic() - self._row.started

    def _take(self) -> None:
        if self._pending:
            self._segment.set(replace(self._row, text=self._row.text + "".join(self._pending)))
            self._pending.clear()


class ToolCall:
    """A call with its result, one card."""

    def __init__(self, part: ToolCallPart, citations: Citations, monotonic: Monotonic) -> None:
        self._monotonic = monotonic
        self._arguments: list[str] = []
        self._result: list[str] = []
        self._segment = Segment(ToolRow(part.id, part.name, part.arguments), citations)

    @property
    def _row(self) -> ToolRow:
        row = self._segment.content
        assert isinstance(row, ToolRow)
        return row

    def append(self, text: str) -> None:
        self._arguments.append(text)

    def append_result(self, text: str) -> None:
        self._result.append(text)

    def replace(self, part: Part) -> bool:
        if not isinstance(part, ToolCallPart):
            return False
        self._arguments.clear()
        self._segment.set(replace(self._row, call_id=part.id, name=part.name, arguments=part.arguments))
        return True

    def set_status(self, status: ToolStatus) -> None:
        running = status is ToolStatus.RUNNING
        self._segment.set(replace(self._row, status=status, started=self._monotonic() if running else None))

    def set_result(self, part: ToolResultPart) -> None:
        self._result.clear()
        self._segment.set(
            replace(self._row, status=part.status, result=part.result, seconds=part.seconds, started=None)
        )

    def seal(self) -> None:
        """A call without a result was cut off with its answer."""
        if self._row.status in (None, ToolStatus.RUNNING, ToolStatus.WAITING):
            self._segment.set(replace(self._row, status=ToolStatus.CANCELLED, started=None))

    def segments(self) -> list[Segment]:
        if self._arguments or self._result:
            row = self._row
            arguments = row.arguments + "".join(self._arguments)
            self._segment.set(replace(row, arguments=arguments, result=row.result + "".join(self._result)))
            self._arguments.clear()
            self._result.clear()
        return [self._segment]


class ToolResult:
    """Shown on the card of its call; it has no row of its own."""

    def __init__(self, part: ToolResultPart, call: ToolCall, *, live: bool) -> None:
        self._call = call
        if not live:
            call.set_result(part)

    def append(self, text: str) -> None:
        self._call.append_result(text)

    def replace(self, part: Part) -> bool:
        if isinstance(part, ToolResultPart):
            self._call.set_result(part)
            return True
        return False

    def seal(self) -> None:
        pass

    def segments(self) -> list[Segment]:
        return []


class Plain:
    """Sources and remarks: one row that comes whole. Anything else has none."""

    def __init__(self, part: Part, citations: Citations) -> None:
        self._citations = citations
        self._segments: list[Segment] = []
        self.replace(part)

    def append(self, text: str) -> None:
        pass

    def replace(self, part: Part) -> bool:
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

    def seal(self) -> None:
        pass

    def segments(self) -> list[Segment]:
        return self._segments
