"""Keeps the sidebar's list: reading, searching, renaming, deleting with a way back."""

from PySide6.QtCore import QObject, Signal

from app.domain.events import ConversationChanged, TurnStarted
from app.domain.messages import Conversation
from app.services import Services
from ui.bridge import Bridge
from ui.shell.sidebar import Sidebar


class ConversationsController(QObject):
    deleted = Signal(object)  # Conversation: offer to take it back
    loaded = Signal(list)  # list[Conversation], after the first reading

    def __init__(self, services: Services, bridge: Bridge, sidebar: Sidebar, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store = services.store
        self._chat = services.chat
        self._bridge = bridge
        self._sidebar = sidebar
        self._query = ""
        self._current: str | None = None
        self._told = False
        self._reading = False
        self._stale = False
        bridge.received.connect(self._apply)
        sidebar.search_changed.connect(self._search)
        sidebar.model.renamed.connect(self._rename)
        sidebar.list.delete_requested.connect(self.delete)
        sidebar.list.edited.connect(self._edited)

    def refresh(self) -> None:
        """Read the list again; requests while a reading is under way become one."""
        if self._reading or self._sidebar.list.editing:  # a new list would take the editor away
            self._stale = True
            return
        self._reading, self._stale = True, False
        query = self._query
        if query:
            self._bridge.run(lambda: self._store.search(query), self._show_found, self._unread)
        else:
            self._bridge.run(self._store.conversations, self._show, self._unread)

    def select(self, conversation_id: str | None) -> None:
        """Mark the conversation that the window shows."""
        self._current = conversation_id
        self._sidebar.select(conversation_id)

    def delete(self, conversation_id: str) -> None:
        index = self._sidebar.model.index_of(conversation_id)
        conversation = self._sidebar.model.conversation(index)
        if conversation is None:
            return
        self._bridge.run(lambda: self._chat.delete(conversation_id), lambda _: self._gone(conversation), receiver=self)

    def restore(self, conversation_id: str) -> None:
        self._bridge.run(lambda: self._store.restore(conversation_id), lambda _: self.refresh(), receiver=self)

    def set_running(self, conversation_id: str, running: bool) -> None:
        self._sidebar.model.set_running(conversation_id, running)

    def rename_current(self) -> None:
        index = self._sidebar.model.index_of(self._current)
        if index.isValid():
            self._sidebar.list.setFocus()
            self._sidebar.list.edit(index)

    def _gone(self, conversation: Conversation) -> None:
        self.deleted.emit(conversation)
        self.refresh()

    def _rename(self, conversation_id: str, title: str) -> None:
        self._bridge.run(
            lambda: self._store.rename(conversation_id, title), lambda _: self._renamed(conversation_id), receiver=self
        )

    def _renamed(self, conversation_id: str) -> None:
        self.refresh()
        self._bridge.received.emit(ConversationChanged(conversation_id))

    def _search(self, text: str) -> None:
        self._query = text
        self.refresh()

    def _show(self, conversations: list[Conversation]) -> None:
        if not self._query and not self._sidebar.list.editing:
            self._sidebar.model.show(conversations)
        if not self._told:
            self._told = True
            self.loaded.emit(conversations)
        self._read()

    def _show_found(self, found: list[tuple[Conversation, str]]) -> None:
        if self._query:
            self._sidebar.model.show_found(found)
        self._read()

    def _read(self) -> None:
        self._sidebar.select(self._current)
        self._reading = False
        self._edited()

    def _edited(self) -> None:
        if self._stale:
            self.refresh()

    def _unread(self, error: object) -> None:
        self._reading = False
        self._bridge.failed.emit(error)

    def _apply(self, event: object) -> None:
        if isinstance(event, ConversationChanged | TurnStarted):
            self.refresh()
