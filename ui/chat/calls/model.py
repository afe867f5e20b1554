"""The calls of one conversation as rows: made from its messages, then kept up by events."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from time import monotonic

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from app.domain.events import PartDelta, PartFinished, PartStarted, ToolStatusChanged, TurnFinished
from app.domain.messages import Message, MessageStatus, ToolCallPart, ToolResultPart, ToolStatus

ENTRY = Qt.ItemDataRole.UserRole
SUMMARY_CHARS = 120
Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class CallEntry:
    """One call. ``status`` None: its arguments are still being written. ``started`` is on the monotonic clock."""

    message_id: str
    call_id: str
    name: str
    arguments: str
    status: ToolStatus | None = None
    result: str = ""
    seconds: float = 0.0
    started: float | None = None

    @property
    def open(self) -> bool:
        return self.status in (None, ToolStatus.RUNNING, ToolStatus.WAITING)

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
        self._streaming: dict[tuple[str, int], tuple[str, str]] = {}  # (answer, part index) -> key of a call or result

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

    def show(self, messages: Iterable[Message]) -> None:
        """The calls of ``messages`` and nothing else."""
        self.beginResetModel()
        self._rows, self._row_of, self._streaming = [], {}, {}
        for message in messages:
            for entry in entries(message):
                self._row_of[entry.message_id, entry.call_id] = len(self._rows)
                self._rows.append(entry)
        self.endResetModel()

    def apply(self, event: object) -> None:
        match event:
            case (
                PartStarted(answer_id=answer, index=index, part=part)
                | PartFinished(answer_id=answer, index=index, part=part)
            ):
                self._part(answer, index, part, finished=isinstance(event, PartFinished))
            case PartDelta(answer_id=answer, index=index, text=text) if (answer, index) in self._streaming:
                self._grow(self._streaming[answer, index], text)
            case ToolStatusChanged(answer_id=answer, call_id=call, status=status):
                self._set(
                    (answer, call),
                    status=status,
                    started=monotonic() if status is ToolStatus.RUNNING else None,
                )
            case TurnFinished(answer_id=answer):
                self._end(answer)
            case _:
                pass

    def _part(self, answer: str, index: int, part: object, *, finished: bool) -> None:
        match part:
            case ToolCallPart(id=call, name=name, arguments=arguments):
                key = (answer, call)
                self._streaming[answer, index] = key
                if key not in self._row_of:
                    self._append(CallEntry(answer, call, name, arguments))
                else:
                    self._set(key, name=name, arguments=arguments)
            case ToolResultPart(call_id=call, result=result, status=status, seconds=seconds):
                key = (answer, call)
                self._streaming[answer, index] = key
                if finished:
                    self._set(key, result=result, status=status, seconds=seconds, started=None)
                else:
                    self._set(key, result=result)
            case _:
                pass
        if finished:
            self._streaming.pop((answer, index), None)

    def _grow(self, key: tuple[str, str], text: str) -> None:
        entry = self._rows[self._row_of[key]]
        if entry.status is None:
            self._set(key, arguments=entry.arguments + text)
        else:
            self._set(key, result=entry.result + text)

    def _append(self, entry: CallEntry) -> None:
        row = len(self._rows)
        self.beginInsertRows(QModelIndex(), row, row)
        self._rows.append(entry)
        self._row_of[entry.message_id, entry.call_id] = row
        self.endInsertRows()

    def _set(self, key: tuple[str, str], **changes: object) -> None:
        row = self._row_of.get(key)
        if row is None:
            return
        self._rows[row] = replace(self._rows[row], **changes)  # type: ignore[arg-type]  # field names, checked by use
        index = self.index(row)
        self.dataChanged.emit(index, index)

    def _end(self, answer: str) -> None:
        """Calls that got no result before the answer ended never will."""
        for key, row in self._row_of.items():
            if key[0] == answer and self._rows[row].open:
                unfinished = self._rows[row].status is None
                self._set(key, status=ToolStatus.INCOMPLETE if unfinished else ToolStatus.CANCELLED, started=None)


def entries(message: Message) -> list[CallEntry]:
    """The calls of one message, each with its result where it has one."""
    results = {part.call_id: part for part in message.parts if isinstance(part, ToolResultPart)}
    live = message.status is MessageStatus.STREAMING
    found: list[CallEntry] = []
    for part in message.parts:
        if not isinstance(part, ToolCallPart):
            continue
        result = results.get(part.id)
        if result is None:
            status = None if live else ToolStatus.INCOMPLETE
            found.append(CallEntry(message.id, part.id, part.name, part.arguments, status))
        else:
            found.append(
                CallEntry(message.id, part.id, part.name, part.arguments, result.status, result.result, result.seconds)
            )
    return found


def pretty(text: str) -> str:
    """JSON indented for reading; anything else as it is."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text
