"""What happens while one round streams: parser events become parts, the rate is told, the figures are summed."""

from collections.abc import Sequence

from app.agent.answer import Answer
from app.domain.events import TokenRate
from app.domain.messages import GenerationStats, Message, NotePart, ToolCallPart, ToolResultPart, ToolStatus
from app.domain.protocols import Clock, Publish
from app.formats.protocol import (
    CallArguments,
    CallBroken,
    CallClosed,
    CallOpened,
    Content,
    FormatEvent,
    Note,
    Reasoning,
    StreamParser,
)

RATE_S = 0.25  # between two looks at the speed


class RoundWriter:
    """Turns one round's parser events into parts of the answer."""

    def __init__(self, answer: Answer, parser: StreamParser, prefix: str) -> None:
        self._answer = answer
        self._parser = parser
        self._prefix = prefix

    def feed(self, text: str, control: bool | None) -> None:
        if text:
            self._write(self._parser.feed(text, control))

    def finish(self, *, truncated: bool) -> None:
        self._write(self._parser.finish(truncated=truncated))
        self._answer.close_part()

    def _write(self, events: Sequence[FormatEvent]) -> None:
        answer = self._answer
        for event in events:
            match event:
                case Reasoning(text):
                    answer.reasoning(text)
                case Content(text):
                    answer.content(text)
                case CallOpened(index, name):
                    answer.open_call(self._id(index), name)
                case CallArguments(_, text):
                    answer.call_arguments(text)
                case CallClosed(index, name, arguments):
                    answer.close_call(ToolCallPart(self._id(index), name, arguments))
                case CallBroken(index, name, reason):
                    answer.break_call(self._id(index), name)
                    answer.add(
                        ToolResultPart(self._id(index), name, ToolStatus.INCOMPLETE, f"The call was {reason}; not run.")
                    )
                case Note(code, text):
                    answer.add(NotePart(code, text))

    def _id(self, index: int) -> str:
        return f"{self._prefix}_{index}"


class Rate:
    """Tells several times a second how fast tokens come and how full the context is. The first token starts the clock,
    since reading the prompt is no part of the speed; a short rest at the end has no speed of its own."""

    def __init__(self, publish: Publish, clock: Clock, message: Message, used: int, size: int) -> None:
        self._publish = publish
        self._clock = clock
        self._message = message
        self._used = used
        self._size = size
        self._since: float | None = None
        self._tokens = 0
        self._rate = 0.0

    def count(self, tokens: int) -> None:
        self._used += tokens
        if self._since is None:
            self._since = self._clock.monotonic()
            return
        self._tokens += tokens
        if self._clock.monotonic() - self._since >= RATE_S:
            self.tell()

    def tell(self) -> None:
        now = self._clock.monotonic()
        elapsed = now - self._since if self._since is not None else 0.0
        if elapsed >= RATE_S or (elapsed > 0 and not self._rate):
            self._rate, self._since, self._tokens = self._tokens / elapsed, now, 0
        self._publish(TokenRate(self._message.conversation_id, self._message.id, self._rate, self._used, self._size))


def summed(total: GenerationStats, more: GenerationStats, *, first: bool) -> GenerationStats:
    """Sums over the rounds of a turn. What a prompt holds is the last round's, which holds the earlier ones; where
    it was found in the cache is the first round's, since the later ones find it in memory."""
    return GenerationStats(
        prompt_tokens=more.prompt_tokens,
        cached_tokens=more.cached_tokens,
        generated_tokens=total.generated_tokens + more.generated_tokens,
        prefill_s=total.prefill_s + more.prefill_s,
        decode_s=total.decode_s + more.decode_s,
        ttft_s=more.ttft_s if first else total.ttft_s,
        cached_from=more.cached_from if first else total.cached_from,
        known_tokens=more.known_tokens,
        restore_s=total.restore_s + more.restore_s,
        evaluated_tokens=total.evaluated_tokens + more.evaluated_tokens,
        again_tokens=total.again_tokens + more.again_tokens,
        again_because=total.again_because or more.again_because,
    )
