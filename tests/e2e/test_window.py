"""The window with everything real behind it: models, store, documents, engine process."""

import os
import signal
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import ModuleType

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.domain.errors import ErrorInfo
from app.domain.events import PartDelta
from app.domain.messages import CitationPart, MessageStatus, ReasoningPart, ToolResultPart
from app.domain.protocols import Publish
from app.engine.local.worker import EngineWorker
from app.engine.protocol import Engine
from app.services import Services
from app.storage.paths import Paths
from ui.bridge import Bridge
from ui.chat.source_view import SourceView
from ui.shell.window import MainWindow
from ui.theme import apply_theme

pytestmark = [pytest.mark.model]


class Program:
    def __init__(self, home: Path, qtbot: QtBot, engine: Callable[[Publish], Engine] | None = None) -> None:
        self._qtbot = qtbot
        self.services = Services.create(Paths.below(home).create(), engine=engine)
        self.bridge = Bridge(self.services.mailbox)
        self.streamed = ""
        self.bridge.received.connect(self._see)
        self.window = MainWindow(self.services, self.bridge)
        qtbot.addWidget(self.window)
        self.window.show()
        self.window.start()

    def _see(self, event: object) -> None:
        if isinstance(event, PartDelta):
            self.streamed += event.text

    def until(self, condition: Callable[[], bool]) -> None:
        self._qtbot.waitUntil(condition, timeout=60_000)

    def use(self, model: str) -> None:
        self.window.models.select(self.services.model_choice.find(model).path)
        self.until(lambda: (info := self.services.model_choice.info()) is not None and model in info.name)
        self.until(lambda: self.window.views.composer.focusProxy().isEnabled())

    def open(self, path: Path, failures: list[ErrorInfo]) -> None:
        """Until the model is loaded, or a failure is there."""
        info = self.services.model_choice.info
        self.window.open_paths([str(path)])
        self.until(lambda: bool(failures) or ((model := info()) is not None and model.path == str(path)))

    def ask(self, text: str) -> None:
        editor = self.window.views.composer.focusProxy()
        editor.setFocus()
        self._qtbot.keyClicks(editor, text)
        self._qtbot.keyClick(editor, Qt.Key.Key_Return)
        self.until(lambda: self.window.chat.running)

    def finish(self) -> None:
        self.until(lambda: not self.window.chat.running)

    def end(self) -> None:
        self.window.close()
        self.bridge.close()
        self.services.close()

    @property
    def answer(self):
        return self.window.chat.messages[-1]


@pytest.fixture
def start(tmp_path: Path, qapp: QApplication, qtbot: QtBot) -> Iterator[Callable[..., Program]]:
    apply_theme(qapp, "light")
    started: list[Program] = []

    def make(engine: Callable[[Publish], Engine] | None = None) -> Program:
        started.append(Program(tmp_path / "home", qtbot, engine))
        return started[-1]

    yield make
    for program in started:
        program.end()


