"""From threads to the UI thread: once a frame, in order, and nothing after the end."""

import gc
import threading
from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from app.domain.errors import AppError, ErrorInfo
from app.domain.events import ModelUnloaded, PartDelta
from app.mailbox import Mailbox
from ui.bridge import Bridge

Settle = Callable[[Callable[[], bool]], None]


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def bridge(mailbox: Mailbox, qtbot: QtBot) -> Iterator[Bridge]:
    bridge = Bridge(mailbox)
    yield bridge
    bridge.close()


def test_events_of_another_thread_arrive_in_order_on_this_one(bridge: Bridge, mailbox: Mailbox, settle: Settle) -> None:
    seen: list[tuple[str, threading.Thread]] = []
    bridge.received.connect(lambda event: seen.append((event.path, threading.current_thread())))
    thread = threading.Thread(target=lambda: [mailbox.publish(ModelUnloaded(str(n))) for n in range(100)])
    thread.start()
    thread.join()
    settle(lambda: len(seen) == 100)
    assert [path for path, _ in seen] == [str(n) for n in range(100)]
    assert {owner for _, owner in seen} == {threading.main_thread()}


def test_deltas_of_many_tokens_arrive_as_few_events(bridge: Bridge, mailbox: Mailbox, settle: Settle) -> None:
    seen: list[PartDelta] = []
    bridge.received.connect(seen.append)
    for _ in range(1000):
        mailbox.publish(PartDelta("c", "a", 0, "x"))
    settle(lambda: sum(len(event.text) for event in seen) == 1000)
    assert len(seen) == 1


def test_a_query_runs_elsewhere_and_answers_here(bridge: Bridge, settle: Settle) -> None:
    answers: list[tuple[threading.Thread, threading.Thread]] = []
    bridge.run(threading.current_thread, lambda worker: answers.append((worker, threading.current_thread())))
    settle(lambda: bool(answers))
    worker, here = answers[0]
    assert worker is not here
    assert here is threading.main_thread()


def test_an_error_goes_to_its_handler_or_to_the_signal(bridge: Bridge, settle: Settle) -> None:
    def fail() -> None:
        raise AppError("gone", "{name} is gone.", name="x")

    handled: list[ErrorInfo] = []
    unhandled: list[ErrorInfo] = []
    bridge.failed.connect(unhandled.append)
    bridge.run(fail, None, handled.append)
    bridge.run(fail)
    settle(lambda: bool(handled and unhandled))
    assert handled[0].code == unhandled[0].code == "gone"


@pytest.mark.expect_log("a query of the window failed")
def test_a_bug_is_told_and_logged(bridge: Bridge, settle: Settle) -> None:
    errors: list[ErrorInfo] = []
    bridge.run(lambda: 1 // 0, None, errors.append)
    settle(lambda: bool(errors))
    assert errors[0].code == "internal"
    assert "ZeroDivisionError" in errors[0].detail


class Receiver(QObject):
    def __init__(self, got: list[int]) -> None:
        super().__init__()
        self.got = got

    def take(self, value: int) -> None:
        self.got.append(value)


def test_a_result_for_a_receiver_that_is_gone_is_dropped(bridge: Bridge, qtbot: QtBot, settle: Settle) -> None:
    got: list[int] = []
    done: list[bool] = []
    go = threading.Event()
    receiver = Receiver(got)
    bridge.run(lambda: go.wait(5) and 7, receiver.take)
    receiver.deleteLater()
    qtbot.wait(1)
    go.set()
    bridge.run(lambda: None, lambda _: done.append(True))
    settle(lambda: bool(done))
    qtbot.wait(50)
    assert got == []
    del receiver
    gc.collect()


def test_after_close_nothing_is_delivered(bridge: Bridge, mailbox: Mailbox, qtbot: QtBot) -> None:
    seen: list[object] = []
    bridge.received.connect(seen.append)
    mailbox.publish(ModelUnloaded("x"))
    bridge.close()
    mailbox.publish(ModelUnloaded("y"))
    bridge.run(lambda: 1, seen.append)
    qtbot.wait(60)
    assert seen == []
