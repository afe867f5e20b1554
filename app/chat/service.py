"""Starts, stops and steers turns: at most one active turn a conversation, each on a thread of its own."""

import logging
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from app.agent.approval import Approvals, Decision
from app.agent.calls import ToolRunner
from app.agent.loop import Turn, TurnRequest, TurnResources
from app.domain.answers import new_answer
from app.domain.cancel import CancelToken
from app.domain.commands import (
    CancelTurn,
    ContinueAnswer,
    DecideApproval,
    RegenerateAnswer,
    SubmitPrompt,
    TurnOptions,
)
from app.domain.errors import REPORT, AppError, ErrorInfo
from app.domain.events import ConversationChanged, TurnFinished, TurnStarted
from app.domain.messages import (
    AttachmentPart,
    Conversation,
    GenerationStats,
    Message,
    MessageStatus,
    Part,
    Role,
    TextPart,
)
from app.domain.settings import Settings
from app.domain.tools import Need
from app.responders.protocol import MakeResponder
from app.tools.offer import Offer
from app.tools.toolsets import Toolsets

_log = logging.getLogger(__name__)
_TITLE_CHARS = 60
_Ended: TypeAlias = tuple[TurnFinished, Callable[[], None] | None]
"""How a turn ended, and what is to be done once everybody knows."""


