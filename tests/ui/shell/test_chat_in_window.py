"""Asking, watching, stopping, editing and switching in the window, with a chat service that only writes down."""

from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QTextEdit

from app.domain.commands import CancelTurn, ContinueAnswer, DecideApproval, RegenerateAnswer, SubmitPrompt
from app.domain.drafts import Draft
from app.domain.errors import AppError, ErrorInfo
from app.domain.events import (
    ApprovalRequested,
    Event,
    PartDelta,
    PartFinished,
    PartStarted,
    TokenRate,
    ToolStatusChanged,
    TurnFinished,
    TurnStarted,
)
from app.domain.messages import (
    AttachmentPart,
    GenerationStats,
    Message,
    MessageStatus,
    ReasoningPart,
    Role,
    StopReason,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    ToolStatus,
)
from ui.shell.window import MainWindow

Settle = Callable[[Callable[[], bool]], None]


@pytest.fixture
def publish(services: Any) -> Callable[[Event], None]:
    return services.mailbox.publish


@pytest.fixture
def ask(window: MainWindow, services: Any, settle: Settle) -> Callable[[str], SubmitPrompt]:
    def ask(text: str) -> SubmitPrompt:
        count = len(services.chat.commands)
        window.views.composer.show_draft(Draft(text))
        window.views.composer.submitted.emit(window.views.composer.draft())
        settle(lambda: len(services.chat.commands) > count)
        return services.chat.prompt

    return ask


def finished(command: SubmitPrompt, error: ErrorInfo | None = None) -> TurnFinished:
    status = MessageStatus.FAILED if error else MessageStatus.COMPLETE
    stats = GenerationStats(generated_tokens=20, decode_s=2.0)
    return TurnFinished(command.conversation_id, command.answer_id, status, StopReason.STOP, stats, error)


def test_the_first_question_makes_the_conversation(
    window: MainWindow, services: Any, ask: Callable[[str], SubmitPrompt], settle: Settle
) -> None:
    window.documents.add(["/docs"])
    command = ask("why?")
    conversation = services.store.conversation(command.conversation_id)
    assert conversation.documents == ("/docs",)
    assert [message.text() for message in window.chat.messages] == ["why?", ""]
    assert window.views.composer.draft() == Draft()
    assert window.views.stack.currentWidget() is window.views.transcript
    settle(lambda: window.views.sidebar.model.index_of(conversation.id).isValid())
    assert window.views.sidebar.model.running == {conversation.id}


def test_an_answer_is_put_together_and_the_status_line_follows(
    window: MainWindow, ask: Callable[[str], SubmitPrompt], publish: Callable[[Event], None], settle: Settle
) -> None:
    command = ask("why?")
    c, a = command.conversation_id, command.answer_id
    publish(TurnStarted(c, command.user_message_id, a))
    publish(PartStarted(c, a, 0, TextPart("")))
    publish(PartDelta(c, a, 0, "Because"))
    publish(TokenRate(c, a, 23.44, 1312, 8192))
    settle(lambda: "23.4 tokens/s" in window.status.texts())
    assert "Context 1,312 of 8,192" in window.status.texts()
    assert window.chat.running
    publish(PartFinished(c, a, 0, TextPart("Because.")))
    publish(finished(command))
    settle(lambda: not window.chat.running)
    assert window.chat.messages[-1].parts == (TextPart("Because."),)
    assert window.chat.messages[-1].status is MessageStatus.COMPLETE
    assert "10.0 tokens/s" in window.status.texts()
    assert window.views.sidebar.model.running == frozenset()


def test_leaving_and_coming_back_shows_what_was_written_meanwhile(
    window: MainWindow,
    services: Any,
    ask: Callable[[str], SubmitPrompt],
    stored: Callable[..., Message],
    publish: Callable[[Event], None],
    settle: Settle,
) -> None:
    command = ask("why?")
    c, a = command.conversation_id, command.answer_id
    stored(c, command.user_message_id, Role.USER, "why?")
    stored(c, a, Role.ASSISTANT, parent=command.user_message_id, status=MessageStatus.STREAMING)
    publish(PartStarted(c, a, 0, TextPart("")))
    publish(PartDelta(c, a, 0, "Beca"))
    window.new_chat()
    assert not window.chat.running
    publish(PartDelta(c, a, 0, "use"))
    settle(lambda: window.chat._live[c].message.text() == "Because")
    window.chat.open(c)
    settle(lambda: window.chat.conversation is not None)
    assert window.chat.messages[-1].text() == "Because"
    assert window.chat.running


