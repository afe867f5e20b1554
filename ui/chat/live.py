"""The answer that is being written, put together from events, so that a conversation can be left and entered again."""

from dataclasses import replace

from app.domain.events import PartDelta, PartFinished, PartStarted, TurnFinished
from app.domain.messages import Message, Part, ReasoningPart, TextPart, ToolCallPart, ToolResultPart


class LiveAnswer:
    """``message`` is the answer so far. A continued answer begins with the parts that it had."""

    def __init__(self, message: Message) -> None:
        self.message = message
        self._text: list[str] = []
        self._index = -1

    def apply(self, event: object) -> None:
        match event:
            case PartStarted(index=index, part=part):
                self._flush()
                # A continued answer goes back to the start of the round that it goes on from.
                self.message = replace(self.message, parts=(*self.message.parts[:index], part))
            case PartDelta(index=index, text=text):
                if index != self._index:
                    self._flush()
                    self._index = index
                self._text.append(text)
            case PartFinished(index=index, part=part):
                if index == self._index:
                    self._text.clear()
                self._flush()
                self._put(index, part)
            case TurnFinished(status=status, stop_reason=reason, stats=stats, error=error):
                self._flush()
                self.message = replace(
                    self.message,
                    status=status,
                    stop_reason=reason,
                    stats=stats,
                    error=error.text() if error is not None else "",
                )
            case _:
                pass

    def snapshot(self) -> Message:
        self._flush()
        return self.message

    def _put(self, index: int, part: Part) -> None:
        parts = list(self.message.parts)
        if index < len(parts):
            parts[index] = part
        else:
            parts.append(part)
        self.message = replace(self.message, parts=tuple(parts))

    def _flush(self) -> None:
        """Deltas are joined when somebody looks, so that a long answer costs linear time."""
        text, self._text = "".join(self._text), []
        index, self._index = self._index, -1
        if text and 0 <= index < len(self.message.parts):
            self._put(index, grown(self.message.parts[index], text))


def grown(part: Part, text: str) -> Part:
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
