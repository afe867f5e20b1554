"""One message of the transcript as rows, made when it comes into view and changed by the events of its answer.

No Qt in here.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from app.domain.errors import ErrorInfo
from app.domain.messages import (
    AttachmentPart,
    CitationPart,
    GenerationStats,
    Message,
    MessageStatus,
    Part,
    ReasoningPart,
    Role,
    SourcesPart,
    StopReason,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    ToolStatus,
)
from ui.chat.transcript.rows.content import (
    ANSWER_GAP,
    USER_GAP,
    USER_ROW,
    Content,
    ErrorRow,
    FooterRow,
    Metrics,
    StatusRow,
    ToolRow,
    UserRow,
)
from ui.chat.transcript.rows.parts import AnswerText, PartRows, Plain, Reasoning, ToolCall, ToolResult
from ui.chat.transcript.rows.segment import Segment


class MessageItem:
    """``segments`` is empty until ``update``. Everything else is cheap and only notes what has changed."""

    def __init__(self, message: Message, monotonic: Callable[[], float], *, keep_reasoning_open: bool = False) -> None:
        self.message = message
        self._keep_reasoning_open = keep_reasoning_open
        self.top_gap = USER_GAP if message.role is Role.USER else ANSWER_GAP
        self.segments: list[Segment] = []
        self.citations: dict[int, CitationPart] = {}
        self._monotonic = monotonic
        self._siblings = (0, 1)
        self._parts: list[PartRows | None] | None = None
        self._tools: dict[str, ToolCall] = {}
        self._waiting: StatusRow | None = StatusRow() if self.live else None
        self._error = ErrorRow(message.error) if message.error else None
        self._extra: dict[type[Content], Segment] = {}
        self._dirty = True

    @property
    def live(self) -> bool:
        return self.message.status is MessageStatus.STREAMING

    @property
    def built(self) -> bool:
        return bool(self.segments)

    def estimated_height(self, metrics: Metrics) -> int:
        """Probable height of the whole message in px, gaps included."""
        height = self.top_gap + 40
        for part in self.message.parts:
            if isinstance(part, TextPart):
                height += int(metrics.line * metrics.lines(part.text)) + 8
            elif isinstance(part, (ReasoningPart, ToolCallPart, SourcesPart)):
                height += 44
        return height

    def height(self) -> int:
        return self.top_gap + sum(segment.gap + segment.height for segment in self.segments)

    def text(self) -> str:
        """Markdown source of the visible text."""
        if self._parts is None or self.message.role is Role.USER:
            texts = [part.text for part in self.message.parts if isinstance(part, TextPart)]
        else:
            texts = [part.text for part in self._parts if isinstance(part, AnswerText)]
        return "\n\n".join(text.strip("\n") for text in texts)

    def row_of_call(self, call_id: str) -> int | None:
        """Which of its rows shows this call, once they are made."""
        for row, segment in enumerate(self.segments):
            if isinstance(segment.content, ToolRow) and segment.content.call_id == call_id:
                return row
        return None

    def set_siblings(self, index: int, count: int) -> None:
        self._siblings = (index, count)
        self._dirty = True

    def resume(self) -> None:
        """The answer goes on."""
        self.message = replace(self.message, status=MessageStatus.STREAMING, error="")
        self.wait(StatusRow())
        self._error = None

    def wait(self, row: StatusRow) -> None:
        self._waiting = row
        self._dirty = True

    def start_part(self, index: int, part: Part) -> None:
        self._put(index, part, live=True)

    def finish_part(self, index: int, part: Part) -> None:
        self._put(index, part, live=False)

    def append(self, index: int, text: str) -> None:
        parts = self._made_parts()
        part = parts[index] if 0 <= index < len(parts) else None
        if part is not None:
            part.append(text)
            self._waiting = None
            self._dirty = True

    def set_tool_status(self, call_id: str, status: ToolStatus) -> None:
        self._made_parts()
        if call_id in self._tools:
            self._tools[call_id].set_status(status)
            self._dirty = True

    def finish(
        self, status: MessageStatus, reason: StopReason | None, stats: GenerationStats, error: ErrorInfo | None
    ) -> None:
        self.message = replace(self.message, status=status, stop_reason=reason, stats=stats)
        self._error = ErrorRow(error.text(), error.detail) if error is not None else None
        self._waiting = None
        self._seal()

    def update(self, metrics: Metrics) -> bool:
        """Bring the rows up to date; False when nothing has changed."""
        if not self._dirty:
            return False
        parts = self._made_parts()
        self._dirty = False
        if self.message.role is Role.USER:
            self.segments = self._question()
        else:
            self.segments = [segment for part in parts if part is not None for segment in part.segments()]
            for row in self._closing():  # at least one: no message is without a row
                self.segments.append(self._one(row))
        for segment in self.segments:
            segment.estimate(metrics)
        return True

    def _made_parts(self) -> list[PartRows | None]:
        if self._parts is None:
            self._parts = []
            if self.message.role is Role.ASSISTANT:
                last = len(self.message.parts) - 1
                for index, part in enumerate(self.message.parts):
                    self._put(index, part, live=self.live and index == last)
            if not self.live:
                self._seal()
        return self._parts

    def _seal(self) -> None:
        for part in self._made_parts():
            if part is not None:
                part.seal()
        self._dirty = True

    def _put(self, index: int, part: Part, *, live: bool) -> None:
        parts = self._made_parts()
        parts.extend([None] * (index + 1 - len(parts)))
        self._dirty = True
        self._waiting = None
        if isinstance(part, CitationPart):
            self.citations[part.n] = part
            return
        known = parts[index]
        if known is None or not known.replace(part):
            parts[index] = self._rows_of(part, live)

    def _rows_of(self, part: Part, live: bool) -> PartRows:
        match part:
            case TextPart():
                return AnswerText(part, self.citations, live=live)
            case ReasoningPart():
                keep = self._keep_reasoning_open
                return Reasoning(part, self.citations, self._monotonic, live=live, keep_open=keep)
            case ToolCallPart():
                call = self._tools[part.id] = ToolCall(part, self.citations, self._monotonic)
                return call
            case ToolResultPart(call_id=call_id) if call_id in self._tools:
                return ToolResult(part, self._tools[call_id], live=live)
            case _:
                return Plain(part, self.citations)

    def _question(self) -> list[Segment]:
        message = self.message
        text = message.text()
        attachments = tuple(part for part in message.parts if isinstance(part, AttachmentPart))
        pieces = _pieces(text)
        rows = []
        for number, piece in enumerate(pieces):
            first, last = number == 0, number == len(pieces) - 1
            files = attachments if first else ()
            rows.append(UserRow(message.id, piece, text, first, last, files, self._siblings))
        if len(self.segments) != len(rows):
            return [Segment(row, self.citations) for row in rows]
        for segment, row in zip(self.segments, rows, strict=True):
            segment.set(row)
        return self.segments

    def _closing(self) -> Iterator[Content]:
        message = self.message
        if self._error is not None:
            yield self._error
        if self.live:
            if self._waiting is not None:
                yield self._waiting
            elif not self.segments:
                yield StatusRow()
        else:
            yield FooterRow(
                message.id, message.status, message.stop_reason, message.stats, message.model, self._siblings
            )

    def _one(self, row: Content) -> Segment:
        """The message's only segment of this kind."""
        kind = type(row)
        if kind in self._extra:
            self._extra[kind].set(row)
        else:
            self._extra[kind] = Segment(row, self.citations)
        return self._extra[kind]


def _pieces(text: str) -> list[str]:
    """A long question cut at line ends, or at spaces, into pieces that one row can show."""
    pieces = []
    start = 0
    while len(text) - start > USER_ROW:
        end = text.rfind("\n", start, start + USER_ROW) + 1
        if end <= start:
            end = text.rfind(" ", start, start + USER_ROW) + 1
        if end <= start:
            end = start + USER_ROW
        pieces.append(text[start:end].removesuffix("\n"))
        start = end
    return [*pieces, text[start:]]
