"""The answer while it is written: its parts as events, which are folded here as by everybody who watches."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from app.domain.answers import all_sources
from app.domain.citations import citations
from app.domain.errors import ErrorInfo
from app.domain.events import PartDelta, PartFinished, PartStarted
from app.domain.fold import AnswerFold
from app.domain.messages import (
    GeneratedSpan,
    GenerationStats,
    Message,
    MessageStatus,
    Part,
    ReasoningPart,
    StopReason,
    TextPart,
    ToolCallPart,
)
from app.domain.protocols import Clock, Publish


@dataclass(slots=True)
class _Open:
    """The part that still grows, and what events do not tell of it: times in seconds, counts of tokens."""

    index: int
    kind: type[Part]
    started: float
    ended: float
    first_token: int
    last_token: int


@dataclass(slots=True)
class _OpenSpan:
    """A round's output that still grows."""

    round: int
    vocabulary: str
    raw: list[str] = field(default_factory=list)
    ids: list[int] = field(default_factory=list)

    def closed(self) -> GeneratedSpan:
        self.raw = ["".join(self.raw)]
        return GeneratedSpan(self.round, self.raw[0], tuple(self.ids), self.vocabulary)


class Answer:
    """Owned by the turn thread."""

    def __init__(self, message: Message, publish: Publish, clock: Clock) -> None:
        self._message = message
        self._fold = AnswerFold(message)
        self._publish = publish
        self._clock = clock
        self._spans: list[GeneratedSpan] = list(message.spans)  # of the rounds before the one being written
        self._span: _OpenSpan | None = None
        self._open: _Open | None = None
        self._blank = ""  # white space that came while no part was open: the start of one, or nothing
        self.tokens = 0  # generated so far, for the counts of reasoning parts

    @property
    def parts(self) -> tuple[Part, ...]:
        """With the open part as it is now."""
        parts = self._fold.message.parts
        return (*parts[:-1], self._measured(parts[-1])) if self._open else parts

    @property
    def spans(self) -> tuple[GeneratedSpan, ...]:
        """A span a round, with the one being written as it is now."""
        return (*self._spans, self._span.closed()) if self._span else tuple(self._spans)

    def write_span(self, number: int, raw: str, ids: Sequence[int], vocabulary: str) -> None:
        """Append to what was written in round ``number``, which begins where it is another one than before."""
        if self._span is None or self._span.round != number:
            self._spans = list(self.spans)
            self._span = _OpenSpan(number, vocabulary)
        if raw:
            self._span.raw.append(raw)
        self._span.ids.extend(ids)

    def drop_span(self, number: int) -> None:
        """Round ``number`` is written again."""
        self._spans = [span for span in self.spans if span.round != number]
        self._span = None

    def truncate(self, parts: int) -> None:
        """Forget all parts from this index on. The next ``PartStarted`` with that index tells watchers the same."""
        self._fold.truncate(parts)
        self._open = None

    def reasoning(self, text: str) -> None:
        self._append(ReasoningPart, text)

    def content(self, text: str) -> None:
        self._append(TextPart, text)

    def open_call(self, call_id: str, name: str) -> None:
        self.close_part()
        self._begin(ToolCallPart(call_id, name, ""))

    def call_arguments(self, text: str) -> None:
        if self._writes(ToolCallPart):
            self._grow(text)

    def close_call(self, call: ToolCallPart) -> None:
        """The call as it counts; what was streamed of its arguments is replaced."""
        if not self._writes(ToolCallPart):
            self.open_call(call.id, call.name)
        self._finish(call)

    def break_call(self, call_id: str, name: str) -> None:
        """A call that will never be whole, with what was readable of its arguments."""
        if not self._writes(ToolCallPart):
            self.open_call(call_id, name)
        self.close_part()

    def add(self, part: Part) -> None:
        """A part that is whole from the start."""
        self.close_part()
        index = self._fold.length
        self._send(PartStarted(self._message.conversation_id, self._message.id, index, part))
        self._send(PartFinished(self._message.conversation_id, self._message.id, index, part))

    def close_part(self) -> None:
        """End the open part, if there is one; a finished text brings its citations with it."""
        self._blank = ""
        if self._open is None:
            return
        part = self._measured(self._fold.part(self._open.index))
        self._finish(part)
        if isinstance(part, TextPart):
            for citation in citations(part.text, all_sources(self.parts)):
                self.add(citation)

    def snapshot(
        self,
        status: MessageStatus = MessageStatus.STREAMING,
        stop_reason: StopReason | None = None,
        stats: GenerationStats | None = None,
        error: ErrorInfo | None = None,
    ) -> Message:
        return replace(
            self._message,
            parts=self.parts,
            spans=self.spans,
            status=status,
            stop_reason=stop_reason,
            stats=stats,
            error=error.text() if error else "",
        )

    def set_model(self, name: str) -> None:
        self._message = replace(self._message, model=name)

    def _append(self, kind: type[ReasoningPart] | type[TextPart], text: str) -> None:
        if not self._writes(kind):
            self.close_part()
            text = self._blank + text
            if not text.strip():
                self._blank = text
                return
            self._begin(kind(""))
            text = text.lstrip("\n")
        if text:
            self._grow(text)

    def _writes(self, kind: type[Part]) -> bool:
        """Whether a part of this kind is open."""
        return self._open is not None and self._open.kind is kind

    def _begin(self, part: Part) -> None:
        self._blank = ""
        now, index = self._clock.monotonic(), self._fold.length
        self._open = _Open(index, type(part), now, now, self.tokens, self.tokens)
        self._send(PartStarted(self._message.conversation_id, self._message.id, index, part))

    def _grow(self, text: str) -> None:
        assert self._open is not None
        self._open.ended, self._open.last_token = self._clock.monotonic(), self.tokens
        self._send(PartDelta(self._message.conversation_id, self._message.id, self._open.index, text))

    def _finish(self, part: Part) -> None:
        assert self._open is not None
        index, self._open = self._open.index, None
        self._send(PartFinished(self._message.conversation_id, self._message.id, index, part))

    def _measured(self, part: Part) -> Part:
        """The open part with how long it took so far."""
        opened = self._open
        if opened is None or not isinstance(part, ReasoningPart):
            return part
        tokens = max(1, opened.last_token - opened.first_token + 1)
        return replace(part, seconds=round(opened.ended - opened.started, 3), tokens=tokens)

    def _send(self, event: PartStarted | PartDelta | PartFinished) -> None:
        self._fold.apply(event)
        self._publish(event)
