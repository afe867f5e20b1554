"""A responder without a model, for the tests of other rooms: each round is written down beforehand.

A round is a list of pieces, one token each, and how it ends. An exception among the pieces is raised there, and a
function is called there: to set a cancel token, to wait for a test.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, get_args

from app.domain.answers import unfinished_round
from app.domain.cancel import CancelToken
from app.domain.messages import GenerationStats, Message, StopReason
from app.domain.models import ModelAbilities
from app.domain.output import OutputEvent
from app.domain.tools import ToolSpec
from app.responders.protocol import Abilities, Progress, RespondOptions, RoundEnded, RoundEvent, TakenUp, Tell, Written

Piece: TypeAlias = OutputEvent | Progress | BaseException | Callable[[], None]
_OUTPUT = get_args(OutputEvent)


@dataclass(frozen=True, slots=True)
class Round:
    """``room``: see ``RoundEnded``."""

    pieces: Sequence[Piece]
    stop_reason: StopReason = StopReason.STOP
    room: int = 10_000


@dataclass(frozen=True, slots=True)
class Asked:
    """What a round was asked with."""

    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...]
    options: RespondOptions


@dataclass(eq=False, slots=True)
class Script:
    """The rounds to come, what was asked for them, and what was settled. Shared by all turns of a test."""

    rounds: list[Round] = field(default_factory=list)
    abilities: Abilities = field(
        default_factory=lambda: Abilities("scripted", 4096, ModelAbilities(thinks=True, takes_tools=True))
    )
    asked: list[Asked] = field(default_factory=list)
    settled: list[tuple[Message, ...]] = field(default_factory=list)

    def add(self, *pieces: Piece, stop_reason: StopReason = StopReason.STOP, room: int = 10_000) -> None:
        self.rounds.append(Round(pieces, stop_reason, room))

    def responder(self, tell: Tell) -> "ScriptedResponder":
        """A ``MakeResponder``."""
        return ScriptedResponder(self, tell)


class ScriptedResponder:
    """A ``Responder`` that says the next round of its script, whatever it is asked."""

    def __init__(self, script: Script, tell: Tell) -> None:
        self._script = script
        self._tell = tell

    def open(self, cancel: CancelToken) -> Abilities:
        cancel.raise_if_cancelled()
        return self._script.abilities

    def respond(
        self, messages: Sequence[Message], tools: Sequence[ToolSpec], options: RespondOptions, cancel: CancelToken
    ) -> Generator[RoundEvent, None, None]:
        script = self._script
        script.asked.append(Asked(tuple(messages), tuple(tools), options))
        scripted = script.rounds.pop(0)
        partial = unfinished_round(messages[-1])
        if partial is not None:
            yield TakenUp(partial.keep)
        yield Written()
        tokens = 0
        for piece in scripted.pieces:
            if cancel.cancelled:
                yield RoundEnded(StopReason.CANCELLED, GenerationStats(generated_tokens=tokens))
                return
            if isinstance(piece, _OUTPUT):
                tokens += 1
                yield Written((piece,), 1, getattr(piece, "text", ""), (tokens,), "scripted")
            else:
                self._do(piece)
        yield RoundEnded(scripted.stop_reason, GenerationStats(generated_tokens=tokens), scripted.room)

    def settle(self, messages: Sequence[Message]) -> None:
        self._script.settled.append(tuple(messages))

    def _do(self, piece: Piece) -> None:
        if isinstance(piece, BaseException):
            raise piece
        if callable(piece):
            piece()
        else:
            self._tell(piece)  # type: ignore[arg-type] # output was told before
