"""What happened, as values. In the mailbox deltas of the same part merge; terminal events never do."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from app.domain.errors import ErrorInfo
from app.domain.messages import GenerationStats, MessageStatus, Part, StopReason, ToolStatus
from app.domain.models import ModelInfo
from app.domain.placement import Tuning


@dataclass(frozen=True, slots=True)
class TurnStarted:
    """The question is stored; the answer exists, empty and streaming."""

    conversation_id: str
    user_message_id: str
    answer_id: str


@dataclass(frozen=True, slots=True)
class TurnQueued:
    """The engine works for another conversation; ``ahead`` generations come first."""

    conversation_id: str
    answer_id: str
    ahead: int


@dataclass(frozen=True, slots=True)
class PrefillProgress:
    """The prompt is being read: ``done`` of ``total`` tokens, ``cached`` of them for free."""

    conversation_id: str
    answer_id: str
    done: int
    total: int
    cached: int


@dataclass(frozen=True, slots=True)
class PartStarted:
    """Part ``index`` of the answer opens. Indexes count from 0 and grow by one; where a continued answer is taken up
    again inside a round, an index comes again and everything from it on is replaced."""

    conversation_id: str
    answer_id: str
    index: int
    part: Part


@dataclass(frozen=True, slots=True)
class PartDelta:
    """``text`` is appended to the part's text (reasoning, text), arguments (tool call) or result."""

    conversation_id: str
    answer_id: str
    index: int
    text: str


@dataclass(frozen=True, slots=True)
class PartFinished:
    """The part as it will be stored."""

    conversation_id: str
    answer_id: str
    index: int
    part: Part


@dataclass(frozen=True, slots=True)
class ToolStatusChanged:
    """A call runs, or waits for the person. Its end is a ``PartFinished`` with a ``ToolResultPart``."""

    conversation_id: str
    answer_id: str
    call_id: str
    status: ToolStatus


@dataclass(frozen=True, slots=True)
class ApprovalRequested:
    conversation_id: str
    answer_id: str
    call_id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class TokenRate:
    """While an answer streams, about four times a second: tokens a second since the last one, and how full the context
    is."""

    conversation_id: str
    answer_id: str
    tokens_per_second: float
    context_used: int
    context_size: int


@dataclass(frozen=True, slots=True)
class TurnFinished:
    """The answer is sealed. ``error`` is set where the status is FAILED or INTERRUPTED."""

    conversation_id: str
    answer_id: str
    status: MessageStatus
    stop_reason: StopReason | None
    stats: GenerationStats
    error: ErrorInfo | None = None


@dataclass(frozen=True, slots=True)
class ConversationChanged:
    """Title, documents or the active leaf changed; ``deleted`` tells that it left the list."""

    conversation_id: str
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class ModelLoading:
    path: str
    name: str
    progress: float  # 0 to 1


@dataclass(frozen=True, slots=True)
class ModelLoaded:
    """``note``: what is different from what was asked for, and why."""

    model: ModelInfo
    note: ErrorInfo | None = None


@dataclass(frozen=True, slots=True)
class ModelFailed:
    path: str
    name: str
    error: ErrorInfo


@dataclass(frozen=True, slots=True)
class ModelUnloaded:
    path: str


@dataclass(frozen=True, slots=True)
class ModelTuned:
    """Placements of the model were timed on this machine; the fastest one is used from its next load on."""

    path: str
    tuning: Tuning


@dataclass(frozen=True, slots=True)
class EngineDied:
    """The engine's process ended by itself. The next request loads it again by a safer plan."""

    path: str
    error: ErrorInfo


@dataclass(frozen=True, slots=True)
class IndexProgress:
    """The documents thread works: ``done`` of ``total`` files looked at; ``path`` is the one being read, or ""."""

    done: int
    total: int
    path: str = ""


@dataclass(frozen=True, slots=True)
class IndexFinished:
    """``indexed``: files readable now, ``skipped``: files that could not be read, each with a sentence."""

    scope: tuple[str, ...]
    indexed: int
    skipped: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class BackgroundFailed:
    """A bug or failure outside a turn. ``where`` names the part of the program."""

    where: str
    error: ErrorInfo


class DownloadState(StrEnum):
    QUEUED = "queued"
    PREPARING = "preparing"  # asks the Hub
    DOWNLOADING = "downloading"
    WAITING = "waiting"  # the line dropped or the Hub asked for a pause; goes on by itself
    VERIFYING = "verifying"
    PAUSED = "paused"  # by the person, or because the program ended
    FAILED = "failed"  # can be resumed


@dataclass(frozen=True, slots=True)
class DownloadProgress:
    """``done`` of ``total`` bytes of all the model's files. ``note`` says why it waits or started over."""

    id: str
    name: str
    done: int
    total: int
    bytes_per_second: float
    state: DownloadState
    note: ErrorInfo | None = None


@dataclass(frozen=True, slots=True)
class DownloadFinished:
    """The model is in the library. ``path``: its file, the first one of several."""

    id: str
    path: str


@dataclass(frozen=True, slots=True)
class DownloadFailed:
    """It stopped by itself; what was fetched is kept, and resuming goes on from there."""

    id: str
    error: ErrorInfo


Event: TypeAlias = (
    TurnStarted
    | TurnQueued
    | PrefillProgress
    | PartStarted
    | PartDelta
    | PartFinished
    | ToolStatusChanged
    | ApprovalRequested
    | TokenRate
    | TurnFinished
    | ConversationChanged
    | ModelLoading
    | ModelLoaded
    | ModelFailed
    | ModelUnloaded
    | ModelTuned
    | EngineDied
    | IndexProgress
    | IndexFinished
    | BackgroundFailed
    | DownloadProgress
    | DownloadFinished
    | DownloadFailed
)
