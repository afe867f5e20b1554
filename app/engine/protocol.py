"""What the rest of the program may ask of an engine, whichever runs behind it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from app.domain.cancel import CancelToken
from app.domain.messages import GenerationStats, StopReason
from app.domain.models import CallGrammar, LoadRequest, ModelInfo, PromptText, Sampling, TokenPiece
from app.domain.placement import Tuning


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """A prompt and what is wanted of its answer.

    ``prompt``: token ids.
    ``max_tokens``: None: up to the context's end.
    ``stop``: texts that end the answer and are not part of it.
    ``conversation``: whose KV cache this is, for reuse across switches.
    ``round``: how often this answer was broken off for tools. Where it began is a place to come back to, where it was
    taken up again is not.
    ``grammar``: what calls have to look like; an engine that cannot see to that leaves it.
    """

    prompt: tuple[int, ...]
    sampling: Sampling
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    conversation: str = ""
    round: int = 0
    grammar: CallGrammar | None = None


@dataclass(frozen=True, slots=True)
class Queued:
    """So many answers come first."""

    ahead: int


@dataclass(frozen=True, slots=True)
class Prefill:
    """``done`` of the prompt's ``total`` tokens are evaluated; ``cached`` of them were already."""

    done: int
    total: int
    cached: int


@dataclass(frozen=True, slots=True)
class Tokens:
    """One or more tokens, in order. End-of-generation tokens are not among them."""

    pieces: tuple[TokenPiece, ...]


@dataclass(frozen=True, slots=True)
class Constrained:
    """How a grammar was used.

    ``calls``: those that it was put to. ``replaced``: tokens that it replaced.
    ``dropped``: why it was given up: "invalid", "loop" (the calls led nowhere), "stuck" (it left no token); "": it was
    not.
    """

    calls: int = 0
    replaced: int = 0
    dropped: str = ""


@dataclass(frozen=True, slots=True)
class Finished:
    """The answer's end.

    ``eog``: the id that ended it, or None.
    ``constrained``: None where no grammar was given.
    """

    stop_reason: StopReason
    stats: GenerationStats
    eog: int | None = None
    constrained: Constrained | None = None


EngineEvent: TypeAlias = Queued | Prefill | Tokens | Finished


class Engine(Protocol):
    """One loaded model at a time, one generation at a time; callers from several threads are served in turn.

    Every method may be called from any thread but the UI's (they wait). Errors are ``AppError``; ``engine-died`` means
    that the process behind it is gone, was reported as an event, and the next call loads the model again.
    """

    @property
    def model(self) -> ModelInfo | None:
        """The loaded model, or None. Never waits."""
        ...

    def load(self, request: LoadRequest, cancel: CancelToken | None = None) -> ModelInfo:
        """Load, replacing what was loaded; at once where the same file is loaded with the same wishes."""
        ...

    def with_learned(self, request: LoadRequest) -> LoadRequest:
        """With what earlier loads of the model taught: the safer plan that it took, the fastest placement.

        Reads two small files and does not wait for anything else.
        """
        ...

    def unload(self) -> None: ...

    def tokenize(self, texts: Sequence[PromptText], *, add_special: bool = False) -> list[tuple[int, ...]]:
        """Token ids of each text by itself. Answered while a generation runs.

        ``add_special``: with the vocabulary's BOS before the first text, where it wants one.
        """
        ...

    def generate(self, request: GenerationRequest, cancel: CancelToken) -> Iterator[EngineEvent]:
        """Events up to and with one ``Finished``. Setting ``cancel`` ends it with ``cancelled`` in milliseconds."""
        ...

    def read_ahead(self, prompt: tuple[int, ...], conversation: str) -> None:
        """Evaluate, in idle time, what the conversation's next prompt surely begins with. Does not wait.

        Only of the conversation that was answered last, and not where the memory holds nearly all of it already.
        Whatever else is asked for stops it at once; what it did so far stays.
        """
        ...

    def tune(self, request: LoadRequest, cancel: CancelToken) -> Tuning:
        """Time a few placements of the model, and load it by the fastest one, which is remembered for this machine.

        Takes some loads' time. Raises Cancelled when something else is asked for meanwhile.
        """
        ...

    def tune_in_idle_time(self, request: LoadRequest, cancel: CancelToken) -> Tuning | None:
        """The same by itself, where nobody can notice. Waits for that, until ``cancel``.

        Once for each model that is quick to load and has room beside itself in memory, after a while without work.
        None where it does not come to it.
        """
        ...

    def forget(self, conversation: str) -> None:
        """Delete what is kept of a conversation, in memory and on disk, to answer it faster. Does not wait."""
        ...

    def close(self) -> None:
        """End the child process and the threads, in order. Idempotent."""
        ...
