"""The sidebar's rows: conversations under the headings Today, Yesterday and Earlier."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from app.domain.messages import Conversation
from ui.widgets.tip import plain_tip

CONVERSATION = Qt.ItemDataRole.UserRole
HEADING = Qt.ItemDataRole.UserRole + 1
RUNNING = Qt.ItemDataRole.UserRole + 2
SNIPPET = Qt.ItemDataRole.UserRole + 3
Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class Heading:
    text: str


class ConversationModel(QAbstractListModel):
    """Headings and conversations, newest first. ``renamed(id, title)`` is emitted when a title was edited in place."""

    renamed = Signal(str, str)

    def __init__(self, now: Callable[[], datetime], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._now = now
        self._rows: list[Conversation | Heading] = []
        self._row_of: dict[str, int] = {}
        self._running: set[str] = set()
        self._snippets: dict[str, str] = {}

    def show(self, conversations: Sequence[Conversation]) -> None:
        """All conversations, the last changed first."""
        self._replace(list(self._grouped(conversations)), {})

    def show_found(self, found: Sequence[tuple[Conversation, str]]) -> None:
        """What a search found, best first, each with the words around the place."""
        heading = Heading(self.tr("Found") if found else self.tr("Nothing found"))
        snippets = {conversation.id: text for conversation, text in found if text != conversation.title}
        self._replace([heading, *(conversation for conversation, _ in found)], snippets)

    def _replace(self, rows: list[Conversation | Heading], snippets: dict[str, str]) -> None:
        """Rows that only changed their contents do not reset the view."""
        known = [row_key(row) for row in self._rows]
        same_shape = snippets == self._snippets and [row_key(row) for row in rows] == known
        self._snippets = snippets
        if same_shape:
            self._rows = rows
            if rows:
                self.dataChanged.emit(self.index(0), self.index(len(rows) - 1))
            return
        self.beginResetModel()
        self._rows = rows
        self._row_of = {row.id: i for i, row in enumerate(rows) if isinstance(row, Conversation)}
        self.endResetModel()

    def conversations(self) -> list[Conversation]:
        return [row for row in self._rows if isinstance(row, Conversation)]

    def set_running(self, conversation_id: str, running: bool) -> None:
        changed = running != (conversation_id in self._running)
        (self._running.add if running else self._running.discard)(conversation_id)
        index = self.index_of(conversation_id)
        if changed and index.isValid():
            self.dataChanged.emit(index, index)

    @property
    def running(self) -> frozenset[str]:
        return frozenset(self._running)

    def index_of(self, conversation_id: str | None) -> QModelIndex:
        row = self._row_of.get(conversation_id or "", -1)
        return self.index(row) if row >= 0 else QModelIndex()

    def conversation(self, index: Index) -> Conversation | None:
        row = self._rows[index.row()] if index.isValid() else None
        return row if isinstance(row, Conversation) else None

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        row = self._rows[index.row()]
        if isinstance(row, Heading):
            return row.text if role in (Qt.ItemDataRole.DisplayRole, HEADING) else None
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return row.title or self.tr("New chat")
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(row.title or self.tr("New chat"))
        if role == CONVERSATION:
            return row
        if role == RUNNING:
            return row.id in self._running
        if role == SNIPPET:
            return self._snippets.get(row.id, "")
        return None

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        conversation = self.conversation(index)
        title = " ".join(str(value).split())
        if role != Qt.ItemDataRole.EditRole or conversation is None or title in ("", conversation.title):
            return False
        self.renamed.emit(conversation.id, title)
        return True

    def flags(self, index: Index) -> Qt.ItemFlag:
        if self.conversation(index) is None:
            return Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEditable

    def _grouped(self, conversations: Iterable[Conversation]) -> Iterable[Conversation | Heading]:
        today = self._now().date()
        last = ""
        for conversation in conversations:
            day = datetime.fromtimestamp(conversation.updated).date()
            if day >= today:
                heading = self.tr("Today")
            elif day == today - timedelta(days=1):
                heading = self.tr("Yesterday")
            else:
                heading = self.tr("Earlier")
            if heading != last:
                yield Heading(heading)
                last = heading
            yield conversation


def row_key(row: Conversation | Heading) -> str:
    return row.id if isinstance(row, Conversation) else f"#{row.text}"
