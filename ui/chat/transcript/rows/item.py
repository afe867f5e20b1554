"""One message of the transcript as rows, made when it comes into view and changed by the events of its answer.

No Qt in here.
"""

from collections.abc import Callable, Iterator, Sequence

from app.domain.events import (
    ApprovalRequested,
    PartDelta,
    PartFinished,
    PartStarted,
    ToolStatusChanged,
    TurnFinished,
    TurnStarted,
)
from app.domain.fold import AnswerFold, ToolCall
from app.domain.messages import (
    AttachmentPart,
    CitationPart,
    Message,
    MessageStatus,
    Part,
    ReasoningPart,
    Role,
    SourcesPart,
    TextPart,
    ToolCallPart,
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
from ui.chat.transcript.rows.parts import AnswerText, CallCard, PartRows, Plain, Reasoning
from ui.chat.transcript.rows.segment import Segment


class MessageItem:
    """``segments`` is empty until ``update``. Everything else is cheap and only notes what has changed.

    ``begun``: of the calls of an answer that is being written, those that run or wait.
    """

    __slots__ = (
        "_begun",
        "_dirty",
        "_error",
        "_extra",
        "_fold",
        "_grown",
        "_keep_reasoning_open",
        "_message",
        "_monotonic",
        "_rows",
        "_siblings",
        "_waiting",
        "citations",
        "segments",
        "top_gap",
    )

    def __init__(
        self,
        message: Message,
        monotonic: Callable[[], float],
        *,
        keep_reasoning_open: bool = False,
        begun: Sequence[ToolCall] = (),
    ) -> None:
        self._message = message
        self._monotonic = monotonic
        self._keep_reasoning_open = keep_reasoning_open
        self._begun = begun
        self.top_gap = USER_GAP if message.role is Role.USER else ANSWER_GAP
        self.segments: list[Segment] = []
        self.citations: dict[int, CitationPart] = {}
        self._siblings = (0, 1)
        self._fold: AnswerFold | None = None  # made with the rows
        self._rows: list[PartRows | None] = []  # by part
        self._grown: set[int] = set()  # parts that were not shown since text came
        self._waiting: StatusRow | None = None
        if message.status is MessageStatus.STREAMING and not message.parts:
            self._waiting = StatusRow()
        self._error = ErrorRow(message.error) if message.error else None
        self._extra: dict[type[Content], Segment] = {}
        self._dirty = True

    @property
    def message(self) -> Message:
        """With what arrived so far."""
        return self._message if self._fold is None else self._fold.message

    @property
    def live(self) -> bool:
        return self._message.status is MessageStatus.STREAMING if self._fold is None else self._fold.streaming

    @property
    def built(self) -> bool:
        return bool(self.segments)

    def estimated_height(self, metrics: Metrics) -> int:
        """Probable height of the whole message in px, gaps included, before its rows are made."""
        height = self.top_gap + 40
        for part in self._message.parts:
            if isinstance(part, TextPart):
                height += int(metrics.line * metrics.lines(part.text)) + 8
            elif isinstance(part, (ReasoningPart, ToolCallPart, SourcesPart)):
                height += 44
        return height

    def height(self) -> int:
        return self.top_gap + sum(segment.gap + segment.height for segment in self.segments)

    def text(self) -> str:
        """Markdown source of the visible text."""
        return "\n\n".join(part.text.strip("\n") for part in self.message.parts if isinstance(part, TextPart))

    def row_of_call(self, call_id: str) -> int | None:
        """Which of its rows shows this call, once they are made."""
        for row, segment in enumerate(self.segments):
            if isinstance(segment.content, ToolRow) and segment.content.call_id == call_id:
                return row
        return None

    def set_siblings(self, index: int, count: int) -> None:
        self._siblings = (index, count)
        self._dirty = True

    def wait(self, row: StatusRow) -> None:
        """Nothing is written at the moment, and this is why."""
        self._waiting = row
        self._dirty = True

    def apply(self, event: object) -> bool:
        """Take an event of this answer; False where it changes nothing."""
        fold = self._folded()
        if not fold.apply(event):
            return False
        match event:
            case TurnStarted():
                self._error, self._waiting = None, StatusRow()
            case PartDelta(index=index):
                self._grown.add(index)
                self._waiting = None
            case PartStarted(index=index):
                self._cut(index)
                self._show(index)
                self._waiting = None
            case PartFinished(index=index):
                self._show(index)
                self._waiting = None
            case ToolStatusChanged(call_id=call_id) | ApprovalRequested(call_id=call_id):
                self._show_call(fold.call(call_id))
            case TurnFinished(error=error):
                for index in range(fold.length):
                    self._show(index)
                self._error = ErrorRow(error.text(), error.detail) if error is not None else None
                self._waiting = None
        self._dirty = True
        return True

    def update(self, metrics: Metrics) -> bool:
        """Bring the rows up to date; False when nothing has changed."""
        if not self._dirty:
            return False
        self._dirty = False
        if self._message.role is Role.USER:
            self.segments = self._question()
        else:
            self._folded()
            for index in self._grown:
                self._show(index)
            self._grown.clear()
            self.segments = [segment for rows in self._rows if rows is not None for segment in rows.segments()]
            for row in self._closing():  # at least one: no message is without a row
                self.segments.append(self._one(row))
        for segment in self.segments:
            segment.estimate(metrics)
        return True

    def _folded(self) -> AnswerFold:
        if self._fold is None:
            self._fold = AnswerFold(self._message, self._monotonic, self._begun)
            for index in range(self._fold.length):
                self._show(index)
        return self._fold

    def _cut(self, index: int) -> None:
        """A continued answer goes back to this part; its rows stay, for they may become those of the new one."""
        if len(self._rows) > index:
            del self._rows[index + 1 :]
            self._grown = {grown for grown in self._grown if grown < index}
            self.citations.clear()
            self.citations.update((part.n, part) for part in self.message.parts if isinstance(part, CitationPart))

    def _show(self, index: int) -> None:
        """Bring the rows of a part up to what it is now."""
        assert self._fold is not None
        self._rows.extend([None] * (index + 1 - len(self._rows)))
        part, call, rows = self._fold.part(index), self._fold.call_at(index), self._rows[index]
        if isinstance(part, CitationPart):
            self.citations[part.n] = part
            self._rows[index] = None
        elif call is not None:
            self._show_call(call)
            if call.index != index:  # a result is on the card of its call
                self._rows[index] = None
        elif rows is None or not rows.show(part, live=self._fold.is_open(index)):
            self._rows[index] = self._rows_of(part, self._fold.is_open(index))

    def _show_call(self, call: ToolCall | None) -> None:
        if call is None:
            return
        rows = self._rows[call.index]
        if isinstance(rows, CallCard):
            rows.show_call(call)
        else:
            self._rows[call.index] = CallCard(call, self.citations)

    def _rows_of(self, part: Part, live: bool) -> PartRows:
        match part:
            case TextPart():
                return AnswerText(part, self.citations, live=live)
            case ReasoningPart():
                keep = self._keep_reasoning_open
                return Reasoning(part, self.citations, self._monotonic, live=live, keep_open=keep)
            case _:
                return Plain(part, self.citations)

    def _question(self) -> list[Segment]:
        message = self._message
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
        if self._error is not None:
            yield self._error
        if self.live:
            if self._waiting is not None:
                yield self._waiting
            elif not self.segments:
                yield StatusRow()
        else:
            message = self.message
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
