"""A new answer, and what is read out of the parts of one: its rounds, and the sources that it was given."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

from app.domain.messages import (
    GeneratedSpan,
    Message,
    MessageStatus,
    Part,
    ReasoningPart,
    Role,
    SourcesPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    ToolStatus,
)
from app.domain.sources import Source


def new_answer(conversation_id: str, answer_id: str, question_id: str | None = None, created: float = 0.0) -> Message:
    """An answer that nothing has been written of. ``created``: seconds since 1970."""
    return Message(answer_id, conversation_id, question_id, Role.ASSISTANT, MessageStatus.STREAMING, (), created)


def rounds(parts: Iterable[Part]) -> Iterator[list[Part]]:
    """Cut an answer into rounds: what the model wrote, then what its calls returned.

    A call that was never whole returned nothing and does not end a round.
    """
    current: list[Part] = []
    returned = False
    for part in parts:
        if returned and isinstance(part, ReasoningPart | TextPart | ToolCallPart):
            yield current
            current, returned = [], False
        current.append(part)
        returned = returned or (isinstance(part, ToolResultPart) and part.status is not ToolStatus.INCOMPLETE)
    if current:
        yield current


def given_sources(parts: Iterable[Part]) -> tuple[Source, ...]:
    """The passages that were put beside the question, before the model wrote anything."""
    found: list[Source] = []
    for part in parts:
        if not isinstance(part, SourcesPart):
            break
        found.extend(part.sources)
    return tuple(found)


def all_sources(parts: Iterable[Part]) -> dict[int, Source]:
    """Every numbered passage of an answer, by its number."""
    return {source.n: source for part in parts if isinstance(part, SourcesPart) for source in part.sources}


@dataclass(frozen=True, slots=True)
class UnfinishedRound:
    """A round that was broken off before the model ended it.

    ``span``: its output so far.
    ``keep``: the index where its parts begin.
    ``reasoned``: it began with reasoning.
    """

    span: GeneratedSpan
    keep: int
    reasoned: bool


def unfinished_round(answer: Message) -> UnfinishedRound | None:
    """The round to take up where an answer is continued; None where it ended between two rounds."""
    spans, parts = answer.spans, answer.parts
    ended = [turn_round for turn_round in rounds(parts) if _has_results(turn_round)]
    if len(spans) <= len(ended):
        return None
    beside = sum(1 for _ in takewhile(lambda part: isinstance(part, SourcesPart), parts))
    keep = max(sum(map(len, ended)), beside)
    return UnfinishedRound(spans[-1], keep, any(isinstance(part, ReasoningPart) for part in parts[keep:]))


def _has_results(parts: Sequence[Part]) -> bool:
    return any(isinstance(part, ToolResultPart) and part.status is not ToolStatus.INCOMPLETE for part in parts)