@pytest.fixture
def limited(monkeypatch: pytest.MonkeyPatch) -> Callable[[Publish], Engine]:
    """Engines whose children cannot take the machine's memory."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "app" / "engine"))
    import limited_child

    return partial(EngineWorker, target=limited_child.run)


def test_type_send_watch_stop_restart(start: Callable[[], Program]) -> None:
    program = start()
    program.use("SmolLM2-135M-Instruct")
    program.ask("Tell me a long story about a lighthouse.")
    program.until(lambda: len(program.streamed) > 40)
    assert program.window.views.transcript.alive_rows >= 2
    program.window.chat.stop()
    program.finish()
    stopped = program.answer
    assert stopped.status is MessageStatus.STOPPED
    title = program.window.chat.conversation.title
    assert title == "Tell me a long story about a lighthouse."
    program.end()

    again = start()
    again.until(lambda: len(again.window.chat.messages) == 2)
    assert [message.text() for message in again.window.chat.messages] == [
        "Tell me a long story about a lighthouse.",
        stopped.text(),
    ]
    assert again.window.chat.conversation.title == title


@pytest.mark.expect_log("the engine's process ended")
def test_the_window_lives_when_the_engines_process_dies(start: Callable[[], Program]) -> None:
    program = start()
    program.use("SmolLM2-135M-Instruct")
    program.ask("Tell me a long story about a lighthouse.")
    program.until(lambda: len(program.streamed) > 40)
    os.kill(program.services.engine.child_pid, signal.SIGSEGV)
    program.finish()
    assert program.answer.status is MessageStatus.INTERRUPTED
    assert program.answer.text()
    program.until(lambda: program.window.views.banner.text() != "")
    program.use("alcove-tiny")
    program.ask("what is 2+2?")
    program.finish()
    assert "4" in program.answer.text()


def test_reasoning_and_a_tool_call_appear(start: Callable[[], Program]) -> None:
    program = start()
    program.use("alcove-tiny")
    program.ask("what is 17*23?")
    program.finish()
    parts = program.answer.parts
    assert any(isinstance(part, ReasoningPart) for part in parts)
    (result,) = [part for part in parts if isinstance(part, ToolResultPart)]
    assert result.result == "391"
    panel = program.window.views.tool_panel
    program.window.views.transcript.tool_call_activated.emit(result.call_id)
    program.until(lambda: panel.isVisible() and panel.chosen() is not None)
    assert panel.chosen().name == "calculator"
    assert "391" in program.answer.text()


def test_an_answer_cites_a_document_and_the_citation_opens(start: Callable[[], Program], docs: Path) -> None:
    program = start()
    program.use("SmolLM2-135M-Instruct")
    program.window.open_paths([str(docs)])
    program.ask("When is the boiler serviced?")
    program.finish()
    citations = [part for part in program.answer.parts if isinstance(part, CitationPart)]
    assert citations, program.answer.text()
    assert Path(citations[0].path).parent == docs
    program.window.views.transcript.citation_activated.emit(citations[0])
    (source,) = program.window.findChildren(SourceView)
    assert source.isVisible()
    source.close()


def test_broken_models_one_after_the_other_and_then_a_good_one(
    start: Callable[..., Program],
    damaged_models: ModuleType,
    limited: Callable[[Publish], Engine],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    program = start(limited)
    program.use("alcove-tiny")
    failures: list[ErrorInfo] = []
    program.window.models.failed.connect(failures.append)
    banner = program.window.views.banner
    tiny = {name: data for name, data in damaged_models.sources().items() if name == "alcove-tiny"}
    loaded = 0
    for number, case in enumerate(list(damaged_models.cases(tiny, len(damaged_models.KINDS)))[::3]):
        path = case.write(tmp_path / str(number))
        failures.clear()
        program.open(path, failures)
        if failures:
            program.until(lambda: banner.text().startswith(failures[-1].text()))
            assert "Traceback" not in banner.text()
            assert "bug" not in failures[-1].code
        else:
            loaded += 1
            program.ask("what is 2+2?")
            program.finish()
            assert program.answer.status in (MessageStatus.COMPLETE, MessageStatus.FAILED), case.id
    assert 3 < loaded < 20
    program.use("alcove-tiny")
    program.window.new_chat()
    program.ask("what is 2+2?")
    program.finish()
    assert "4" in program.answer.text()


def test_a_shorter_context_is_chosen_in_the_panel_and_remembered(start: Callable[[], Program]) -> None:
    program = start()
    program.use("alcove-tiny")
    program.window.views.drawer.open("model")
    panel = program.window.model_panel.panel()
    program.until(lambda: panel.form.isEnabled() and panel.head.state.text().startswith("Loaded"))
    assert (panel.form.context.chosen, panel.form.context.box.value()) == (None, 2048)
    panel.form.context.box.setValue(1024)
    program.until(panel.trial.isVisible)
    assert program.services.model_choice.info().context == 2048
    panel.load.click()
    program.until(lambda: (info := program.services.model_choice.info()) is not None and info.context == 1024)
    program.until(lambda: panel.head.state.text().startswith("Loaded") and not panel.load.isEnabled())
    program.ask("what is 2+2?")
    program.finish()
    assert any("of 1,024" in text for text in program.window.status.texts())
    assert "tokens of the prompt" in panel.reuse.text()
    assert panel.speed.rate.figure.text() != "–"
    program.end()

    again = start()
    again.until(lambda: (info := again.services.model_choice.info()) is not None and info.context == 1024)
    panel = again.window.model_panel.panel()
    again.until(lambda: panel.isVisible() and panel.form.context.chosen == 1024)
    again.until(lambda: "tokens of the prompt" in panel.reuse.text())
