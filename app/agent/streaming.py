"""What happens while one round streams: pieces of output become parts of the answer, the figures are summed."""

from collections.abc import Iterable

from app.agent.answer import Answer
from app.domain.messages import GenerationStats, NotePart, ToolCallPart, ToolResultPart, ToolStatus
from app.domain.output import (
    CallArguments,
    CallBroken,
    CallClosed,
    CallOpened,
    Content,
    Note,
    OutputEvent,
    Reasoning,
)


class RoundWriter:
    """Turns one round's output into parts of the answer. ``prefix``: of the ids that its calls get."""

    def __init__(self, answer: Answer, prefix: str) -> None:
        self._answer = answer
        self._prefix = prefix

    def write(self, events: Iterable[OutputEvent]) -> None:
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
