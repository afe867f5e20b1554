"""The window over the program's own services; only the model's process is a fake, whose tokens a test releases."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.domain.messages import MessageStatus
from app.domain.protocols import Publish
from app.engine.fake import FakeEngine
from app.services import Services
from app.storage.paths import Paths
from ui.bridge import Bridge
from ui.shell.window import MainWindow

Settle = Callable[[Callable[[], bool]], None]
TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


class Program:
    """A started program: services, bridge and window over one home folder."""

    def __init__(self, home: Path, models: Path, qtbot: QtBot) -> None:
        self.engine = FakeEngine()
        self.services = Services.create(Paths.below(home).create(), engine=self._make_engine, model_roots=(models,))
        self.bridge = Bridge(self.services.mailbox)
        self.window = MainWindow(self.services, self.bridge)
        qtbot.addWidget(self.window)
        self.window.show()
        self.window.start()

    def _make_engine(self, publish: Publish) -> FakeEngine:
        self.engine = FakeEngine(template=TEMPLATE, publish=publish, loaded=False, auto=False)
        return self.engine

    def end(self) -> None:
        self.window.close()
        self.bridge.close()
        self.services.close()


@pytest.fixture
def start(tmp_path: Path, themed: QApplication, qtbot: QtBot) -> Iterator[Callable[[], Program]]:
    models = tmp_path / "models"
    models.mkdir()
    (models / "alcove-tiny.gguf").write_bytes(b"GGUF")
    started: list[Program] = []

    def make() -> Program:
        started.append(Program(tmp_path / "home", models, qtbot))
        return started[-1]

    yield make
    for program in started:
        program.end()


def ask(program: Program, qtbot: QtBot, text: str) -> None:
    field, window = program.window.views.composer.focusProxy(), program.window
    shown, chat = window.chat.conversation, program.services.chat
    before = len(window.chat.messages)
    if shown is not None:  # a turn's thread ends a moment after it told of its end
        qtbot.waitUntil(lambda: not chat.is_running(shown.id), timeout=5000)
    qtbot.keyClicks(field, text)
    qtbot.keyClick(field, Qt.Key.Key_Return)
    # A quick answer may have ended before anybody looks.
    qtbot.waitUntil(lambda: window.chat.running or len(window.chat.messages) > before, timeout=5000)


def answer(program: Program) -> str:
    window = program.window
    live = window.chat._live.get(window.chat.conversation.id if window.chat.conversation else "")
    return live.message.text() if live else window.chat.messages[-1].text()


def test_tokens_appear_stop_works_and_a_restart_shows_it(
    start: Callable[[], Program], qtbot: QtBot, settle: Settle
) -> None:
    program = start()
    program.engine.script(["The", " answer", " is", " long"])
    ask(program, qtbot, "Why is that so?")
    program.engine.release(2)
    settle(lambda: answer(program) == "The answer")
    program.window.escape()
    settle(lambda: not program.window.chat.running)
    assert program.window.chat.messages[-1].status is MessageStatus.STOPPED
    settle(lambda: program.window.windowTitle() == "Why is that so? - Alcove")
    program.end()
    again = start()
    settle(lambda: len(again.window.chat.messages) == 2)
    assert [message.text() for message in again.window.chat.messages] == ["Why is that so?", "The answer"]
    assert again.window.chat.messages[-1].status is MessageStatus.STOPPED
    again.engine.script([" good."])
    again.engine.release(1)
    again.window.views.transcript.continue_requested.emit(again.window.chat.messages[-1].id)
    settle(lambda: again.window.chat.messages[-1].status is MessageStatus.COMPLETE)
    assert again.window.chat.messages[-1].text() == "The answer good."


def test_after_the_death_of_the_engine_the_next_question_works(
    start: Callable[[], Program], qtbot: QtBot, settle: Settle
) -> None:
    program = start()
    program.engine.release_all()
    program.engine.script(["half"], auto=True, dies=True)
    ask(program, qtbot, "first")
    settle(lambda: not program.window.chat.running)
    assert program.window.chat.messages[-1].status is MessageStatus.INTERRUPTED
    settle(lambda: program.window.views.banner.text() != "")
    program.engine.script(["whole"], auto=True)
    ask(program, qtbot, "second")
    settle(lambda: not program.window.chat.running)
    assert program.window.chat.messages[-1].text() == "whole"


def test_closing_in_the_middle_of_an_answer_is_quick_and_keeps_it(
    start: Callable[[], Program], qtbot: QtBot, settle: Settle
) -> None:
    program = start()
    program.engine.script(["kept", " lost"])
    ask(program, qtbot, "go")
    program.engine.release(1)
    settle(lambda: answer(program) == "kept")
    begun = time.monotonic()
    program.end()
    assert time.monotonic() - begun < 2.0
    again = start()
    settle(lambda: len(again.window.chat.messages) == 2)
    assert again.window.chat.messages[-1].text() == "kept"


def test_two_chats_can_be_asked_and_each_gets_its_answer(
    start: Callable[[], Program], qtbot: QtBot, settle: Settle
) -> None:
    program = start()
    program.engine.script(["one"])
    ask(program, qtbot, "first")
    first = program.window.chat.conversation
    assert first is not None
    settle(lambda: len(program.engine.requests) == 1)  # scripts are used in the order of the requests
    program.window.new_chat()
    program.engine.script(["two"])
    ask(program, qtbot, "second")
    program.engine.release_all()
    settle(lambda: not program.window.chat.running)
    assert program.window.chat.messages[-1].text() == "two"
    program.window.chat.open(first.id)
    settle(lambda: program.window.chat.conversation is not None and program.window.chat.conversation.id == first.id)
    assert [message.text() for message in program.window.chat.messages] == ["first", "one"]
