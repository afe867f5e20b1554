"""What the worker and the child process say to each other over the pipe. Generations run one at a time, so their
messages need no ids; the child's first message is about the load that it was started for."""

import marshal
import pickle
from dataclasses import dataclass
from typing import TypeAlias

from app.domain.errors import ErrorInfo
from app.domain.models import ModelInfo, PromptText
from app.engine.protocol import Finished, GenerationRequest, Prefill
from app.process.messages import LoadFailed, LoadProgress


@dataclass(frozen=True, slots=True)
class Tokenize:
    """Token ids are asked for. Answered by ``Tokenized`` with the same id, also while a generation runs."""

    id: int
    texts: tuple[PromptText, ...]
    add_special: bool


@dataclass(frozen=True, slots=True)
class Generate:
    """An answer is asked for. Answered by any number of ``Prefill`` and ``Made`` and one ``Finished`` or ``Failed``."""

    request: GenerationRequest


@dataclass(frozen=True, slots=True)
class Forget:
    """Keep no state of the conversation. Not answered."""

    conversation: str


@dataclass(frozen=True, slots=True)
class ReadAhead:
    """Evaluate what the conversation's next prompt begins with.

    Answered by ``ReadAheadEnded`` when that is done, was not worth it, or was stopped.
    """

    prompt: tuple[int, ...]
    conversation: str


@dataclass(frozen=True, slots=True)
class ReadAheadEnded:
    """``error`` None: all is well, however far it came."""

    error: ErrorInfo | None = None


@dataclass(frozen=True, slots=True)
class Loaded:
    """The model is ready. The child's second word, after any number of ``LoadProgress``."""

    model: ModelInfo


@dataclass(frozen=True, slots=True)
class Tokenized:
    """The ids of each text, or an error."""

    id: int
    ids: tuple[tuple[int, ...], ...]
    error: ErrorInfo | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """Tokens in columns of plain values, which travel faster than one object a token."""

    ids: tuple[int, ...]
    texts: tuple[str, ...]
    controls: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Failed:
    """The generation ended by an error; the model is still loaded."""

    error: ErrorInfo


Command: TypeAlias = Tokenize | Generate | ReadAhead | Forget
Reply: TypeAlias = LoadProgress | Loaded | LoadFailed | Tokenized | Made | Prefill | Finished | Failed | ReadAheadEnded

_TOKENS = b"t"  # no pickle begins with it


def encode(reply: Reply) -> bytes:
    """For the pipe. Tokens skip pickle: a decode step leaves every cache cold, and then pickling costs 0.1 ms."""
    if isinstance(reply, Made):
        return _TOKENS + marshal.dumps((reply.ids, reply.texts, reply.controls))
    return pickle.dumps(reply)


def decode(data: bytes) -> Reply:
    """What our own child wrote with ``encode``."""
    if data[:1] == _TOKENS:
        return Made(*marshal.loads(data[1:]))  # noqa: S302 - our own child, the same Python
    reply: Reply = pickle.loads(data)  # noqa: S301 - our own child
    return reply