class ChatService:
    """Every method returns at once and may be called from any thread; what comes of it arrives as events.

    ``responder`` makes what answers the next turn. ``forget`` drops what is kept of a conversation to answer it faster.
    """

    def __init__(
        self,
        shared: TurnResources,
        tools: Toolsets,
        responder: MakeResponder,
        settings: Callable[[], Settings],
        forget: Callable[[str], None],
    ) -> None:
        self._shared = shared
        self._tools = tools
        self._responder = responder
        self._settings = settings
        self._forget = forget
        self._approvals = Approvals()
        self._lock = threading.Lock()
        self._running: dict[str, CancelToken] = {}  # by conversation
        self._threads: set[threading.Thread] = set()
        self._closed = False

    def submit(self, command: SubmitPrompt) -> None:
        """Raises AppError ``turn-running`` where the conversation is still answering."""
        self._start(command.conversation_id, command.answer_id, lambda cancel: self._submit(command, cancel))

    def regenerate(self, command: RegenerateAnswer) -> None:
        self._start(command.conversation_id, command.answer_id, lambda cancel: self._regenerate(command, cancel))

    def continue_answer(self, command: ContinueAnswer) -> None:
        self._start(command.conversation_id, command.message_id, lambda cancel: self._continue(command, cancel))

    def cancel(self, command: CancelTurn) -> None:
        with self._lock:
            running = self._running.get(command.conversation_id)
        if running is not None:
            running.cancel()

    def decide(self, command: DecideApproval) -> None:
        decision = Decision(command.allowed, command.reason)
        self._approvals.decide(command.conversation_id, command.call_id, decision, always=command.always)

    def delete(self, conversation_id: str) -> None:
        """Take the conversation out of the list (it can be restored for a while), end its turn and drop what the engine
        saved of it. Waits for the store: not for the UI thread."""
        self.cancel(CancelTurn(conversation_id))
        self._shared.store.delete(conversation_id)
        self._forget(conversation_id)

    def is_running(self, conversation_id: str) -> bool:
        with self._lock:
            return conversation_id in self._running

    def close(self) -> None:
        """Stop all turns, let them store what they have, and wait for them."""
        with self._lock:
            self._closed = True
            running, threads = list(self._running.values()), list(self._threads)
        for cancel in running:
            cancel.cancel()
        for thread in threads:
            thread.join()

    def _start(self, conversation_id: str, answer_id: str, work: Callable[[CancelToken], _Ended]) -> None:
        cancel = CancelToken()

        def run() -> None:
            try:
                finished, afterwards = work(cancel)
            except Exception as error:  # noqa: BLE001 - before the answer's start; it ends in an event, never silently
                finished, afterwards = _failed(conversation_id, answer_id, error), None
            with self._lock:
                del self._running[conversation_id]
            # Only now, so that whoever hears it may ask the next question at once.
            self._shared.publish(finished)
            try:
                if afterwards is not None:
                    afterwards()
            except Exception:  # noqa: BLE001 - nobody waits for it; the thread ends in order
                _log.exception("What comes after an answer failed")
            with self._lock:
                self._threads.discard(thread)

        thread = threading.Thread(target=run, name=f"turn-{conversation_id[:8]}")
        with self._lock:
            if self._closed or conversation_id in self._running:
                raise AppError(
                    "turn-running",
                    "This conversation is still being answered.",
                    "Wait for the answer, or stop it first.",
                )
            self._running[conversation_id] = cancel
            self._threads.add(thread)
            try:
                thread.start()
            except RuntimeError:  # no more threads can be had
                del self._running[conversation_id]
                self._threads.discard(thread)
                raise

    def _submit(self, command: SubmitPrompt, cancel: CancelToken) -> _Ended:
        store = self._shared.store
        conversation = self._grant(store.conversation(command.conversation_id), command)
        parent = conversation.active_leaf
        if command.edits is not None:
            parent = store.message(command.edits).parent_id
        parts: list[Part] = [_attachment(path) for path in command.attachments]
        parts.append(TextPart(command.text))
        question = Message(
            command.user_message_id,
            conversation.id,
            parent,
            Role.USER,
            MessageStatus.COMPLETE,
            tuple(parts),
            self._shared.clock.now(),
        )
        store.add_message(question)
        if not conversation.title:
            store.rename(conversation.id, title_of(command.text), by_person=False)
        self._shared.publish(ConversationChanged(conversation.id))
        return self._answer(conversation, question.id, command.answer_id, command.options, cancel)

    def _regenerate(self, command: RegenerateAnswer, cancel: CancelToken) -> _Ended:
        store = self._shared.store
        question = store.message(command.message_id).parent_id
        if question is None:
            raise AppError("nothing-to-answer", "There is no question before this message.", "Ask a new question.")
        conversation = store.conversation(command.conversation_id)
        return self._answer(conversation, question, command.answer_id, command.options, cancel)

    def _answer(
        self, conversation: Conversation, question: str, answer_id: str, options: TurnOptions, cancel: CancelToken
    ) -> _Ended:
        message = new_answer(conversation.id, answer_id, question, self._shared.clock.now())
        self._shared.store.add_message(message)
        return self._run(conversation, message, options, cancel)

    def _continue(self, command: ContinueAnswer, cancel: CancelToken) -> _Ended:
        self._shared.store.reopen(command.message_id)
        message = self._shared.store.message(command.message_id)
        return self._run(self._shared.store.conversation(command.conversation_id), message, command.options, cancel)

    def _run(self, conversation: Conversation, message: Message, options: TurnOptions, cancel: CancelToken) -> _Ended:
        shared, settings = self._shared, self._settings()
        assert message.parent_id is not None
        try:
            offer = self._offer(options, conversation.documents)
            request = TurnRequest(
                history=tuple(shared.store.history(message.parent_id)),
                tools=offer.specs,
                documents=conversation.documents,
                options=options,
                system=settings.system_prompt,
                constrain_calls=settings.constrain_calls,
            )
            runner = ToolRunner(
                offer,
                self._approvals,
                shared.publish,
                shared.clock,
                conversation_id=conversation.id,
                answer_id=message.id,
                allow=options.allow,
                ask_always=settings.approval == "always",
            )
            turn = Turn(shared, request, message, self._responder, runner, cancel)
        except AppError as error:  # no model, say: the answer must not stay "streaming"
            shared.store.seal(replace(message, status=MessageStatus.FAILED, error=error.info.text()))
            raise
        shared.publish(TurnStarted(conversation.id, message.parent_id, message.id))
        return turn.run(), turn.settle

    def _offer(self, options: TurnOptions, documents: Sequence[str]) -> Offer:
        """The tools of a turn: those that were named, or everything read-only, as far as they have something to
        work on."""
        return self._tools.offer(options.tools, frozenset({Need.DOCUMENTS} if documents else ()))

    def _grant(self, conversation: Conversation, command: SubmitPrompt) -> Conversation:
        """The conversation with the documents that it may read now."""
        granted = conversation.documents if command.documents is None else command.documents
        documents = tuple(dict.fromkeys((*granted, *command.attachments)))
        if documents == conversation.documents:
            return conversation
        self._shared.store.set_documents(conversation.id, documents)
        return replace(conversation, documents=documents)


def _failed(conversation_id: str, answer_id: str, error: Exception) -> TurnFinished:
    if isinstance(error, AppError):
        info = error.info
    else:
        _log.error("A turn could not start", exc_info=error)
        info = ErrorInfo(
            "turn-bug",
            "Something went wrong in the program itself.",
            REPORT,
            {},
            repr(error),
        )
    return TurnFinished(conversation_id, answer_id, MessageStatus.FAILED, None, GenerationStats(), info)


def title_of(question: str) -> str:
    """A title from the first question: its first sentence or line, cut at a word."""
    text = " ".join(re.split(r"(?<=[.!?])\s|\n", question.strip(), maxsplit=1)[0].split())
    if len(text) <= _TITLE_CHARS:
        return text
    return text[:_TITLE_CHARS].rsplit(" ", 1)[0] + "…"


def _attachment(path: str) -> AttachmentPart:
    file = Path(path)
    try:
        size = file.stat().st_size if file.is_file() else 0
    except OSError:
        size = 0
    return AttachmentPart(path, file.name, size)
