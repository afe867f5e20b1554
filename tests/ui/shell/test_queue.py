"""Writing while an answer streams, and what is written when the window closes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton
from pytestqt.qtbot import QtBot

from app.domain.commands import SubmitPrompt
from app.domain.drafts import Draft
from app.domain.errors import AppError
from app.domain.events import TurnFinished
from app.domain.messages import GenerationStats, MessageStatus, Role
from app.storage.paths import Paths
from ui.shell.window import MainWindow

Settle = Callable[[Callable[[], bool]], None]


def finished(command: SubmitPrompt, status: MessageStatus = MessageStatus.COMPLETE) -> TurnFinished:
    return TurnFinished(command.conversation_id, command.answer_id, status, None, GenerationStats())


def write(window: MainWindow, qtbot: QtBot, text: str) -> None:
    field = window.views.composer.focusProxy()
    qtbot.keyClicks(field, text)
    qtbot.keyClick(field, Qt.Key.Key_Return)


def waiting(window: MainWindow) -> list[str]:
    labels = window.views.composer.queue.findChildren(QAbstractButton)
    return [label.accessibleName() for label in labels if label.isVisible()]


def press(window: MainWindow, name: str) -> None:
    buttons = window.views.composer.queue.findChildren(QAbstractButton)
    next(button for button in buttons if button.isVisible() and button.accessibleName() == name).click()


EDIT, REMOVE = "Edit this message", "Do not send this message"


@pytest.fixture
def running(window: MainWindow, services: Any, settle: Settle, qtbot: QtBot) -> SubmitPrompt:
    """A first question, whose answer is being written."""
    write(window, qtbot, "first")
    settle(lambda: bool(services.chat.commands))
    prompt: SubmitPrompt = services.chat.prompt
    return prompt


def test_what_is_sent_meanwhile_waits_and_follows_in_its_order(
    window: MainWindow, services: Any, running: SubmitPrompt, settle: Settle, qtbot: QtBot
) -> None:
    write(window, qtbot, "second")
    write(window, qtbot, "third")
    settle(lambda: waiting(window) == [EDIT, REMOVE] * 2)
    assert len(services.chat.commands) == 1
    window.views.composer.show_draft(Draft("still writing"))
    services.mailbox.publish(finished(running))
    settle(lambda: len(services.chat.commands) == 2)
    assert services.chat.prompt.text == "second"
    assert window.views.composer.draft() == Draft("still writing")
    settle(lambda: waiting(window) == [EDIT, REMOVE])
    assert [message.text() for message in window.chat.messages] == ["first", "", "second", ""]
    services.mailbox.publish(finished(services.chat.prompt))
    settle(lambda: len(services.chat.commands) == 3)
    assert services.chat.prompt.text == "third"
    assert waiting(window) == []


def test_what_waits_is_edited_and_taken_back(
    window: MainWindow, services: Any, running: SubmitPrompt, settle: Settle, qtbot: QtBot
) -> None:
    write(window, qtbot, "second")
    write(window, qtbot, "third")
    window.views.composer.show_draft(Draft("more"))
    settle(lambda: waiting(window) == [EDIT, REMOVE] * 2)
    press(window, EDIT)
    assert window.views.composer.draft() == Draft("second\n\nmore")
    settle(lambda: waiting(window) == [EDIT, REMOVE])
    press(window, REMOVE)
    assert waiting(window) == []
    services.mailbox.publish(finished(running))
    settle(lambda: not window.chat.running)
    assert len(services.chat.commands) == 1
    assert window.views.composer.draft() == Draft("second\n\nmore")


@pytest.mark.parametrize("status", [MessageStatus.STOPPED, MessageStatus.FAILED, MessageStatus.INTERRUPTED])
def test_after_a_stop_or_an_error_nothing_is_sent_and_nothing_lost(
    status: MessageStatus, window: MainWindow, services: Any, running: SubmitPrompt, settle: Settle, qtbot: QtBot
) -> None:
    write(window, qtbot, "second")
    write(window, qtbot, "third")
    window.views.composer.show_draft(Draft("more"))
    services.mailbox.publish(finished(running, status))
    settle(lambda: not window.chat.running)
    assert window.views.composer.draft() == Draft("second\n\nthird\n\nmore")
    assert waiting(window) == []
    assert len(services.chat.commands) == 1


def test_a_message_that_is_refused_is_in_the_composer_again(
    window: MainWindow, services: Any, running: SubmitPrompt, settle: Settle, qtbot: QtBot
) -> None:
    write(window, qtbot, "second")
    services.chat.refuse = AppError("closed", "The program ends.", "")
    services.mailbox.publish(finished(running))
    settle(lambda: window.views.composer.draft() == Draft("second"))
    assert not window.chat.running


def test_it_is_sent_in_its_own_chat_while_another_is_shown(
    window: MainWindow, services: Any, running: SubmitPrompt, stored: Any, settle: Settle, qtbot: QtBot
) -> None:
    stored(running.conversation_id, running.user_message_id, Role.USER, "first")
    write(window, qtbot, "second")
    window.new_chat()
    assert waiting(window) == []
    window.views.composer.show_draft(Draft("for a new one"))
    services.mailbox.publish(finished(running))
    settle(lambda: len(services.chat.commands) == 2)
    assert (services.chat.prompt.conversation_id, services.chat.prompt.text) == (running.conversation_id, "second")
    assert window.views.composer.draft() == Draft("for a new one")
    assert window.chat.messages == []


def test_one_that_waits_in_another_chat_is_its_draft_after_an_error(
    window: MainWindow, services: Any, running: SubmitPrompt, stored: Any, settle: Settle, qtbot: QtBot
) -> None:
    stored(running.conversation_id, running.user_message_id, Role.USER, "first")
    write(window, qtbot, "second")
    window.new_chat()
    services.mailbox.publish(finished(running, MessageStatus.FAILED))
    settle(lambda: not window.views.sidebar.model.running)
    assert window.views.composer.draft() == Draft()
    window.chat.open(running.conversation_id)
    settle(lambda: window.views.composer.draft() == Draft("second"))


def test_what_is_written_is_there_after_a_restart(
    window: MainWindow,
    make_window: Callable[[], MainWindow],
    services: Any,
    running: SubmitPrompt,
    settle: Settle,
    qtbot: QtBot,
) -> None:
    other = services.store.create(title="other").id
    gone = services.store.create(title="gone").id
    write(window, qtbot, "second")
    window.views.composer.show_draft(Draft("and more", ("/x",)))
    for conversation_id, text in ((other, "for the other"), (gone, "for nobody")):
        window.chat.open(conversation_id)
        settle(lambda shown=conversation_id: window.current.id == shown)
        window.views.composer.show_draft(Draft(text))
    services.store.delete(gone)
    window.chat.open(running.conversation_id)
    settle(lambda: window.current.id == running.conversation_id)
    window.close()
    again = make_window()
    settle(lambda: again.views.composer.draft() == Draft("second\n\nand more", ("/x",)))
    assert waiting(again) == []
    again.chat.open(other)
    settle(lambda: again.views.composer.draft() == Draft("for the other"))
    again.close()
    assert set(services.drafts.load()) == {other, running.conversation_id}


def test_a_draft_is_on_the_disk_a_moment_after_the_last_key(
    window: MainWindow, tmp_path: Path, settle: Settle, qtbot: QtBot
) -> None:
    file = Paths.below(tmp_path / "home").drafts_file
    qtbot.keyClicks(window.views.composer.focusProxy(), "half a thought")
    settle(lambda: file.exists())
    window.views.composer.clear()
    settle(lambda: "half" not in file.read_text(encoding="utf-8"))
