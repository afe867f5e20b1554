"""The answer while it is written: parts in order, events for whoever watches, a copy in the store every second."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from app.domain.answers import all_sources
from app.domain.citations import citations
from app.domain.errors import ErrorInfo
from app.domain.events import Event, PartDelta, PartFinished, PartStarted
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
    """A part that still grows; its text is joined only when somebody needs it."""

    index: int
    part: ReasoningPart | TextPart | ToolCallPart
    started: float
    ended: float
    first_token: int
    last_token: int
    texts: list[str] = field(default_factory=list)


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
        self._publish = publish
        self._clock = clock
        self._parts: list[Part] = list(message.parts)
        self._spans: list[GeneratedSpan] = list(message.spans)  # of the rounds before the one being written
        self._span: _OpenSpan | None = None
        self._open: _Open | None = None
        self._blank = ""  # white space that came while no part was open: the start of one, or nothing
        self.tokens = 0  # generated so far, for the counts of reasoning parts

    @property
    def parts(self) -> tuple[Part, ...]:
        """With the open part as it is now."""
        return (*self._parts, self._closed(self._open)) if self._open else tuple(self._parts)

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
        self._parts = self._parts[:parts]
        self._open = None

    def reasoning(self, text: str) -> None:
        self._append(ReasoningPart, text)

    def content(self, text: str) -> None:
        self._append(TextPart, text)

    def open_call(self, call_id: str, name: str) -> None:
        self.close_part()
        self._begin(ToolCallPart(call_id, name, ""))

    def call_arguments(self, text: str) -> None:
        if self._open is not None and isinstance(self._open.part, ToolCallPart):
            self._grow(text)

    def close_call(self, call: ToolCallPart) -> None:
        """The call as it counts; what was streamed of its arguments is replaced."""
        if self._open is None or not isinstance(self._open.part, ToolCallPart):
            self.open_call(call.id, call.name)
        assert self._open is not None
        self._finish(self._open.index, call)

    def break_call(self, call_id: str, name: str) -> None:
        """A call that will never be whole, with what was readable of its arguments."""
        if self._open is None or not isinstance(self._open.part, ToolCallPart):
            self.open_call(call_id, name)
        self.close_part()

    def add(self, part: Part) -> None:
        """A part that is whole from the start."""
        self.close_part()
        index = len(self._parts)
        self._parts.append(part)
        self._send(PartStarted(self._message.conversation_id, self._message.id, index, part))
        self._send(PartFinished(self._message.conversation_id, self._message.id, index, part))

    def close_part(self) -> None:
        """End the open part, if there is one; a finished text brings its citations with it."""
        self._blank = ""
        if self._open is None:
            return
        opened = self._open
        part = self._closed(opened)
        self._finish(opened.index, part)
        if isinstance(part, TextPart):
            for citation in citations(part.text, all_sources(self._parts)):
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
        if self._open is None or not isinstance(self._open.part, kind):
            self.close_part()
            text = self._blank + text
            if not text.strip():
                self._blank = text
                return
            self._begin(kind(""))
            text = text.lstrip("\n")
        if text:
            self._grow(text)

    def _begin(self, part: ReasoningPart | TextPart | ToolCallPart) -> None:
        self._blank = ""
        now = self._clock.monotonic()
        self._open = _Open(len(self._parts), part, now, now, self.tokens, self.tokens)
        self._send(PartStarted(self._message.conversation_id, self._message.id, self._open.index, part))

    def _grow(self, text: str) -> None:
        assert self._open is not None
        self._open.texts.append(text)
        self._open.ended, self._open.last_token = self._clock.monotonic(), self.tokens
        self._send(PartDelta(self._message.conversation_id, self._message.id, self._open.index, text))

    def _finish(self, index: int, part: Part) -> None:
        self._open = None
        self._parts.append(part)
        self._send(PartFinished(self._message.conversation_id, self._message.id, index, part))

    def _closed(self, opened: _Open) -> Part:
        text = "".join(opened.texts)
        opened.texts = [text]
        if isinstance(opened.part, ReasoningPart):
            tokens = max(1, opened.last_token - opened.first_token + 1)
            return ReasoningPart(text, round(opened.ended - opened.started, 3), tokens)
        if isinstance(opened.part, TextPart):
            return TextPart(text)
        return replace(opened.part, arguments=text)

    def _send(self, event: Event) -> None:
        self._publish(event)
