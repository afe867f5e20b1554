"""The calls of one conversation as rows: made from its messages, then kept up by events."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from app.domain.answers import new_answer
from app.domain.events import (
    ApprovalRequested,
    PartDelta,
    PartFinished,
    PartStarted,
    ToolStatusChanged,
    TurnFinished,
    TurnStarted,
)
from app.domain.fold import AnswerFold, ToolCall
from app.domain.messages import Message, ToolStatus

ENTRY = Qt.ItemDataRole.UserRole
SUMMARY_CHARS = 120
Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class CallEntry:
    """One call as a row.

    ``status``: None while its arguments are being written.
    ``started``: on the monotonic clock, while it runs.
    """

    message_id: str
    call_id: str
    name: str
    arguments: str
    status: ToolStatus | None = None
    result: str = ""
    seconds: float = 0.0
    started: float | None = None

    @classmethod
    def of(cls, message_id: str, call: ToolCall) -> "CallEntry":
        return cls(message_id, call.id, call.name, call.arguments, call.status, call.result, call.seconds, call.since)

    @property
    def open(self) -> bool:
        return self.status is None or not self.status.ended

    def summary(self) -> str:
        """The arguments on one line, without the braces where they are a plain object."""
        head = self.arguments[: 4 * SUMMARY_CHARS]
        try:
            values = json.loads(self.arguments) if len(self.arguments) <= len(head) else None
        except ValueError:
            values = None
        if isinstance(values, dict):
            head = ", ".join(v if isinstance(v, str) else json.dumps(v, ensure_ascii=False) for v in values.values())
        return " ".join(head.split())[:SUMMARY_CHARS]


class ToolCallModel(QAbstractListModel):
    """Rows of ``CallEntry``, oldest first."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[CallEntry] = []
        self._row_of: dict[tuple[str, str], int] = {}
        self._shown: dict[str, Message] = {}
        self._begun: Sequence[ToolCall] = ()
        self._folds: dict[str, AnswerFold] = {}  # of answers that something has happened to since they were shown

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        entry = self._rows[index.row()]
        if role == ENTRY:
            return entry
        if role == Qt.ItemDataRole.DisplayRole:
            return f"{entry.name} {entry.summary()}"
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{entry.name}, {entry.status.value if entry.status else 'writing'}, {entry.summary()}"
        return None

    def entry(self, row: int) -> CallEntry:
        return self._rows[row]

    def row_of(self, call_id: str, message_id: str = "") -> int:
        """The row of a call, the newest where ``message_id`` is not known; -1 if there is none."""
        if message_id:
            return self._row_of.get((message_id, call_id), -1)
        return max((row for (_, call), row in self._row_of.items() if call == call_id), default=-1)

    def show(self, messages: Iterable[Message], begun: Sequence[ToolCall] = ()) -> None:
        """The calls of ``messages`` and nothing else. ``begun``: those that run or wait for the person."""
        self.beginResetModel()
        self._shown, self._begun, self._folds = {message.id: message for message in messages}, begun, {}
        self._rows = [entry for message in self._shown.values() for entry in entries(message, begun)]
        self._row_of = {(entry.message_id, entry.call_id): row for row, entry in enumerate(self._rows)}
        self.endResetModel()

    def apply(self, event: object) -> None:
        """Take an event of an answer of the shown conversation; others pass by."""
        answer = getattr(event, "answer_id", "")
        if not answer:
            return
        fold = self._folds.get(answer)
        if fold is None:
            message = self._shown.get(answer) or new_answer("", answer)
            fold = self._folds[answer] = AnswerFold(message, begun=self._begun)
        if not fold.apply(event):
            return
        match event:
            case PartStarted(index=index):
                self._drop_forgotten(answer, fold)
                self._put(answer, fold.call_at(index))
            case PartDelta(index=index) | PartFinished(index=index):
                self._put(answer, fold.call_at(index))
            case ToolStatusChanged(call_id=call_id) | ApprovalRequested(call_id=call_id):
                self._put(answer, fold.call(call_id))
            case TurnStarted() | TurnFinished():
                for call in fold.calls():
                    self._put(answer, call)

    def _put(self, answer: str, call: ToolCall | None) -> None:
        """Set the row of a call or append it; None is no call."""
        if call is None:
            return
        entry = CallEntry.of(answer, call)
        row = self._row_of.get((answer, call.id))
        if row is None:
            row = len(self._rows)
            self.beginInsertRows(QModelIndex(), row, row)
            self._rows.append(entry)
            self._row_of[answer, call.id] = row
            self.endInsertRows()
        elif entry != self._rows[row]:
            self._rows[row] = entry
            index = self.index(row)
            self.dataChanged.emit(index, index)

    def _drop_forgotten(self, answer: str, fold: AnswerFold) -> None:
        """A continued answer goes back to the start of a round: its last calls are gone."""
        kept = len(self._rows)
        while kept and (last := self._rows[kept - 1]).message_id == answer and fold.call(last.call_id) is None:
            kept -= 1
        if kept == len(self._rows):
            return
        self.beginRemoveRows(QModelIndex(), kept, len(self._rows) - 1)
        for entry in self._rows[kept:]:
            del self._row_of[answer, entry.call_id]
        del self._rows[kept:]
        self.endRemoveRows()


def entries(message: Message, begun: Sequence[ToolCall] = ()) -> list[CallEntry]:
    """The calls of one message, each with its result where it has one."""
    return [CallEntry.of(message.id, call) for call in AnswerFold(message, begun=begun).calls()]


def pretty(text: str) -> str:
    """JSON indented for reading; anything else as it is."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text