def test_entering_a_conversation_whose_call_waits_shows_the_question(
    window: MainWindow,
    services: Any,
    ask: Callable[[str], SubmitPrompt],
    stored: Callable[..., Message],
    publish: Callable[[Event], None],
    settle: Settle,
) -> None:
    command = ask("write it down")
    c, a = command.conversation_id, command.answer_id
    stored(c, command.user_message_id, Role.USER, "write it down")
    stored(c, a, Role.ASSISTANT, parent=command.user_message_id, status=MessageStatus.STREAMING)
    window.new_chat()
    for number, call in enumerate(("ran", "asked")):
        publish(PartStarted(c, a, number, ToolCallPart(call, "write_file", "{}")))
    publish(ToolStatusChanged(c, a, "ran", ToolStatus.RUNNING))
    publish(ToolStatusChanged(c, a, "asked", ToolStatus.WAITING))
    publish(ApprovalRequested(c, a, "asked", "write_file", "{}"))
    settle(lambda: len(window.chat._live[c].begun()) == 2)
    window.chat.open(c)
    settle(lambda: window.chat.conversation is not None)
    window.views.transcript.flush()
    assert "Allow once" in [button.text() for button in window.views.transcript.findChildren(QAbstractButton)]
    entries = [window.views.tool_panel.model.entry(row) for row in range(2)]
    assert [entry.status for entry in entries] == [ToolStatus.RUNNING, ToolStatus.WAITING]
    assert entries[0].started is not None
    publish(ToolStatusChanged(c, a, "asked", ToolStatus.RUNNING))
    settle(lambda: window.views.tool_panel.model.entry(1).status is ToolStatus.RUNNING)


def test_escape_stops_the_answer(window: MainWindow, services: Any, ask: Callable[[str], SubmitPrompt]) -> None:
    command = ask("why?")
    window.actions_by_text["Stop the answer"].trigger()
    assert services.chat.commands[-1] == CancelTurn(command.conversation_id)


def test_a_refused_question_stays_in_the_composer(window: MainWindow, services: Any, settle: Settle) -> None:
    services.chat.refuse = AppError("turn-running", "It is still being answered.", "Wait.")
    window.views.composer.show_draft(Draft("precious"))
    window.views.composer.submitted.emit(window.views.composer.draft())
    settle(lambda: "still being answered" in window.views.banner.text())
    assert window.views.composer.draft().text == "precious"
    assert not window.chat.running


def test_drafts_stay_with_their_conversations(window: MainWindow, services: Any, settle: Settle) -> None:
    first, second = services.store.create(title="one"), services.store.create(title="two")
    window.views.composer.show_draft(Draft("for a new one"))
    for conversation, text in ((first, "for one"), (second, "for two")):
        window.chat.open(conversation.id)
        settle(lambda expected=conversation: window.chat.conversation == expected)
        assert window.views.composer.draft() == Draft()
        window.views.composer.show_draft(Draft(text, ("/x",)))
    window.chat.open(first.id)
    settle(lambda: window.chat.conversation == first)
    assert window.views.composer.draft() == Draft("for one", ("/x",))
    window.new_chat()
    assert window.views.composer.draft() == Draft("for a new one")


@pytest.fixture
def talk(window: MainWindow, services: Any, stored: Callable[..., Message], settle: Settle) -> str:
    """A stored conversation with two answers to its first question, on the screen."""
    conversation = services.store.create(title="Two answers")
    stored(conversation.id, "q", Role.USER, AttachmentPart("/x.md", "x.md"), "why?")
    stored(conversation.id, "a1", Role.ASSISTANT, "First.", parent="q")
    stored(conversation.id, "q2", Role.USER, "and?", parent="a1")
    stored(conversation.id, "b", Role.ASSISTANT, "Half an", parent="q2", status=MessageStatus.STOPPED)
    window.chat.open(conversation.id)
    settle(lambda: len(window.chat.messages) == 4)
    return conversation.id


def test_regenerating_replaces_the_answer_on_the_screen(window: MainWindow, services: Any, talk: str) -> None:
    window.views.transcript.regenerate_requested.emit("a1")
    command = services.chat.commands[-1]
    assert isinstance(command, RegenerateAnswer)
    assert [message.id for message in window.chat.messages] == ["q", command.answer_id]
    assert window.chat.running


def test_continuing_goes_on_in_the_same_message(
    window: MainWindow, services: Any, talk: str, publish: Callable[[Event], None], settle: Settle
) -> None:
    window.views.transcript.continue_requested.emit("b")
    assert isinstance(services.chat.commands[-1], ContinueAnswer)
    publish(TurnStarted(talk, "q2", "b"))
    publish(PartStarted(talk, "b", 0, TextPart("")))
    publish(PartFinished(talk, "b", 0, TextPart("Half an answer.")))
    publish(TurnFinished(talk, "b", MessageStatus.COMPLETE, StopReason.STOP, GenerationStats()))
    settle(lambda: not window.chat.running)
    assert [message.id for message in window.chat.messages] == ["q", "a1", "q2", "b"]
    assert window.chat.messages[-1].text() == "Half an answer."


