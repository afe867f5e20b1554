"""A transcript on a screen, and short ways to say what is in it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.domain.events import PartDelta, PartFinished, PartStarted, TurnFinished, TurnStarted
from app.domain.messages import (
    GenerationStats,
    Message,
    MessageStatus,
    Part,
    Role,
    StopReason,
    TextPart,
)
from ui.chat.tool_words import ToolWords
from ui.chat.transcript import TranscriptView
from ui.chat.transcript.widgets.prose import ProseWidget


@dataclass
class Screen:
    """The view with an answer ``a`` that can be streamed into it."""

    view: TranscriptView
    app: QApplication
    count: int = 0
    open_parts: dict[int, Part] = field(default_factory=dict)

    def settle(self) -> None:
        self.view.flush()
        for _ in range(3):
            self.app.processEvents()
            self.app.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)

    def start(self) -> None:
        self.view.append_message(question("u", "Why?"))
        self.view.apply(TurnStarted("c", "u", "a"))

    def open(self, index: int, part: Part) -> None:
        self.view.apply(PartStarted("c", "a", index, part))

    def write(self, index: int, text: str) -> None:
        self.view.apply(PartDelta("c", "a", index, text))

    def close(self, index: int, part: Part) -> None:
        self.view.apply(PartFinished("c", "a", index, part))

    def finish(
        self,
        status: MessageStatus = MessageStatus.COMPLETE,
        reason: StopReason | None = StopReason.STOP,
        stats: GenerationStats | None = None,
    ) -> None:
        self.view.apply(TurnFinished("c", "a", status, reason, stats or GenerationStats()))

    def rows(self, *kinds: type[QWidget]) -> list[QWidget]:
        """The visible rows, top first."""
        rows = [row for row in self.view.viewport().children() if isinstance(row, kinds) and row.isVisible()]
        return sorted(rows, key=lambda row: row.y())

    def named(self, label: str) -> QWidget:
        """The visible widget with this accessible name."""
        found = [
            widget
            for widget in self.view.findChildren(QWidget)
            if widget.accessibleName() == label and widget.isVisible()
        ]
        assert len(found) == 1, [w.accessibleName() for w in self.view.findChildren(QWidget) if w.accessibleName()]
        return found[0]

    def prose(self) -> str:
        """The text of the visible prose."""
        return "\n".join(row.toPlainText() for row in self.rows(ProseWidget))

    def click(self, widget: QWidget) -> None:
        QTest.mouseClick(widget, Qt.MouseButton.LeftButton)

    def wheel(self, widget: QWidget, degrees: int) -> None:
        """Turn the wheel over a widget; upwards is more than 0."""
        spot = QPointF(20, 20)
        event = QWheelEvent(
            spot,
            QPointF(widget.mapToGlobal(spot.toPoint())),
            QPoint(),
            QPoint(0, degrees * 8),
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(widget, event)

    def names(self) -> list[str]:
        return [w.accessibleName() for w in self.view.findChildren(QWidget) if w.accessibleName() and w.isVisible()]


def question(identity: str, text: str, *parts: Part) -> Message:
    return Message(identity, "c", None, Role.USER, MessageStatus.COMPLETE, (TextPart(text), *parts), 0.0)


def answer(identity: str, *parts: Part, status: MessageStatus = MessageStatus.COMPLETE, error: str = "") -> Message:
    return Message(identity, "c", None, Role.ASSISTANT, status, parts, 0.0, "tiny", error=error)


@pytest.fixture
def screen(qtbot: QtBot, themed: QApplication, tool_words: ToolWords) -> Iterator[Screen]:
    view = TranscriptView(tool_words)
    qtbot.addWidget(view)
    view.resize(900, 700)
    view.show()
    result = Screen(view, themed)
    result.settle()
    yield result
    view.clear()
    result.settle()


@pytest.fixture
def make_question() -> Callable[..., Message]:
    return question


@pytest.fixture
def make_answer() -> Callable[..., Message]:
    return answer
