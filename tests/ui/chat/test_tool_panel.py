"""The calls of a conversation: shown, followed, filtered, allowed."""

from collections.abc import Iterable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QListView, QPlainTextEdit, QPushButton
from pytestqt.qtbot import QtBot

from app.domain.events import (
    ApprovalRequested,
    PartDelta,
    PartFinished,
    PartStarted,
    ToolStatusChanged,
    TurnFinished,
    TurnStarted,
)
from app.domain.fold import ToolCall
from app.domain.messages import (
    GenerationStats,
    Message,
    MessageStatus,
    Part,
    Role,
    StopReason,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    ToolStatus,
)
from ui.chat.calls.delegate import seconds_text
from ui.chat.calls.model import CallEntry, entries, pretty
from ui.chat.calls.panel import ToolPanel
from ui.chat.tool_words import ToolWords


def message(name: str, parts: Iterable[Part], status: MessageStatus = MessageStatus.COMPLETE) -> Message:
    return Message(name, "c", None, Role.ASSISTANT, status, tuple(parts), 0.0)


def calls(count: int) -> list[Part]:
    parts: list[Part] = []
    for number in range(count):
        parts.append(ToolCallPart(f"k{number}", "search_documents", f'{{"query": "word{number}"}}'))
        parts.append(ToolResultPart(f"k{number}", "search_documents", ToolStatus.OK, f"found {number}", 0.5))
    return parts


@pytest.fixture
def panel(qtbot: QtBot, themed: QApplication, tool_words: ToolWords) -> ToolPanel:
    panel = ToolPanel(tool_words)
    panel.resize(340, 700)
    qtbot.addWidget(panel)
    panel.show()
    return panel


def shown_texts(panel: ToolPanel) -> list[str]:
    return [edit.toPlainText() for edit in panel.findChildren(QPlainTextEdit) if edit.isVisible()]


def visible_rows(panel: ToolPanel) -> int:
    return panel.findChild(QListView).model().rowCount()


def test_stored_calls_are_shown_with_arguments_and_result(panel: ToolPanel) -> None:
    panel.show_messages([message("a", calls(2))])
    assert panel.model.rowCount() == 2
    assert shown_texts(panel) == ['{\n  "query": "word1"\n}', "found 1"]


def test_a_call_is_followed_while_it_is_written_run_and_answered(panel: ToolPanel) -> None:
    panel.show_messages([message("a", calls(1))])
    panel.apply(PartStarted("c", "b", 0, ToolCallPart("n", "calculator", "")))
    panel.apply(PartDelta("c", "b", 0, '{"expression":'))
    assert shown_texts(panel) == ['{"expression":']
    panel.apply(PartFinished("c", "b", 0, ToolCallPart("n", "calculator", '{"expression":"2+2"}')))
    panel.apply(ToolStatusChanged("c", "b", "n", ToolStatus.RUNNING))
    running = panel.model.entry(1)
    assert running.status is ToolStatus.RUNNING
    assert running.started is not None
    result = ToolResultPart("n", "calculator", ToolStatus.OK, "4", 0.2)
    panel.apply(PartStarted("c", "b", 1, result))
    panel.apply(PartFinished("c", "b", 1, result))
    assert panel.model.entry(1) == CallEntry(
        "b", "n", "calculator", '{"expression":"2+2"}', ToolStatus.OK, "4", 0.2, None
    )
    assert shown_texts(panel) == ['{\n  "expression": "2+2"\n}', "4"]


def test_a_person_who_looks_at_an_old_call_is_left_there(panel: ToolPanel) -> None:
    panel.show_messages([message("a", calls(3))])
    panel.reveal("k0")
    panel.apply(PartStarted("c", "b", 0, ToolCallPart("n", "calculator", "{}")))
    chosen = panel.chosen()
    assert chosen is not None
    assert chosen.call_id == "k0"


@pytest.mark.parametrize(
    ("button", "decision"),
    [("Allow once", (True, False)), ("Always in this chat", (True, True)), ("Deny", (False, False))],
)
def test_a_call_with_an_effect_asks(panel: ToolPanel, qtbot: QtBot, button: str, decision: tuple[bool, bool]) -> None:
    panel.apply(PartStarted("c", "b", 0, ToolCallPart("n", "write_file", "{}")))
    panel.apply(ToolStatusChanged("c", "b", "n", ToolStatus.WAITING))
    panel.apply(ApprovalRequested("c", "b", "n", "write_file", "{}"))
    pressed = next(found for found in panel.findChildren(QPushButton) if found.text() == button)
    assert pressed.isVisible()
    with qtbot.waitSignal(panel.approval_decided) as decided:
        qtbot.mouseClick(pressed, Qt.MouseButton.LeftButton)
    assert decided.args == ["n", *decision]
    assert not pressed.isVisible()


