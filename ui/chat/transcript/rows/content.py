"""What the rows of a transcript show, as values, and how high they probably are before anybody has laid them out.

No Qt in here. Rows of text (prose, code, table) are in ``rows``.
"""

from dataclasses import dataclass
from typing import TypeAlias

from app.domain.messages import (
    AttachmentPart,
    GenerationStats,
    MessageStatus,
    StopReason,
    ToolStatus,
)
from app.domain.sources import Source
from ui.chat.transcript.rows.packing import GAP, NO_GAP, CodeRow, ProseRow, Row, TableRow

USER_GAP = 32  # px above a question
ANSWER_GAP = 0  # px above an answer: the room for a question's buttons is enough
DISPLAY = 24  # px that a formula on a line of its own has more than a line of text
USER_ROW = 4000  # characters of a question in one row


@dataclass(frozen=True, slots=True)
class UserRow:
    """A piece of a question; a long one is several rows, whose bubble is drawn as one."""

    message_id: str
    text: str
    whole: str
    first: bool
    last: bool
    attachments: tuple[AttachmentPart, ...] = ()
    siblings: tuple[int, int] = (0, 1)  # index from 0, count
    gap: int = NO_GAP


@dataclass(frozen=True, slots=True)
class ReasoningRow:
    """``started``: monotonic seconds while the model thinks, None afterwards. ``keep_open``: it does not close then."""

    text: str
    started: float | None = None
    seconds: float | None = None
    tokens: int | None = None
    gap: int = GAP
    keep_open: bool = False


@dataclass(frozen=True, slots=True)
class ToolRow:
    """A call and what came back. ``status`` None: the model still writes the arguments."""

    call_id: str
    name: str
    arguments: str
    status: ToolStatus | None = None
    result: str = ""
    seconds: float = 0.0
    started: float | None = None  # monotonic seconds while it runs
    gap: int = 8


@dataclass(frozen=True, slots=True)
class SourcesRow:
    sources: tuple[Source, ...]
    gap: int = 8


@dataclass(frozen=True, slots=True)
class NoteRow:
    text: str
    gap: int = 8


@dataclass(frozen=True, slots=True)
class ErrorRow:
    text: str
    detail: str = ""
    gap: int = GAP


@dataclass(frozen=True, slots=True)
class StatusRow:
    """What happens before the first word. ``percent`` of the prompt read; ``ahead`` answers come first."""

    percent: int | None = None
    ahead: int = 0
    gap: int = GAP


@dataclass(frozen=True, slots=True)
class FooterRow:
    """Below a finished answer."""

    message_id: str
    status: MessageStatus
    stop_reason: StopReason | None
    stats: GenerationStats | None
    model: str
    siblings: tuple[int, int] = (0, 1)
    gap: int = 8


Content: TypeAlias = Row | UserRow | ReasoningRow | ToolRow | SourcesRow | NoteRow | ErrorRow | StatusRow | FooterRow


@dataclass(frozen=True, slots=True)
class Metrics:
    """What estimates are made from, in px: width of the column, mean width of a letter, heights of lines."""

    width: int
    letter: float
    line: int
    code_line: int

    def lines(self, text: str) -> int:
        per_line = max(20.0, self.width / self.letter)
        return text.count("\n") + 1 + int(len(text) / per_line)


def estimate(content: Content, metrics: Metrics, expanded: bool) -> int:
    """Probable height in px, without the gap above."""
    match content:
        case ProseRow(html=html):
            return metrics.line * metrics.lines(html[: len(html) * 9 // 10]) + DISPLAY * html.count("<tex-d>") + 4
        case TableRow(html=html):
            return 36 * max(1, html.count("</tr>"))
        case CodeRow(text=text, first=first, last=last):
            return metrics.code_line * (text.count("\n") + 1) + 44 * first + 14 * last
        case UserRow(text=text, last=last):
            return metrics.line * metrics.lines(text) + 24 + 28 * last
        case ReasoningRow(started=started):
            return 280 if expanded or started is not None else 28
        case ErrorRow(text=text):
            return metrics.line * metrics.lines(text) + 32
        case SourcesRow(sources=sources):
            return 28 + (28 * len(sources) if expanded else 0)
        case ToolRow(status=ToolStatus.WAITING):
            return 84
        case ToolRow():
            return 40
        case _:
            return 28
