"""A conversation is a tree of messages; a message has a role and ordered parts.

A finished message is immutable: editing a question or asking for another answer adds a sibling. The history is the walk
from the active leaf to the root. All tool rounds of one answer are parts of one assistant message.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

from app.domain.sources import Locator, Source


class Role(StrEnum):
    USER = "user"
    ASSISTANT = "assistant"


class MessageStatus(StrEnum):
    STREAMING = "streaming"  # being written by the process that the message names
    COMPLETE = "complete"
    STOPPED = "stopped"  # the person pressed Stop
    INTERRUPTED = "interrupted"  # the program or the engine died while it was written; can be continued
    FAILED = "failed"  # ended by an error; the error is kept


class StopReason(StrEnum):
    STOP = "stop"  # the model ended its answer
    LENGTH = "length"  # the token limit of this answer
    CONTEXT_FULL = "context_full"
    CANCELLED = "cancelled"
    TOOL_LIMIT = "tool_limit"  # too many tool rounds in one turn


class ToolStatus(StrEnum):
    RUNNING = "running"
    WAITING = "waiting"  # for the person's approval
    OK = "ok"
    FAILED = "failed"
    DENIED = "denied"
    CANCELLED = "cancelled"
    INCOMPLETE = "incomplete"  # cut off before the call was whole, or malformed: never run

    @property
    def ended(self) -> bool:
        """Whether nothing more happens with the call."""
        return self not in (ToolStatus.RUNNING, ToolStatus.WAITING)


@dataclass(frozen=True, slots=True)
class ReasoningPart:
    text: str
    seconds: float | None = None
    tokens: int | None = None


@dataclass(frozen=True, slots=True)
class TextPart:
    text: str


@dataclass(frozen=True, slots=True)
class ToolCallPart:
    """A call as the model wrote it: ``arguments`` is raw JSON text. ``id`` is ours, unique in the message."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ToolResultPart:
    """What came back. ``result`` is the text that goes into the prompt."""

    call_id: str
    name: str
    status: ToolStatus
    result: str
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class AttachmentPart:
    """A file or folder that the person handed over with a question. Its text is found by search, not stored here."""

    path: str
    name: str
    size: int = 0


@dataclass(frozen=True, slots=True)
class SourcesPart:
    """Passages that were given to the model before or during this answer, as a snapshot."""

    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class CitationPart:
    """The model wrote ``[n]`` and ``n`` was a given source. ``quote`` is a snapshot of that passage."""

    n: int
    path: str
    locator: Locator
    quote: str


@dataclass(frozen=True, slots=True)
class NotePart:
    """A remark of the program inside an answer (a malformed call, a dropped grammar). English template by code."""

    code: str
    text: str


Part: TypeAlias = (
    ReasoningPart | TextPart | ToolCallPart | ToolResultPart | AttachmentPart | SourcesPart | CitationPart | NotePart
)

PART_KINDS: Mapping[str, type[Part]] = MappingProxyType(
    {
        "reasoning": ReasoningPart,
        "text": TextPart,
        "tool_call": ToolCallPart,
        "tool_result": ToolResultPart,
        "attachment": AttachmentPart,
        "sources": SourcesPart,
        "citation": CitationPart,
        "note": NotePart,
    }
)
"""By the names under which parts are stored and exported."""


def part_kind(part: Part) -> str:
    """Its name in ``PART_KINDS``."""
    return _NAMES[type(part)]


_NAMES = {cls: kind for kind, cls in PART_KINDS.items()}


class Change(StrEnum):
    """Why tokens that were known had to be evaluated again."""

    NONE = ""
    MODEL = "model"  # another model, or this one loaded in another way
    INSTRUCTIONS = "instructions"  # the system prompt
    TOOLS = "tools"
    EXAMPLES = "examples"  # of citing, which stand before a question with sources
    THINKING = "thinking"  # reasoning was switched on or off
    DROPPED = "dropped"  # the oldest messages left the context
    BRANCH = "branch"  # another branch of the conversation
    REASONING = "reasoning"  # the template leaves old reasoning out
    FORGOTTEN = "forgotten"  # the engine no longer had them
    SPELLING = "spelling"  # the same text in other tokens


@dataclass(frozen=True, slots=True)
class GenerationStats:
    """Counts in tokens, times in seconds, of one generation or summed over the rounds of a turn.

    ``cached_from``: where the cached tokens were: "memory", "disk" (a saved state), "none". ``known_tokens``: how many
    the engine knew there; those beyond ``cached_tokens`` differ from the prompt. ``restore_s``, a part of
    ``prefill_s``: finding and reading them. ``evaluated_tokens``: of the prompts of all rounds, those that were
    evaluated, ``again_tokens`` of them although they had been before, and ``again_because`` the first reason for it.
    """

    prompt_tokens: int = 0
    cached_tokens: int = 0  # of the prompt, taken from the KV cache
    generated_tokens: int = 0
    prefill_s: float = 0.0
    decode_s: float = 0.0
    ttft_s: float = 0.0  # from the request to the first token
    cached_from: str = "none"
    known_tokens: int = 0
    restore_s: float = 0.0
    evaluated_tokens: int = 0
    again_tokens: int = 0
    again_because: Change = Change.NONE


@dataclass(frozen=True, slots=True)
class GeneratedSpan:
    """One round's output exactly as the model wrote it: the ids for the prefix cache, the raw text for a better parser.

    ``vocabulary`` is the fingerprint of the vocabulary that the ids belong to.
    """

    round: int
    raw: str
    token_ids: tuple[int, ...]
    vocabulary: str


@dataclass(frozen=True, slots=True)
class Message:
    id: str
    conversation_id: str
    parent_id: str | None
    role: Role
    status: MessageStatus
    parts: tuple[Part, ...]
    created: float  # seconds since 1970
    model: str = ""  # file name or remote name, for an assistant message
    stop_reason: StopReason | None = None
    stats: GenerationStats | None = None
    error: str = ""  # one sentence, for FAILED and INTERRUPTED
    spans: tuple[GeneratedSpan, ...] = ()

    def text(self) -> str:
        """The visible text alone."""
        return "".join(part.text for part in self.parts if isinstance(part, TextPart))


@dataclass(frozen=True, slots=True)
class Conversation:
    """``documents``: absolute paths of files and folders that the conversation may read."""

    id: str
    title: str
    created: float
    updated: float
    active_leaf: str | None = None
    documents: tuple[str, ...] = ()
    model: str = ""
    titled_by_person: bool = False