def test_editing_asks_again_beside_the_old_question(
    window: MainWindow, services: Any, talk: str, settle: Settle
) -> None:
    window.views.composer.show_draft(Draft("half a thought"))
    window.views.transcript.edit_requested.emit("q")
    assert window.views.composer.draft() == Draft("why?", ("/x.md",), "q")
    window.escape()
    assert window.views.composer.draft() == Draft("half a thought")
    window.views.transcript.edit_requested.emit("q")
    window.views.composer.submitted.emit(Draft("why not?", ("/x.md",), "q"))
    command = services.chat.prompt
    assert (command.text, command.edits) == ("why not?", "q")
    assert [message.id for message in window.chat.messages] == [command.user_message_id, command.answer_id]


def test_another_version_is_a_step_away(
    window: MainWindow, services: Any, talk: str, stored: Callable[..., Message], settle: Settle
) -> None:
    stored(talk, "a2", Role.ASSISTANT, "Second.", parent="q")
    window.chat.open(talk)
    settle(lambda: [message.id for message in window.chat.messages] == ["q", "a2"])
    window.views.transcript.sibling_requested.emit("a2", -1)
    settle(lambda: [message.id for message in window.chat.messages] == ["q", "a1", "q2", "b"])
    assert services.store.conversation(talk).active_leaf == "b"
    window.views.transcript.sibling_requested.emit("a1", -1)
    assert [message.id for message in window.chat.messages] == ["q", "a1", "q2", "b"]


def test_a_call_opens_the_panel_and_its_question_is_answered_there(
    window: MainWindow, services: Any, talk: str, publish: Callable[[Event], None], settle: Settle
) -> None:
    window.views.transcript.regenerate_requested.emit("b")
    answer = services.chat.commands[-1].answer_id
    assert window.views.drawer.isHidden()
    publish(PartStarted(talk, answer, 0, ToolCallPart("k", "write_file", "{}")))
    publish(ToolStatusChanged(talk, answer, "k", ToolStatus.WAITING))
    publish(ApprovalRequested(talk, answer, "k", "write_file", "{}"))
    settle(lambda: window.views.tool_panel.isVisible())
    window.views.tool_panel.approval_decided.emit("k", True, True)
    assert services.chat.commands[-1] == DecideApproval(talk, "k", True, True)
    window.panels.close()
    window.views.transcript.tool_call_activated.emit("k")
    assert window.views.tool_panel.isVisible()


def test_what_belongs_to_other_conversations_stays_there(
    window: MainWindow, talk: str, publish: Callable[[Event], None], settle: Settle
) -> None:
    publish(PartStarted("other", "x", 0, ToolCallPart("k", "calculator", "{}")))
    publish(TokenRate("other", "x", 99.0, 1, 2))
    publish(TurnFinished("other", "x", MessageStatus.COMPLETE, StopReason.STOP, GenerationStats()))
    publish(TokenRate(talk, "b", 5.0, 1, 2))
    settle(lambda: "5.0 tokens/s" in window.status.texts())
    assert window.views.drawer.isHidden()
    assert window.views.tool_panel.model.rowCount() == 0


def test_enter_in_the_field_sends(window: MainWindow, services: Any, qtbot: Any, settle: Settle) -> None:
    field = window.views.composer.focusProxy()
    qtbot.keyClicks(field, "typed")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    settle(lambda: bool(services.chat.commands))
    assert services.chat.prompt.text == "typed"


def test_the_panel_scrolls_the_chat_to_a_call_and_reasoning_stays_open_if_wanted(
    window: MainWindow, services: Any, stored: Callable[..., Message], settle: Settle
) -> None:
    conversation = services.store.create(title="Long")
    long = "\n\n".join(f"Paragraph {number}." for number in range(60))
    call = (ToolCallPart("k", "calculator", "{}"), ToolResultPart("k", "calculator", ToolStatus.OK, "4"))
    stored(conversation.id, "q", Role.USER, "why?")
    stored(conversation.id, "a", Role.ASSISTANT, ReasoningPart("Hidden thought", 1.0, 2), *call, long, parent="q")
    window.chat.open(conversation.id)
    settle(lambda: len(window.chat.messages) == 2)
    bar = window.views.transcript.verticalScrollBar()
    settle(lambda: bar.value() == bar.maximum() > 0)
    window.views.tool_panel.call_activated.emit("k")
    assert bar.value() < bar.maximum() / 4
    window.views.tool_panel.call_activated.emit("no such call")

    def thoughts() -> list[str]:
        edits = window.views.transcript.findChildren(QTextEdit)
        return [edit.toPlainText() for edit in edits if edit.isVisible() and "Hidden" in edit.toPlainText()]

    assert thoughts() == []
    window.settings.save({"keep_reasoning_open": True})
    settle(lambda: services.settings.get().keep_reasoning_open)
    window.chat.open(conversation.id)
    settle(lambda: bar.value() == bar.maximum())
    window.views.tool_panel.call_activated.emit("k")
    window.views.transcript.scroll_by(-400)
    assert thoughts() == ["Hidden thought"]
