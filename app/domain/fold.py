"""The one reducer of answers: message x event -> message.

Whoever stores, shows, lists or prints an answer folds its events here, and adds only what is its own.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from io import StringIO

from app.domain.events import (
    ApprovalRequested,
    PartDelta,
    PartFinished,
    PartStarted,
    ToolStatusChanged,
    TurnFinished,
    TurnStarted,
)
from app.domain.messages import (
    Message,
    MessageStatus,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    ToolStatus,
)

_GROWING = (ReasoningPart, TextPart, ToolCallPart, ToolResultPart)


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call and what has become of it.

    ``index``: of its part in the answer.
    ``status``: None while the model writes it and until something happens with it.
    ``seconds``: how long it took, once it has a result.
    ``since``: when it began to run, on the monotonic clock; None when it does not run.
    """

    id: str
    name: str
    arguments: str
    index: int = 0
    status: ToolStatus | None = None
    result: str = ""
    seconds: float = 0.0
    since: float | None = None

    @property
    def ended(self) -> bool:
        return self.status is not None and self.status.ended


class AnswerFold:
    """An answer that its events are applied to. Owned by one thread; what it gives away is frozen.

    Text that arrives is only put aside, and joined when somebody looks: an answer costs linear time, however many
    events it comes in.
    """

    def __init__(
        self, message: Message, monotonic: Callable[[], float] = time.monotonic, begun: Iterable[ToolCall] = ()
    ) -> None:
        """``message``: the answer so far. ``begun``: what another fold of it knew of calls without a result."""
        self._message = message  # its parts are those of the last look
        self._monotonic = monotonic
        self._parts: list[Part] = []
        self._looked = True
        self._arrived: dict[int, StringIO] = {}  # text by part, since the last look at it
        self._calls: dict[str, int] = {}  # index of the part, by call, as in the next two
        self._results: dict[str, int] = {}
        self._begun = {call.id: (call.status, call.since) for call in begun}
        for index, part in enumerate(message.parts):
            self._put(index, part)
        self._open = len(self._parts) - 1 if self.streaming else -1

    @property
    def streaming(self) -> bool:
        return self._message.status is MessageStatus.STREAMING

    @property
    def message(self) -> Message:
        """The answer as it is now."""
        if self._arrived or not self._looked:
            for index in list(self._arrived):
                self.part(index)
            self._message = replace(self._message, parts=tuple(self._parts))
            self._looked = True
        return self._message

    @property
    def length(self) -> int:
        """How many parts there are."""
        return len(self._parts)

    def part(self, index: int) -> Part:
        arrived = self._arrived.pop(index, None)
        if arrived is not None:
            self._parts[index] = _grown(self._parts[index], arrived.getvalue())
            self._looked = False
        return self._parts[index]

    def kind(self, index: int) -> type[Part]:
        """What a part is, without joining its text."""
        return type(self._parts[index])

    def is_open(self, index: int) -> bool:
        """Whether more of this part is to come."""
        return index == self._open

    def calls(self) -> list[ToolCall]:
        """All calls, in their order."""
        return [self._call(index) for index, part in enumerate(self._parts) if isinstance(part, ToolCallPart)]

    def call(self, call_id: str) -> ToolCall | None:
        index = self._calls.get(call_id)
        return self._call(index) if index is not None else None

    def call_at(self, index: int) -> ToolCall | None:
        """The call that this part is, or is the result of."""
        match self._parts[index]:
            case ToolCallPart():
                return self._call(index)
            case ToolResultPart(call_id=call_id):
                return self.call(call_id)
            case _:
                return None

    def begun(self) -> tuple[ToolCall, ...]:
        """Calls that run or wait for the person: what the message alone does not say."""
        return tuple(call for call_id in self._begun if (call := self.call(call_id)) is not None and not call.ended)

    def apply(self, event: object) -> bool:
        """False for what changes nothing: another answer's events, those of progress, those that come too late."""
        if isinstance(event, PartDelta):
            return event.answer_id == self._message.id and self._grow(event.index, event.text)
        if getattr(event, "answer_id", "") != self._message.id:
            return False
        match event:
            case TurnStarted():
                self._resume()
                return True
            case _ if not self.streaming:
                return False
            case PartStarted(index=index, part=part) if 0 <= index <= len(self._parts):
                self.truncate(index)
                self._put(index, part)
                self._open = index
            case PartFinished(index=index, part=part) if 0 <= index <= len(self._parts):
                self._put(index, part)
                self._open = -1
            case ToolStatusChanged(call_id=call_id, status=status):
                return self._set_status(call_id, status)
            case ApprovalRequested(call_id=call_id):
                return self._set_status(call_id, ToolStatus.WAITING)
            case TurnFinished():
                self._finish(event)
            case _:
                return False
        return True

    def truncate(self, length: int) -> None:
        """Forget all parts from this index on: a continued answer goes back to the start of a round."""
        for part in self._parts[length:]:
            self._forget(part)
        for index in [index for index in self._arrived if index >= length]:
            del self._arrived[index]
        del self._parts[length:]
        self._open = -1
        self._looked = False

    def _grow(self, index: int, text: str) -> bool:
        arrived = self._arrived.get(index)
        if arrived is None:
            if not (self.streaming and 0 <= index < len(self._parts) and isinstance(self._parts[index], _GROWING)):
                return False
            arrived = self._arrived[index] = StringIO()
            self._open = index
        arrived.write(text)
        return True

    def _put(self, index: int, part: Part) -> None:
        """Set a part or append it."""
        self._arrived.pop(index, None)
        for known in self._parts[index : index + 1]:
            self._forget(known)
        self._parts[index : index + 1] = [part]
        self._looked = False
        match part:
            case ToolCallPart(id=call_id):
                self._calls[call_id] = index
            case ToolResultPart(call_id=call_id):
                self._results[call_id] = index

    def _forget(self, part: Part) -> None:
        match part:
            case ToolCallPart(id=call_id):
                self._calls.pop(call_id, None)
                self._begun.pop(call_id, None)
            case ToolResultPart(call_id=call_id):
                self._results.pop(call_id, None)

    def _set_status(self, call_id: str, status: ToolStatus) -> bool:
        if call_id not in self._calls or call_id in self._results:
            return False
        self._begun[call_id] = status, self._monotonic() if status is ToolStatus.RUNNING else None
        return True

    def _resume(self) -> None:
        if not self.streaming:
            self._begun.clear()
            self._message = replace(self._message, status=MessageStatus.STREAMING, stop_reason=None, error="")

    def _finish(self, event: TurnFinished) -> None:
        self._open = -1
        self._message = replace(
            self.message,
            status=event.status,
            stop_reason=event.stop_reason,
            stats=event.stats,
            error=event.error.text() if event.error is not None else "",
        )

    def _call(self, index: int) -> ToolCall:
        part = self.part(index)
        assert isinstance(part, ToolCallPart)
        status, since = self._begun.get(part.id, (None, None))
        text, seconds = "", 0.0
        result_at = self._results.get(part.id)
        result = self.part(result_at) if result_at is not None else None
        if isinstance(result, ToolResultPart):
            status, text, seconds = result.status, result.result, result.seconds
        if not self.streaming:
            status = _at_the_end(status)
        since = since if status is ToolStatus.RUNNING else None
        return ToolCall(part.id, part.name, part.arguments, index, status, text, seconds, since)


def _at_the_end(status: ToolStatus | None) -> ToolStatus:
    """A call that has no result when its answer ends never gets one."""
    if status is None:
        return ToolStatus.INCOMPLETE
    return status if status.ended else ToolStatus.CANCELLED


def _grown(part: Part, text: str) -> Part:
    """The part with ``text`` appended where its kind grows."""
    match part:
        case ReasoningPart() | TextPart():
            return replace(part, text=part.text + text)
        case ToolCallPart():
            return replace(part, arguments=part.arguments + text)
        case ToolResultPart():
            return replace(part, result=part.result + text)
        case _:
            return part
