"""What an answer is made of, as a person meets it: reasoning, tools, sources and citations, its end."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QTextEdit
from pytestqt.qtbot import QtBot

from app.domain.errors import ErrorInfo
from app.domain.events import ApprovalRequested, ToolStatusChanged, TurnFinished, TurnStarted
from app.domain.fold import ToolCall
from app.domain.messages import (
    AttachmentPart,
    CitationPart,
    GenerationStats,
    Message,
    MessageStatus,
    NotePart,
    ReasoningPart,
    SourcesPart,
    StopReason,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    ToolStatus,
)
from app.domain.sources import Locator, Source
from ui.chat.transcript.widgets.prose import ProseWidget
from ui.chat.transcript.widgets.reasoning import ReasoningWidget, ThoughtLines
from ui.chat.transcript.widgets.tool_card import ToolCard

Screen = Any  # the fixture of conftest.py
Make = Callable[..., Message]
SOURCE = Source(1, "/notes/Tides.pdf", Locator(page=12), "The quote.")


# Reasoning


def test_reasoning_is_open_while_it_grows_and_folds_itself(screen: Screen) -> None:
    screen.start()
    screen.open(0, ReasoningPart(""))
    screen.write(0, "One line.\n" * 80)
    screen.settle()
    row = screen.rows(ReasoningWidget)[0]
    assert 250 <= row.height() <= 300  # capped
    lines = row.findChild(ThoughtLines)
    bar = lines.verticalScrollBar()
    assert bar.value() == bar.maximum() > 0
    screen.close(0, ReasoningPart("One line.\n" * 80, 12.4, 340))
    screen.settle()
    assert screen.named("Thought for 12 s · 340 tokens")
    assert row.height() < 40


def test_reasoning_lets_go_of_its_tail_and_takes_it_again(screen: Screen) -> None:
    screen.start()
    screen.open(0, ReasoningPart(""))
    screen.write(0, "One line.\n" * 80)
    screen.settle()
    lines = screen.rows(ReasoningWidget)[0].findChild(ThoughtLines)
    bar = lines.verticalScrollBar()
    screen.wheel(lines.viewport(), 30)
    there = bar.value()
    assert there < bar.maximum()
    screen.write(0, "More.\n" * 5)
    screen.settle()
    assert bar.value() == there
    for _ in range(6):
        screen.wheel(lines.viewport(), -30)
    screen.write(0, "More.\n" * 5)
    screen.settle()
    assert bar.value() == bar.maximum()


@pytest.mark.parametrize("opened_by_hand", [True, False])
def test_reasoning_stays_as_the_person_left_it(screen: Screen, opened_by_hand: bool) -> None:
    screen.start()
    screen.open(0, ReasoningPart(""))
    screen.write(0, "One line.\n" * 20)
    screen.settle()
    header = screen.named(next(name for name in screen.names() if name.startswith("Thinking")))
    screen.click(header)
    screen.settle()
    assert "Reasoning" not in screen.names()
    if opened_by_hand:
        screen.click(header)
        screen.settle()
    screen.write(0, "More.\n" * 20)
    screen.close(0, ReasoningPart("One line.\n" * 40, 5.0))
    screen.settle()
    assert ("Reasoning" in screen.names()) is opened_by_hand


def test_folding_keeps_the_header_where_it_is(screen: Screen, make_answer: Make) -> None:
    thought = ReasoningPart("A thought.\n" * 50, 4.0)
    screen.view.show_conversation([make_answer(f"r{i}", thought, TextPart("Words. " * 80)) for i in range(8)])
    screen.settle()
    screen.view.scroll_by(-300)
    row = screen.rows(ReasoningWidget)[-1]
    place = row.y()
    for _ in range(3):
        screen.click(screen.app.widgetAt(row.mapToGlobal(QPoint(40, 14))) or row.children()[0])
        screen.settle()
        assert row.y() == place


# Tools


def test_a_tool_call_from_its_first_letter_to_its_result(screen: Screen, qtbot: QtBot) -> None:
    screen.start()
    screen.open(0, ToolCallPart("k", "search_documents", ""))
    screen.write(0, '{"query": "spring ti')
    screen.settle()
    assert "Searching: spring ti" in screen.names()
    screen.close(0, ToolCallPart("k", "search_documents", '{"query": "spring tides"}'))
    screen.view.apply(ToolStatusChanged("c", "a", "k", ToolStatus.RUNNING))
    screen.settle()
    assert "Searching: spring tides" in screen.names()
    screen.open(1, ToolResultPart("k", "search_documents", ToolStatus.RUNNING, ""))
    screen.close(1, ToolResultPart("k", "search_documents", ToolStatus.OK, "[1] ...", 2.4))
    screen.settle()
    assert len(screen.rows(ToolCard)) == 1
    with qtbot.waitSignal(screen.view.tool_call_activated) as signal:
        screen.click(screen.named("Searched: spring tides. Done. 2.4 s"))
    assert signal.args == ["k"]


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (ToolStatus.OK, "Done"),
        (ToolStatus.FAILED, "Failed"),
        (ToolStatus.DENIED, "Denied"),
        (ToolStatus.CANCELLED, "Cancelled"),
        (ToolStatus.INCOMPLETE, "Cut off"),
    ],
)
def test_badges(screen: Screen, make_answer: Make, status: ToolStatus, word: str) -> None:
    call = ToolCallPart("k", "send", '{"to": "ada", "n": 2}')
    screen.view.show_conversation([make_answer("r", call, ToolResultPart("k", "send", status, "", 0.2))])
    screen.settle()
    assert f'send(to="ada", n=2). {word}' in screen.names()  # no time below a second


@pytest.mark.parametrize(
    ("label", "decision"),
    [("Allow once", [True, False]), ("Always in this chat", [True, True]), ("Deny", [False, False])],
)
def test_approval(screen: Screen, qtbot: QtBot, label: str, decision: list[bool]) -> None:
    screen.start()
    screen.open(0, ToolCallPart("k", "send", "{}"))
    screen.view.apply(ApprovalRequested("c", "a", "k", "send", "{}"))
    screen.settle()
    assert "send(). Waiting for approval" in screen.names()
    with qtbot.waitSignal(screen.view.approval_decided) as signal:
        screen.click(screen.named(label))
    assert signal.args == ["k", *decision]
    screen.view.apply(ToolStatusChanged("c", "a", "k", ToolStatus.RUNNING))
    screen.settle()
    assert label not in screen.names()


def test_a_call_that_waits_is_asked_for_by_whoever_enters_then(screen: Screen, qtbot: QtBot, make_answer: Make) -> None:
    live = make_answer("a", ToolCallPart("k", "send", "{}"), status=MessageStatus.STREAMING)
    screen.view.show_conversation([live], [ToolCall("k", "send", "{}", status=ToolStatus.WAITING)])
    screen.settle()
    with qtbot.waitSignal(screen.view.approval_decided) as signal:
        screen.click(screen.named("Allow once"))
    assert signal.args == ["k", True, False]


def test_a_call_cut_off_with_its_answer_does_not_spin_for_ever(screen: Screen) -> None:
    screen.start()
    screen.open(0, ToolCallPart("k", "send", '{"to"'))
    screen.finish(MessageStatus.STOPPED, StopReason.CANCELLED)
    screen.settle()
    assert [name for name in screen.names() if name.endswith("Cut off")]  # as the tool panel says it


# Sources and citations


def test_sources_open_into_a_list(screen: Screen, qtbot: QtBot, make_answer: Make) -> None:
    screen.view.show_conversation([make_answer("r", SourcesPart((SOURCE,)), TextPart("So."))])
    screen.settle()
    screen.click(screen.named("1 source"))
    screen.settle()
    with qtbot.waitSignal(screen.view.open_source_requested) as signal:
        screen.click(screen.named("1  Tides.pdf, page 12"))
    assert signal.args == ["/notes/Tides.pdf", Locator(page=12)]


def test_citations_become_chips_when_their_parts_come(screen: Screen, qtbot: QtBot) -> None:
    citation = CitationPart(1, SOURCE.path, SOURCE.locator, SOURCE.text)
    screen.start()
    screen.open(0, TextPart("Known [1], unknown [2]."))
    screen.settle()
    row = screen.rows(ProseWidget)[0]
    assert not anchors(row)
    screen.close(0, TextPart("Known [1], unknown [2]."))
    screen.open(1, citation)
    screen.close(1, citation)
    screen.finish()
    screen.settle()
    row = screen.rows(ProseWidget)[0]
    assert row.toPlainText() == "Known [1], unknown [2]."
    assert set(anchors(row)) == {"alcove-cite:1"}
    with qtbot.waitSignal(screen.view.citation_activated) as signal:
        click_link(row, "alcove-cite:1")
    assert signal.args == [citation]


def test_links_speak_and_open_nothing(screen: Screen, qtbot: QtBot, make_answer: Make) -> None:
    screen.view.show_conversation([make_answer("r", TextPart("See [this](https://example.org/a)."))])
    screen.settle()
    row = screen.rows(ProseWidget)[0]
    with qtbot.waitSignal(screen.view.link_activated) as signal:
        click_link(row, "https://example.org/a")
    assert signal.args == ["https://example.org/a"]
    assert row.toPlainText() == "See this."


def anchors(row: QTextEdit) -> list[str]:
    return re.findall(r'href="([^"]+)"', row.toHtml())


def click_link(row: ProseWidget, link: str) -> None:
    for x in range(0, row.width(), 3):
        if row.anchorAt(QPoint(x, 10)) == link:
            QTest.mouseClick(row.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(x + 2, 10))
            return
    raise AssertionError(link)


# The end of an answer


def test_footer_tells_tokens_and_speed(screen: Screen, qtbot: QtBot) -> None:
    screen.start()
    screen.open(0, TextPart("Done."))
    screen.finish(stats=GenerationStats(90, 80, 312, 1.0, 12.0, cached_from="memory", evaluated_tokens=10))
    screen.settle()
    assert "312 tokens · 26.0 tokens/s" in screen.names()
    footer = screen.named("312 tokens · 26.0 tokens/s")
    assert "Reused 80 of 90 tokens of the prompt from memory; 10 were new." in footer.toolTip()
    assert "Continue" not in screen.names()
    with qtbot.waitSignal(screen.view.regenerate_requested) as signal:
        screen.click(screen.named("Another answer"))
    assert signal.args == ["a"]


@pytest.mark.parametrize(
    ("status", "reason", "words"),
    [
        (MessageStatus.STOPPED, StopReason.CANCELLED, "Stopped"),
        (MessageStatus.INTERRUPTED, None, "Interrupted"),
        (MessageStatus.COMPLETE, StopReason.CONTEXT_FULL, "The context is full"),
        (MessageStatus.COMPLETE, StopReason.LENGTH, "The length limit is reached"),
    ],
)
def test_an_answer_that_was_cut_can_go_on(
    screen: Screen, qtbot: QtBot, status: MessageStatus, reason: StopReason | None, words: str
) -> None:
    screen.start()
    screen.open(0, TextPart("Half an ans"))
    screen.finish(status, reason)
    screen.settle()
    assert words in screen.names()
    with qtbot.waitSignal(screen.view.continue_requested) as signal:
        screen.click(screen.named("Continue"))
    assert signal.args == ["a"]
    screen.view.apply(TurnStarted("c", "u", "a"))
    screen.write(0, "wer.")
    screen.settle()
    assert screen.prose() == "Half an answer."
    assert words not in screen.names()


def test_an_answer_that_is_taken_up_loses_what_is_written_again(screen: Screen, make_answer: Make) -> None:
    citation = CitationPart(1, SOURCE.path, SOURCE.locator, SOURCE.text)
    parts = (
        TextPart("Kept [1]."),
        ReasoningPart("Hm.", 1.0),
        TextPart("Half"),
        citation,
        ToolCallPart("k", "send", "{"),
    )
    screen.view.show_conversation([make_answer("a", *parts, status=MessageStatus.INTERRUPTED)])
    screen.settle()
    screen.view.apply(TurnStarted("c", "u", "a"))
    screen.open(1, ReasoningPart(""))
    screen.write(1, "Once more.")
    screen.settle()
    assert screen.prose() == "Kept [1]."
    assert not screen.rows(ToolCard)
    assert not anchors(screen.rows(ProseWidget)[0])
    assert [name for name in screen.names() if name.startswith("Thinking")]
    screen.open(2, TextPart("Whole."))
    screen.finish()
    screen.settle()
    assert screen.prose() == "Kept [1].\nWhole."


def test_an_error_says_what_to_do(screen: Screen, qtbot: QtBot) -> None:
    screen.start()
    error = ErrorInfo("engine-died", "The model's process ended ({why}).", "Ask again.", {"why": "signal 11"})
    screen.view.apply(TurnFinished("c", "a", MessageStatus.FAILED, None, GenerationStats(), error))
    screen.settle()
    assert "The model's process ended (signal 11). Ask again." in screen.names()
    assert "Continue" not in screen.names()
    with qtbot.waitSignal(screen.view.regenerate_requested) as signal:
        screen.click(screen.named("Try again"))
    assert signal.args == ["a"]


def test_a_stored_error_and_a_remark(screen: Screen, make_answer: Make) -> None:
    message = make_answer("r", NotePart("x", "A remark."), status=MessageStatus.FAILED, error="It broke.")
    screen.view.show_conversation([message])
    screen.settle()
    assert {"A remark.", "It broke."} <= set(screen.names())


def test_versions_of_a_message(screen: Screen, qtbot: QtBot, make_question: Make, make_answer: Make) -> None:
    screen.view.show_conversation([make_question("q", "Why?"), make_answer("r", TextPart("So."))])
    assert "Previous version" not in screen.names()
    screen.view.set_siblings("r", 1, 3)
    screen.settle()
    assert "2/3" in screen.names()
    with qtbot.waitSignal(screen.view.sibling_requested) as signal:
        screen.click(screen.named("Previous version"))
    assert signal.args == ["r", -1]
    with qtbot.waitSignal(screen.view.sibling_requested) as signal:
        screen.click(screen.named("Next version"))
    assert signal.args == ["r", 1]


def test_a_question_with_files_can_be_edited(screen: Screen, qtbot: QtBot, make_question: Make) -> None:
    screen.view.show_conversation([make_question("q", "Read this", AttachmentPart("/notes/a.pdf", "a.pdf"))])
    screen.settle()
    with qtbot.waitSignal(screen.view.edit_requested) as signal:
        screen.click(screen.named("Edit question"))
    assert signal.args == ["q"]
    with qtbot.waitSignal(screen.view.open_source_requested) as signal:
        screen.click(screen.named("/notes/a.pdf"))
    assert signal.args == ["/notes/a.pdf", Locator()]
