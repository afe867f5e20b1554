"""What the agent may ask of whatever answers: a model on this machine, a server, a script in a test.

A responder belongs to one turn and is called on the turn's thread. It speaks messages and pieces of output; templates,
tokens, requests over HTTP are its own matter.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from app.domain.cancel import CancelToken
from app.domain.commands import TurnOptions
from app.domain.messages import GenerationStats, Message, NotePart, StopReason
from app.domain.models import ModelAbilities
from app.domain.output import OutputEvent
from app.domain.tools import ToolSpec


@dataclass(frozen=True, slots=True)
class Intake:
    """How much a model takes in well; small ones lose the thread in more than they were trained for.

    ``sources``: passages beside a question.
    ``source_chars``: characters of each.
    ``result_chars``: characters of all results of one round of calls.
    """

    sources: int = 6
    source_chars: int = 2000
    result_chars: int = 12000


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a responder can, once it is open.

    ``model``: the name that the answer keeps.
    ``remark``: what a person should be told of it, once in a conversation.
    ``can``: whether it thinks, how that is told, whether it takes tools.
    ``context``: tokens that a prompt and its answer may take together.
    """

    model: str
    context: int
    can: ModelAbilities = field(default_factory=ModelAbilities)
    remark: NotePart | None = None
    intake: Intake = field(default_factory=Intake)


@dataclass(frozen=True, slots=True)
class RespondOptions:
    """How one round is to be answered.

    ``system``: the system prompt, "" for none.
    ``examples``: questions with answers that show how to cite; they stand before the conversation.
    ``round``: how often this answer was broken off for tools.
    ``constrain_calls``: calls are kept to the tools' schemas where that is possible.
    """

    turn: TurnOptions = field(default_factory=TurnOptions)
    system: str = ""
    examples: tuple[tuple[str, str], ...] = ()
    round: int = 0
    constrain_calls: bool = True


# What is told meanwhile: for a person who watches, no part of the answer.


@dataclass(frozen=True, slots=True)
class Queued:
    """Others come first: ``ahead`` of them."""

    ahead: int


@dataclass(frozen=True, slots=True)
class Reading:
    """The prompt is being read: ``done`` of ``total`` tokens, ``cached`` of them for free."""

    done: int
    total: int
    cached: int


@dataclass(frozen=True, slots=True)
class Rate:
    """Tokens a second since the last one, and how full the context is."""

    tokens_per_second: float
    context_used: int
    context_size: int


Progress: TypeAlias = Queued | Reading | Rate
Tell: TypeAlias = Callable[[Progress], None]


# What a round consists of.


@dataclass(frozen=True, slots=True)
class TakenUp:
    """The answer's unfinished round is taken up: its parts from ``keep`` on are written again, the same as before."""

    keep: int


@dataclass(frozen=True, slots=True)
class Written:
    """A piece of output.

    ``tokens``: how many were generated for it.
    ``raw`` and ``ids``: exactly what the model wrote; ids count within ``vocabulary``, a server has none.
    """

    output: tuple[OutputEvent, ...] = ()
    tokens: int = 0
    raw: str = ""
    ids: tuple[int, ...] = ()
    vocabulary: str = ""


@dataclass(frozen=True, slots=True)
class RoundEnded:
    """The last of a round. ``room``: characters that the results of its calls may take together."""

    stop_reason: StopReason
    stats: GenerationStats | None
    room: int = 0


RoundEvent: TypeAlias = TakenUp | Written | RoundEnded


class Responder(Protocol):
    """Answers the rounds of one turn. Errors are ``AppError``; a stop raises ``Cancelled`` or ends a round so."""

    def open(self, cancel: CancelToken) -> Abilities:
        """Get ready, which may take as long as loading a model, and say what it can."""
        ...

    def respond(
        self, messages: Sequence[Message], tools: Sequence[ToolSpec], options: RespondOptions, cancel: CancelToken
    ) -> Generator[RoundEvent, None, None]:
        """One round.

        ``messages``: root to the answer that is being written, with its earlier rounds. Where its last round was broken
        off, that round is taken up.

        Events up to and with one ``RoundEnded``. Whoever stops reading closes the generator.
        """
        ...

    def settle(self, messages: Sequence[Message]) -> None:
        """The answer is whole, and nobody waits any more: prepare for the next question. Raises nothing."""
        ...


MakeResponder: TypeAlias = Callable[[Tell], Responder]
"""Chooses what answers the next turn. Raises AppError where nothing can."""
