"""What callers ask of the engine's thread, and how the answers come back to them."""

import queue
from dataclasses import dataclass, field
from typing import TypeAlias

from app.domain.errors import AppError, Cancelled
from app.domain.messages import GenerationStats, StopReason
from app.domain.models import LoadRequest, ModelInfo, PromptText
from app.engine.protocol import EngineEvent, Finished, GenerationRequest, Tokens


@dataclass(eq=False, slots=True)
class LoadJob:
    """A model is to be loaded.

    ``again``: the loop's own, after a death or a rest; nobody waits for it but the jobs behind it.
    ``afresh``: also where it is loaded.
    ``tries``: how often it was begun again by itself.
    """

    request: LoadRequest
    again: bool = False
    afresh: bool = False
    tries: int = 0
    stopped: bool = False
    answer: "queue.SimpleQueue[ModelInfo | AppError | Cancelled]" = field(default_factory=queue.SimpleQueue)

    def fail(self, error: AppError | Cancelled) -> None:
        self.answer.put(error)


@dataclass(eq=False, slots=True)
class UnloadJob:
    """The model is to be unloaded."""

    answer: "queue.SimpleQueue[None]" = field(default_factory=queue.SimpleQueue)

    def fail(self, _error: AppError | Cancelled) -> None:
        self.answer.put(None)  # what was to be unloaded is gone


@dataclass(eq=False, slots=True)
class TokenizeJob:
    """Token ids are asked for."""

    texts: tuple[PromptText, ...]
    add_special: bool
    answer: "queue.SimpleQueue[tuple[tuple[int, ...], ...] | AppError | Cancelled]" = field(
        default_factory=queue.SimpleQueue
    )

    def fail(self, error: AppError | Cancelled) -> None:
        self.answer.put(error)


@dataclass(eq=False, slots=True)
class GenerateJob:
    """An answer is to be written.

    ``spoken``: a token was there.
    ``tries``: how often it was begun again by itself.
    ``ahead``: how many answers come first, as last told.
    """

    request: GenerationRequest
    spoken: bool = False
    tries: int = 0
    stopped: bool = False
    ahead: int = 0  # as last told
    events: "queue.SimpleQueue[EngineEvent | AppError | Cancelled]" = field(default_factory=queue.SimpleQueue)

    def fail(self, error: AppError | Cancelled) -> None:
        self.events.put(error)

    def tell(self, event: EngineEvent) -> None:
        self.spoken = self.spoken or isinstance(event, Tokens)
        self.events.put(event)

    def never_started(self) -> None:
        stats = GenerationStats(prompt_tokens=len(self.request.prompt))
        self.events.put(Finished(StopReason.CANCELLED, stats))


@dataclass(eq=False, slots=True)
class ReadAheadJob:
    """A prompt's beginning is to be read in idle time. Nobody waits for it."""

    prompt: tuple[int, ...]
    conversation: str

    def fail(self, _error: AppError | Cancelled) -> None:
        pass


@dataclass(eq=False, slots=True)
class ForgetJob:
    """What is kept of a conversation is to be deleted. Nobody waits for it."""

    conversation: str


EngineJob: TypeAlias = LoadJob | UnloadJob | TokenizeJob | GenerateJob | ReadAheadJob | ForgetJob