def test_what_has_no_result_at_the_end_never_gets_one(panel: ToolPanel) -> None:
    panel.apply(PartStarted("c", "b", 0, ToolCallPart("n1", "x", "{}")))
    panel.apply(ToolStatusChanged("c", "b", "n1", ToolStatus.RUNNING))
    panel.apply(PartStarted("c", "b", 1, ToolCallPart("n2", "x", '{"cut')))
    panel.apply(TurnFinished("c", "b", MessageStatus.STOPPED, StopReason.CANCELLED, GenerationStats()))
    assert [panel.model.entry(row).status for row in (0, 1)] == [ToolStatus.CANCELLED, ToolStatus.INCOMPLETE]
    stored = entries(message("b", [ToolCallPart("n2", "x", '{"cut')], MessageStatus.STOPPED))
    assert stored[0].status is ToolStatus.INCOMPLETE


def test_calls_that_are_written_again_are_not_there_twice(panel: ToolPanel) -> None:
    parts = [*calls(1), ToolCallPart("n1", "x", "{}"), ToolCallPart("n2", "x", '{"cut')]
    panel.show_messages([message("b", parts, MessageStatus.INTERRUPTED)])
    panel.apply(TurnStarted("c", "q", "b"))
    panel.apply(PartStarted("c", "b", 2, TextPart("")))
    assert [panel.model.entry(row).call_id for row in range(panel.model.rowCount())] == ["k0"]
    assert shown_texts(panel) == ['{\n  "query": "word0"\n}', "found 0"]
    panel.apply(PartStarted("c", "b", 3, ToolCallPart("n1", "x", "{}")))
    assert [panel.model.entry(row).status for row in range(panel.model.rowCount())] == [ToolStatus.OK, None]


def test_who_enters_while_a_call_waits_is_asked(panel: ToolPanel) -> None:
    waiting = ToolCall("n1", "send", "{}", status=ToolStatus.WAITING)
    parts = [ToolCallPart("n1", "send", "{}"), ToolCallPart("n2", "send", "{}")]
    panel.show_messages([message("b", parts, MessageStatus.STREAMING)], [waiting])
    chosen = panel.chosen()
    assert chosen is not None
    assert (chosen.call_id, chosen.status) == ("n1", ToolStatus.WAITING)
    assert any(found.text() == "Allow once" and found.isVisible() for found in panel.findChildren(QPushButton))


def test_the_filter_hides_and_a_click_in_the_chat_brings_back(panel: ToolPanel) -> None:
    panel.show_messages([message("a", calls(20))])
    search = panel.findChild(QLineEdit)
    search.setText("word19")
    assert visible_rows(panel) == 1
    panel.reveal("k3")
    assert visible_rows(panel) == 20
    chosen = panel.chosen()
    assert chosen is not None
    assert chosen.call_id == "k3"


@pytest.mark.parametrize(("text", "rows"), [("search the doc", 2), ("search_doc", 2), ("WORD1", 1), ("clock", 0)])
def test_a_call_is_found_by_title_name_and_arguments(panel: ToolPanel, text: str, rows: int) -> None:
    panel.show_messages([message("a", calls(2))])
    panel.findChild(QLineEdit).setText(text)
    assert visible_rows(panel) == rows


def test_a_name_that_a_model_made_up_is_plain_text(panel: ToolPanel) -> None:
    panel.show_messages([message("a", [ToolCallPart("k", "<img src='x'>", "{}")])])
    shown = [label for label in panel.findChildren(QLabel) if label.text() == "<img src='x'>"]
    assert [(label.textFormat(), label.toolTip()) for label in shown] == [
        (Qt.TextFormat.PlainText, "<p>&lt;img src=&#x27;x&#x27;&gt;</p>")
    ]


def test_a_thousand_calls_make_no_thousand_widgets(panel: ToolPanel) -> None:
    before = len(panel.findChildren(QPlainTextEdit))
    panel.show_messages([message("a", calls(1000))])
    assert visible_rows(panel) == 1000
    assert len(panel.findChildren(QPlainTextEdit)) == before


def test_an_id_that_comes_twice_means_the_newest_unless_told_otherwise(panel: ToolPanel) -> None:
    panel.show_messages([message("a", calls(1)), message("b", calls(1))])
    assert panel.model.row_of("k0") == 1
    assert panel.model.row_of("k0", "a") == 0
    assert panel.model.row_of("none") == -1


def test_texts() -> None:
    assert [seconds_text(value) for value in (0, 0.04, 1.25, 59.9, 75)] == ["", "", "1.2 s", "59.9 s", "1:15 min"]
    assert pretty("{broken") == "{broken"
    assert CallEntry("a", "k", "x", '{"a": "one\\n two", "b": 3}').summary() == "one two, 3"
    assert CallEntry("a", "k", "x", "[1, 2").summary() == "[1, 2"
