"""The conversation on the screen, joined with the list of them, its documents, the status bar and the title."""

from importlib import resources
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.domain.drafts import Draft
from app.domain.messages import Conversation
from ui.shell.features import Features
from ui.shell.statusbar import StatusBar
from ui.shell.welcome import Example


class CurrentChat(QObject):
    titled = Signal(str)  # "" for a chat that has no title yet

    def __init__(self, features: Features, status: StatusBar, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._features = features
        self._chat, self._conversations, self._documents = features.chat, features.conversations, features.documents
        self._status = status
        self._views = features.views
        self._first = ""  # the conversation to show once the list is read
        self._shown: str | None = None  # the conversation that was opened last
        self._writes = False  # the person chose a chat, and goes on in the composer
        self._join()

    @property
    def id(self) -> str:
        """Of the conversation, "" for one that is not stored yet."""
        conversation = self._chat.conversation
        return conversation.id if conversation is not None else ""

    def begin(self, first: str) -> None:
        """An empty chat, and in its place ``first`` as soon as that is read. No welcome flashes by before."""
        self._first = first
        self._chat.new()
        self._views.show_transcript(bool(first))

    def new(self) -> None:
        self._chat.new()
        self._views.composer.setFocus()

    def delete(self) -> None:
        if self.id:
            self._conversations.delete(self.id)

    def _join(self) -> None:
        chat, views, status = self._chat, self._views, self._status
        chat.opened.connect(self._opened)
        chat.changed.connect(self._changed)
        chat.started.connect(self._conversations.refresh)
        chat.running_changed.connect(self._running)
        chat.progress.connect(status.show_turn)
        views.composer.attach_requested.connect(views.documents.ask_files)
        views.composer.attached.connect(views.composer.attach)
        views.welcome.chosen.connect(self._try_example)
        views.transcript.copied.connect(lambda _: views.toast.show_message(self.tr("Copied")))
        views.sidebar.new_requested.connect(self.new)
        views.sidebar.list.opened.connect(self._open)
        self._conversations.deleted.connect(self._deleted)
        self._conversations.loaded.connect(self._loaded)
        self._documents.scope_changed.connect(chat.set_documents)
        self._documents.progress_changed.connect(status.show_index)
        self._features.models.state_changed.connect(status.show_model)
        self._features.models.availability_changed.connect(self._available)
        self._features.models.abilities_changed.connect(views.composer.set_abilities)

    def _open(self, conversation_id: str) -> None:
        self._writes = True
        self._chat.open(conversation_id)

    def _opened(self, conversation: Conversation | None) -> None:
        self._leave(conversation.id if conversation else "")
        self._conversations.select(conversation.id if conversation else None)
        self._views.show_transcript(conversation is not None)
        self._status.clear_turn()
        self._changed(conversation)
        if self._writes:
            self._writes = False
            self._views.composer.setFocus()

    def _leave(self, opened: str) -> None:
        """What went wrong in the chat before stays there. At the start no chat was left yet."""
        restored = bool(opened) and opened == self._first
        if self._shown not in (None, opened) and not restored:
            self._views.banner.hide()
        if opened:
            self._first = ""
        self._shown = opened

    def _changed(self, conversation: Conversation | None) -> None:
        title = conversation.title if conversation else ""
        self._views.top_bar.title.show_text(title or self.tr("New chat"))
        self.titled.emit(title)
        self._documents.show(self._chat.documents)

    def _running(self, conversation_id: str, running: bool) -> None:
        self._conversations.set_running(conversation_id, running)
        if running:
            self._views.banner.hide()  # a new question: what went wrong before is past

    def _available(self, available: bool) -> None:
        self._views.composer.set_reason("" if available else self.tr("Choose a model first"))
        self._views.welcome.set_available(available)

    def _deleted(self, conversation: Conversation) -> None:
        if conversation.id == self.id:
            self._chat.stop()
            self._chat.new()
        title = conversation.title or self.tr("New chat")
        self._views.toast.show_message(
            self.tr("Deleted “{title}”").format(title=title),
            self.tr("Undo"),
            lambda: self._undelete(conversation.id),
        )

    def _undelete(self, conversation_id: str) -> None:
        self._conversations.restore(conversation_id)
        self._open(conversation_id)

    def _loaded(self, conversations: list[Conversation]) -> None:
        """At the start: show the chat that was open when the program ended."""
        known = {conversation.id for conversation in conversations}
        self._chat.writing.forget(known)
        if self.id:
            return
        if self._first in known:
            self._chat.open(self._first)
        else:
            self._views.show_transcript(False)

    def _try_example(self, example: Example) -> None:
        if example.documents:
            self._documents.add([str(sample_folder())])
        draft = Draft(example.prompt)
        if example.model:
            self._features.models.select(example.model, then=lambda: self._chat.send(draft))
        else:
            self._chat.send(draft)


def sample_folder() -> Path:
    """The documents that come with the program."""
    return Path(str(resources.files("resources").joinpath("samples")))
