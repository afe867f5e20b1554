"""Sudden ends: what was written stays, and the program goes on."""

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from app.domain.commands import ContinueAnswer, SubmitPrompt, TurnOptions
from app.domain.events import EngineDied, Event, PartDelta, TurnFinished
from app.domain.messages import MessageStatus
from app.mailbox import Subscription
from app.services import Services
from app.storage.paths import Paths

pytestmark = [pytest.mark.model]


@pytest.fixture
def open_services(environment: dict[str, str]) -> Iterator[Callable[..., Services]]:
    opened: list[Services] = []

    def make(**wishes: str) -> Services:
        opened.append(Services.create(Paths.default(environment), **wishes))
        return opened[-1]

    yield make
    for services in opened:
        services.close()


def until(inbox: Subscription, found: Callable[[Event], bool]) -> list[Event]:
    """All events up to one that was wanted."""
    events: list[Event] = []
    while not any(found(event) for event in events):
        batch = inbox.wait(60)
        assert batch, f"nothing came after {events[-3:]}"
        events.extend(batch)
    return events


def test_kill_9_in_the_middle_of_an_answer(start, open_services) -> None:
    process = start("ask", "Tell me a long story about the sea.", "--json", "--temperature", "0")
    text, begun = "", 0.0
    while not begun or time.monotonic() - begun < 1.5:  # what is older than a second is stored
        text += json.loads(process.stdout.readline())["text"]
        begun = begun or time.monotonic()
    process.send_signal(signal.SIGKILL)
    process.wait()
    services = open_services()
    (conversation,) = services.store.conversations()
    question, answer = services.store.history(conversation.active_leaf)
    assert question.text() == "Tell me a long story about the sea."
    assert answer.status is MessageStatus.INTERRUPTED
    assert answer.text()
    assert text.startswith(answer.text()) or answer.text().startswith(text)
    inbox = services.mailbox.subscribe()
    options = TurnOptions(max_tokens=20, temperature=0.0)
    services.chat.continue_answer(ContinueAnswer(conversation.id, answer.id, options))
    until(inbox, lambda event: isinstance(event, TurnFinished))
    continued = services.store.message(answer.id)
    assert continued.status is MessageStatus.COMPLETE
    assert continued.text().startswith(answer.text())
    assert len(continued.text()) > len(answer.text())


@pytest.mark.expect_log("the engine's process ended")
@pytest.mark.parametrize("end", [signal.SIGSEGV, signal.SIGKILL])
def test_the_engines_child_dies(open_services, end: signal.Signals) -> None:
    services = open_services()
    inbox = services.mailbox.subscribe()
    conversation = services.store.create()
    command = SubmitPrompt(conversation.id, "Tell me a long story.", options=TurnOptions(temperature=0.0))
    services.chat.submit(command)
    until(inbox, lambda event: isinstance(event, PartDelta))
    os.kill(services.engine.child_pid, end)
    events = until(inbox, lambda event: isinstance(event, TurnFinished))
    (died,) = [event for event in events if isinstance(event, EngineDied)]
    assert died.error.message.endswith(".")
    answer = services.store.message(command.answer_id)
    assert answer.status is MessageStatus.INTERRUPTED
    assert answer.text()
    services.chat.submit(SubmitPrompt(conversation.id, "And now?", options=TurnOptions(max_tokens=8)))
    events = until(inbox, lambda event: isinstance(event, TurnFinished))
    assert events[-1].status is MessageStatus.COMPLETE


def test_ask_beside_an_open_program_disturbs_neither(open_services, alcove, docs: Path) -> None:
    services = open_services()
    inbox = services.mailbox.subscribe()
    conversation = services.store.create(documents=[str(docs)])
    command = SubmitPrompt(
        conversation.id, "Tell me about tomatoes.", options=TurnOptions(max_tokens=200, temperature=0.0)
    )
    services.chat.submit(command)
    until(inbox, lambda event: isinstance(event, PartDelta))
    run = alcove("ask", "When are roses pruned?", "--docs", str(docs), "--json", "--max-tokens", "20")
    assert run.code == 0, run.err
    if services.chat.is_running(conversation.id):
        until(inbox, lambda event: isinstance(event, TurnFinished))
    answer = services.store.message(command.answer_id)
    assert answer.status is MessageStatus.COMPLETE
    assert len(services.store.conversations()) == 2


def test_closing_leaves_nothing_behind(open_services) -> None:
    before = {thread.ident for thread in threading.enumerate()}
    services = open_services()
    inbox = services.mailbox.subscribe()
    conversation = services.store.create()
    services.chat.submit(SubmitPrompt(conversation.id, "Tell me a long story."))
    until(inbox, lambda event: isinstance(event, PartDelta))
    child = psutil.Process(services.engine.child_pid)
    services.close()
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
    assert {thread.ident for thread in threading.enumerate()} <= before
