"""The conversation on the screen: opens it, sends questions, and shares what happens among the views.

The controller sees every event of the program, so it holds the running answers of all conversations: leaving one and
coming back shows what was written meanwhile.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from time import time

from PySide6.QtCore import QObject, Signal

from app.domain.answers import new_answer
from app.domain.commands import (
    CancelTurn,
    ContinueAnswer,
    DecideApproval,
    RegenerateAnswer,
    SubmitPrompt,
    TurnOptions,
)
from app.domain.drafts import Draft
from app.domain.errors import AppError, ErrorInfo
from app.domain.events import ConversationChanged, PrefillProgress, TokenRate, TurnFinished, TurnQueued, TurnStarted
from app.domain.fold import AnswerFold, ToolCall
from app.domain.messages import AttachmentPart, Conversation, Message, MessageStatus, Role, TextPart
from app.services import Services
from ui.bridge import Bridge
from ui.chat.calls.panel import ToolPanel
from ui.chat.composer import Composer
from ui.chat.transcript import TranscriptView
from ui.chat.tree import newest_leaf, path, siblings
from ui.chat.writing import Writing


@dataclass(frozen=True, slots=True)
class _Loaded:
    conversation: Conversation
    messages: list[Message]


class ChatController(QObject):
    """``open`` and ``new`` choose what is shown; everything else comes from the views' signals."""

    opened = Signal(object)  # Conversation, or None for a new one: this is what the window shows now
    changed = Signal(object)  # Conversation: title or documents of the one on the screen
    started = Signal()  # a new conversation came into being
    running_changed = Signal(str, bool)  # conversation id
    progress = Signal(object)  # TurnQueued, PrefillProgress, TokenRate or TurnFinished of the one on the screen
    failed = Signal(object)  # ErrorInfo

    def __init__(
        self,
        services: Services,
        bridge: Bridge,
        transcript: TranscriptView,
        composer: Composer,
        tool_panel: ToolPanel,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._services = services
        self._bridge = bridge
        self._transcript = transcript
        self._composer = composer
        self._panel = tool_panel
        self._conversation: Conversation | None = None
        self._documents: tuple[str, ...] = ()
        self._wanted: str | None = None  # the conversation that was asked for last
        self._creating = False
        self._tree: list[Message] = []
        self._shown: list[Message] = []
        self._live: dict[str, AnswerFold] = {}  # by conversation
        self.writing = Writing(services, bridge, composer, self)
        bridge.received.connect(self._apply)
        composer.submitted.connect(self.send)
        composer.stop_requested.connect(self.stop)
        tool_panel.approval_decided.connect(self._decide)
        transcript.approval_decided.connect(self._decide)
        transcript.regenerate_requested.connect(self._regenerate)
        transcript.continue_requested.connect(self._continue)
        transcript.edit_requested.connect(self._edit)
        transcript.sibling_requested.connect(self._switch)

    @property
    def conversation(self) -> Conversation | None:
        return self._conversation

    @property
    def documents(self) -> tuple[str, ...]:
        """What the conversation on the screen may read; for a new one what it will."""
        return self._documents

    @property
    def messages(self) -> list[Message]:
        return self._shown

    @property
    def running(self) -> bool:
        return self._conversation is not None and self._conversation.id in self._live

    # What the person chooses.

    def open(self, conversation_id: str) -> None:
        """Show a stored conversation."""
        self._wanted = conversation_id
        store = self._services.store
        self._bridge.run(
            lambda: _Loaded(store.conversation(conversation_id), store.messages(conversation_id)), self._show
        )

    def new(self, documents: Sequence[str] = ()) -> None:
        """Show an empty conversation; it is stored with its first question."""
        self._wanted = None
        self._conversation, self._documents = None, tuple(documents)
        self._tree, self._shown = [], []
        self._transcript.clear()
        self._panel.show_messages(())
        self.writing.show("")
        self._composer.set_running(False)
        self.opened.emit(None)

    def send(self, draft: Draft) -> None:
        """Ask; a new conversation is made first."""
        if self._creating or self.running:
            return
        if self._conversation is None:
            self._creating = True
            store, documents = self._services.store, self._documents
            self._bridge.run(
                lambda: store.create(documents=documents),
                partial(self._created, draft, documents),
                self._not_created,
                receiver=self,
            )
        else:
            self._submit(self._conversation, draft)

    def stop(self) -> None:
        if self._conversation is not None and self.running:
            self._services.chat.cancel(CancelTurn(self._conversation.id))

    def set_documents(self, paths: Sequence[str]) -> None:
        """What this conversation may read from now on."""
        self._documents = tuple(paths)
        if self._conversation is None:
            return
        conversation = self._conversation = replace(self._conversation, documents=self._documents)
        store, documents = self._services.store, self._documents
        self._bridge.run(lambda: store.set_documents(conversation.id, documents))
        self.changed.emit(conversation)

    # Opening.

    def _show(self, loaded: _Loaded) -> None:
        if loaded.conversation.id != self._wanted:
            return
        self._conversation = loaded.conversation
        self._documents = loaded.conversation.documents
        live = self._live.get(loaded.conversation.id)
        self._tree = loaded.messages
        self._shown = path(self._tree, loaded.conversation.active_leaf)
        if live is not None:
            answer = live.message
            self._shown = [answer if message.id == answer.id else message for message in self._shown]
        self._show_messages(live.begun() if live is not None else ())
        self.writing.show(loaded.conversation.id)
        self._composer.set_running(live is not None)
        self.opened.emit(loaded.conversation)
        if live is None:  # it ended while it was being read
            self._send_queued(loaded.conversation.id)

    def _show_messages(self, begun: Sequence[ToolCall] = ()) -> None:
        self._transcript.show_conversation(self._shown, begun)
        self._panel.show_messages(self._shown, begun)
        self._show_siblings()

    def _show_siblings(self) -> None:
        groups = siblings(self._tree)
        for message in self._shown:
            if (group := groups.get(message.id)) is not None:
                self._transcript.set_siblings(message.id, group.index(message.id), len(group))

    # Asking.

    def _created(self, draft: Draft, documents: tuple[str, ...], conversation: Conversation) -> None:
        self._creating = False
        self.writing.begun(conversation.id, shown=self._wanted is None)
        if self._wanted is None:
            self._wanted, self._conversation = conversation.id, conversation
            self.opened.emit(conversation)
            self._submit(conversation, draft)
        else:  # another chat was opened meanwhile: this one is asked without being shown
            self._submit_unseen(conversation.id, draft, documents)
        self.started.emit()

    def _submit_unseen(self, conversation_id: str, draft: Draft, documents: tuple[str, ...] | None = None) -> bool:
        command = SubmitPrompt(conversation_id, draft.text.strip(), draft.attachments, documents=documents)
        sent = self._told(partial(self._services.chat.submit, command))
        if sent:
            answer = new_answer(conversation_id, command.answer_id, command.user_message_id, time())
            self._live[conversation_id] = AnswerFold(answer)
            self.running_changed.emit(conversation_id, True)
        return sent

    def _not_created(self, error: ErrorInfo) -> None:
        self._creating = False
        self.failed.emit(error)

    def _submit(self, conversation: Conversation, draft: Draft, *, typed: bool = True) -> bool:
        """``typed``: the draft stands in the composer, which is empty then."""
        text = draft.text.strip()
        command = SubmitPrompt(
            conversation.id,
            text,
            draft.attachments,
            TurnOptions(think=self._composer.think),
            edits=draft.edits,
            documents=self._documents,  # the store may still be writing them down
        )
        if not self._told(partial(self._services.chat.submit, command)):
            return False
        prefix = self._before(draft.edits) if draft.edits else self._shown
        attached = [AttachmentPart(path, Path(path).name) for path in draft.attachments]
        question = Message(
            command.user_message_id,
            conversation.id,
            prefix[-1].id if prefix else None,
            Role.USER,
            MessageStatus.COMPLETE,
            (*attached, TextPart(text)),
            time(),
        )
        answer = new_answer(conversation.id, command.answer_id, question.id, time())
        if typed:
            self.writing.sent(draft)
        self._begin(prefix, [question, answer])
        return True

    def _send_queued(self, conversation_id: str) -> None:
        """The message that waited longest, as soon as the answer before it is complete."""
        draft = self.writing.next(conversation_id)
        if draft is None:
            return
        if self._conversation is not None and conversation_id == self._conversation.id:
            sent = self._submit(self._conversation, draft, typed=False)
        else:
            sent = self._submit_unseen(conversation_id, draft)
        if not sent:
            self.writing.unqueue(conversation_id, draft)

    def _regenerate(self, message_id: str) -> None:
        if self._conversation is None or self.running:
            return
        command = RegenerateAnswer(self._conversation.id, message_id, TurnOptions(think=self._composer.think))
        if self._told(partial(self._services.chat.regenerate, command)):
            prefix = self._before(message_id)
            question_id = prefix[-1].id if prefix else None
            self._begin(prefix, [new_answer(self._conversation.id, command.answer_id, question_id, time())])

    def _continue(self, message_id: str) -> None:
        if self._conversation is None or self.running:
            return
        command = ContinueAnswer(self._conversation.id, message_id, TurnOptions(think=self._composer.think))
        if self._told(partial(self._services.chat.continue_answer, command)):
            message = next(message for message in self._shown if message.id == message_id)
            # The transcript goes on in the same place when the turn tells that it started.
            self._run(replace(message, status=MessageStatus.STREAMING, stop_reason=None, error=""))

    def _begin(self, prefix: list[Message], added: list[Message]) -> None:
        """Show ``added`` after ``prefix``; the last of them is the answer that will be written."""
        known = {message.id for message in self._tree}
        self._tree = [*self._tree, *(message for message in added if message.id not in known)]
        only_appended = len(prefix) == len(self._shown)
        self._shown = [*prefix, *added]
        if only_appended:
            for message in added:
                self._transcript.append_message(message)
        else:
            self._show_messages()
        self._run(added[-1])

    def _run(self, answer: Message) -> None:
        self._live[answer.conversation_id] = AnswerFold(answer)
        self._composer.set_running(True)
        self.running_changed.emit(answer.conversation_id, True)

    def _told(self, command: partial[None]) -> bool:
        try:
            command()
        except AppError as error:
            self.failed.emit(error.info)
            return False
        return True

    def _before(self, message_id: str) -> list[Message]:
        """What is shown above a message."""
        ids = [message.id for message in self._shown]
        return self._shown[: ids.index(message_id)] if message_id in ids else list(self._shown)

    def _edit(self, message_id: str) -> None:
        message = next((message for message in self._shown if message.id == message_id), None)
        if message is None or self.running:
            return
        self.writing.keep_draft()
        attached = tuple(part.path for part in message.parts if isinstance(part, AttachmentPart))
        self._composer.show_draft(Draft(message.text(), attached, message_id))
        self._composer.setFocus()

    def _switch(self, message_id: str, step: int) -> None:
        """Show the alternative ``step`` places further."""
        group = siblings(self._tree).get(message_id, [])
        index = group.index(message_id) + step if group else -1
        if self._conversation is None or self.running or not 0 <= index < len(group):
            return
        conversation_id, store = self._conversation.id, self._services.store
        leaf = newest_leaf(self._tree, group[index])
        self._bridge.run(
            lambda: store.set_active_leaf(conversation_id, leaf), lambda _: self.open(conversation_id), receiver=self
        )

    def _decide(self, call_id: str, allowed: bool, always: bool) -> None:
        if self._conversation is not None:
            self._services.chat.decide(DecideApproval(self._conversation.id, call_id, allowed, always))

    # What happens.

    def _apply(self, event: object) -> None:
        conversation_id = getattr(event, "conversation_id", None)
        if conversation_id is None:
            return
        live = self._live.get(conversation_id)
        if live is not None:
            live.apply(event)
        shown = self._conversation is not None and conversation_id == self._conversation.id
        if shown:
            self._transcript.apply(event)
            self._panel.apply(event)
        match event:
            case TurnStarted() | ConversationChanged(deleted=False) if shown:
                self._refresh_header(conversation_id)
            case TurnFinished():
                self._finish(event, live)
            case _:
                pass
        if shown and isinstance(event, TurnQueued | PrefillProgress | TokenRate | TurnFinished):
            self.progress.emit(event)

    def _finish(self, event: TurnFinished, live: AnswerFold | None) -> None:
        self._live.pop(event.conversation_id, None)
        self.running_changed.emit(event.conversation_id, False)
        shown = self._conversation.id if self._conversation is not None else None
        if event.conversation_id == self._wanted != shown:
            self.open(event.conversation_id)  # it is being read as it was a moment ago: read it again
        elif event.status is MessageStatus.COMPLETE and event.conversation_id != shown:
            self._send_queued(event.conversation_id)
        if event.status is not MessageStatus.COMPLETE:
            self.writing.unqueue(event.conversation_id)
        if live is None or event.conversation_id != shown:
            return
        sealed = live.message
        self._shown = [sealed if message.id == sealed.id else message for message in self._shown]
        self._tree = [sealed if message.id == sealed.id else message for message in self._tree]
        self._composer.set_running(False)
        self._show_siblings()
        if event.status is MessageStatus.COMPLETE:
            self._send_queued(event.conversation_id)

    def _refresh_header(self, conversation_id: str) -> None:
        store = self._services.store
        self._bridge.run(lambda: store.conversation(conversation_id), self._header)

    def _header(self, conversation: Conversation) -> None:
        if self._conversation is not None and conversation.id == self._conversation.id:
            self._conversation = conversation
            self._documents = conversation.documents
            self.changed.emit(conversation)
