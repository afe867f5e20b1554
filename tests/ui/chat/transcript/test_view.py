"""The transcript as a person meets it."""

import math
import re
from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent, QMouseEvent, QTextCursor, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QTextEdit, QWidget
from pytestqt.qtbot import QtBot

from app.domain.errors import ErrorInfo
from app.domain.events import (
    ApprovalRequested,
    PrefillProgress,
    ToolStatusChanged,
    TurnFinished,
    TurnQueued,
    TurnStarted,
)
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
from ui.chat.transcript.code import CodeWidget
from ui.chat.transcript.prose import ProseWidget
from ui.chat.transcript.question import QuestionWidget
from ui.chat.transcript.reasoning import ReasoningWidget, ThoughtLines
from ui.chat.transcript.tool_card import ToolCard
from ui.theme import apply_theme

Screen = Any  # the fixture of conftest.py
Make = Callable[..., Message]
LONG = "\n\n".join(f"Paragraph {i} " + "with quite a few words in it " * 12 for i in range(200))


def prose_text(screen: Screen) -> str:
    return "\n".join(row.toPlainText() for row in screen.rows(ProseWidget))


def click(widget: Any) -> None:
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton)


def wheel(widget: Any, degrees: int) -> None:
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


def test_shows_a_conversation_at_its_end(screen: Screen, make_question: Make, make_answer: Make) -> None:
    messages = [make_question("q", "Why **so**?"), make_answer("r", TextPart("Because **so**.\n\n# Head"))]
    screen.view.show_conversation(messages)
    screen.settle()
    assert prose_text(screen) == "Because so.\nHead"
    assert screen.rows(QuestionWidget)
    assert screen.named("Question").toPlainText() == "Why **so**?"  # what the person wrote is not markdown
    assert screen.view.follows_end
    screen.view.clear()
    screen.settle()
    assert not screen.rows(ProseWidget)


def test_only_what_can_be_seen_exists(screen: Screen, make_question: Make, make_answer: Make) -> None:
    messages = []
    for i in range(500):
        messages += [make_question(f"q{i}", f"Question {i}"), make_answer(f"r{i}", TextPart(f"Answer {i}.\n\n" * 3))]
    screen.view.show_conversation(messages)
    bar = screen.view.verticalScrollBar()
    for value in (bar.maximum(), bar.maximum() // 2, 0, bar.maximum() // 3):
        bar.setValue(value)
        screen.settle()
        height = sum(row.height() for row in screen.rows(ProseWidget, QuestionWidget))
        assert height > screen.view.viewport().height() // 2
        assert screen.view.alive_rows < 60


def test_a_long_message_is_not_alive_as_a_whole(screen: Screen, make_answer: Make) -> None:
    screen.view.show_conversation([make_answer("r", TextPart(LONG))])
    screen.settle()
    assert screen.view.alive_rows < 6


def test_scrolling_up_into_estimated_rows_moves_the_text_by_what_was_asked(screen: Screen, make_answer: Make) -> None:
    code = "```py\n" + "x = 1\n" * 30 + "```"
    messages = [make_answer(f"r{i}", TextPart(f"# {i}\n\n{'word ' * (i * 37 % 400)}\n\n{code}")) for i in range(60)]
    screen.view.show_conversation(messages)
    screen.settle()
    for _ in range(120):
        before = {row: row.y() for row in screen.rows(ProseWidget, CodeWidget)}
        screen.view.scroll_by(-70)
        moved = {row.y() - y for row, y in before.items() if row.isVisible()}
        assert moved <= {70}
        assert moved


def test_scroll_bar_and_keys_reach_both_ends(screen: Screen, make_answer: Make) -> None:
    screen.view.show_conversation([make_answer(f"r{i}", TextPart(f"Answer {i}.\n\n" * 5)) for i in range(50)])
    screen.settle()
    screen.view.setFocus()
    QTest.keyClick(screen.view, Qt.Key.Key_Home)
    assert screen.view.verticalScrollBar().value() == 0
    assert not screen.view.follows_end
    assert prose_text(screen).startswith("Answer 0.")
    QTest.keyClick(screen.view, Qt.Key.Key_End)
    assert screen.view.follows_end
    assert "Answer 49." in prose_text(screen)
    QTest.keyClick(screen.rows(ProseWidget)[0], Qt.Key.Key_PageUp)  # a row hands the key on
    assert not screen.view.follows_end
    screen.view.verticalScrollBar().setValue(screen.view.verticalScrollBar().maximum())
    assert screen.view.follows_end


def test_follows_the_end_until_the_person_scrolls_up(screen: Screen, make_answer: Make) -> None:
    screen.view.show_conversation([make_answer("r", TextPart(LONG))])
    screen.start()
    screen.open(0, TextPart(""))
    for i in range(30):
        screen.write(0, f"Streamed paragraph {i}.\n\n")
        screen.settle()
    bar = screen.view.verticalScrollBar()
    assert bar.value() == bar.maximum()
    assert "Streamed paragraph 29." in prose_text(screen)
    wheel(screen.view.viewport(), 60)
    assert not screen.view.follows_end
    places = {row: row.y() for row in screen.rows(ProseWidget)}
    for i in range(30):
        screen.write(0, f"More {i}.\n\n")
        screen.settle()
    still = [row for row in places if row.isVisible()]
    assert still
    assert all(row.y() == places[row] for row in still)
    click(screen.named("Jump to the latest"))
    screen.settle()
    assert screen.view.follows_end
    assert "More 29." in prose_text(screen)
    assert "Jump to the latest" not in screen.names()


def test_new_text_never_moves_what_is_read_down(screen: Screen, make_answer: Make) -> None:
    """The end of thinking makes the content shorter; the page stays and fills again."""
    screen.view.show_conversation([make_answer("r", TextPart(LONG))])
    screen.start()
    screen.settle()
    screen.open(0, ReasoningPart(""))
    screen.write(0, "Thinking about it.\n" * 60)
    screen.settle()
    question = screen.rows(QuestionWidget)[0]
    place = question.y()
    screen.close(0, ReasoningPart("Thinking about it.\n" * 60, 3.0, 240))
    screen.open(1, TextPart("Short."))
    screen.settle()
    assert question.y() == place
    for i in range(40):
        screen.write(1, f"\n\nLine {i}")
        screen.settle()
        assert question.y() <= place or not question.isVisible()
    assert "Line 39" in prose_text(screen)


def test_reading_the_prompt_and_waiting_are_told(screen: Screen) -> None:
    screen.start()
    screen.view.apply(TurnQueued("c", "a", 2))
    screen.settle()
    assert "Waiting: 2 answers come first" in screen.names()
    screen.view.apply(PrefillProgress("c", "a", 430, 1000, 0))
    screen.settle()
    assert "Reading the prompt… 43%" in screen.names()
    screen.open(0, TextPart("Hi"))
    screen.settle()
    assert not [name for name in screen.names() if "prompt" in name]


def test_streams_prose_and_code(screen: Screen) -> None:
    screen.start()
    screen.open(0, TextPart(""))
    screen.write(0, "Some **bo")
    screen.settle()
    assert prose_text(screen) == "Some **bo"
    screen.write(0, "ld** text\n\n```python\ndef f():\n    retu")
    screen.settle()
    assert prose_text(screen) == "Some bold text"
    assert screen.named("Code, python").toPlainText() == "def f():\n    retu"
    screen.write(0, "rn 1\n```\n\nAfter")
    screen.close(0, TextPart("Some **bold** text\n\n```python\ndef f():\n    return 1\n```\n\nAfter"))
    screen.finish()
    screen.settle()
    assert screen.named("Code, python").toPlainText() == "def f():\n    return 1"
    assert prose_text(screen) == "Some bold text\nAfter"


def test_code_is_coloured_when_it_is_whole(screen: Screen, make_answer: Make) -> None:
    screen.view.show_conversation([make_answer("r", TextPart("```python\ndef f(): pass\n```"))])
    screen.settle()
    lines = screen.named("Code, python")
    assert lines.document().firstBlock().layout().formats()


def test_copies_code_answer_question_and_reasoning(
    screen: Screen, qtbot: QtBot, make_question: Make, make_answer: Make
) -> None:
    source = "Some **bold**.\n\n```python\nx = 1\n```"
    screen.view.show_conversation(
        [make_question("q", "Why *so*?"), make_answer("r", ReasoningPart("Hm.", 2.0), TextPart(source))]
    )
    screen.settle()
    for label, text in [("Copy code", "x = 1"), ("Copy answer", source), ("Copy question", "Why *so*?")]:
        with qtbot.waitSignal(screen.view.copied) as signal:
            click(screen.named(label))
        assert signal.args == [text]
        assert QGuiApplication.clipboard().text() == text
    click(screen.named("Thought for 2 s"))
    with qtbot.waitSignal(screen.view.copied) as signal:
        click(screen.named("Copy reasoning"))
    assert signal.args == ["Hm."]


def test_selected_text_is_copied_by_the_keyboard(screen: Screen, make_answer: Make) -> None:
    screen.view.show_conversation([make_answer("r", TextPart("Select **me**."))])
    screen.settle()
    row = screen.rows(ProseWidget)[0]
    row.selectAll()
    QTest.keyClick(row, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == "Select me."


def test_a_selection_in_the_growing_text_stays(screen: Screen) -> None:
    screen.start()
    screen.open(0, TextPart("Select these words"))
    screen.settle()
    row = screen.rows(ProseWidget)[0]
    cursor = row.textCursor()
    cursor.setPosition(7)
    cursor.setPosition(12, QTextCursor.MoveMode.KeepAnchor)
    row.setTextCursor(cursor)
    screen.write(0, " and more")
    screen.settle()
    assert screen.rows(ProseWidget)[0].textCursor().selectedText() == "these"


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
    wheel(lines.viewport(), 30)
    there = bar.value()
    assert there < bar.maximum()
    screen.write(0, "More.\n" * 5)
    screen.settle()
    assert bar.value() == there
    for _ in range(6):
        wheel(lines.viewport(), -30)
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
    click(header)
    screen.settle()
    assert "Reasoning" not in screen.names()
    if opened_by_hand:
        click(header)
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
        click(screen.app.widgetAt(row.mapToGlobal(QPoint(40, 14))) or row.children()[0])
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
        click(screen.named("Searched: spring tides. Done. 2.4 s"))
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
        click(screen.named(label))
    assert signal.args == ["k", *decision]
    screen.view.apply(ToolStatusChanged("c", "a", "k", ToolStatus.RUNNING))
    screen.settle()
    assert label not in screen.names()


def test_a_call_cut_off_with_its_answer_does_not_spin_for_ever(screen: Screen) -> None:
    screen.start()
    screen.open(0, ToolCallPart("k", "send", '{"to"'))
    screen.finish(MessageStatus.STOPPED, StopReason.CANCELLED)
    screen.settle()
    assert [name for name in screen.names() if name.endswith("Cancelled")]


# Sources and citations

SOURCE = Source(1, "/notes/Tides.pdf", Locator(page=12), "The quote.")


def test_sources_open_into_a_list(screen: Screen, qtbot: QtBot, make_answer: Make) -> None:
    screen.view.show_conversation([make_answer("r", SourcesPart((SOURCE,)), TextPart("So."))])
    screen.settle()
    click(screen.named("1 source"))
    screen.settle()
    with qtbot.waitSignal(screen.view.open_source_requested) as signal:
        click(screen.named("1  Tides.pdf, page 12"))
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
    screen.finish(stats=GenerationStats(generated_tokens=312, decode_s=12.0))
    screen.settle()
    assert "312 tokens · 26.0 tokens/s" in screen.names()
    assert "Continue" not in screen.names()
    with qtbot.waitSignal(screen.view.regenerate_requested) as signal:
        click(screen.named("Another answer"))
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
        click(screen.named("Continue"))
    assert signal.args == ["a"]
    screen.view.apply(TurnStarted("c", "u", "a"))
    screen.write(0, "wer.")
    screen.settle()
    assert prose_text(screen) == "Half an answer."
    assert words not in screen.names()


def test_an_error_says_what_to_do(screen: Screen, qtbot: QtBot) -> None:
    screen.start()
    error = ErrorInfo("engine-died", "The model's process ended ({why}).", "Ask again.", {"why": "signal 11"})
    screen.view.apply(TurnFinished("c", "a", MessageStatus.FAILED, None, GenerationStats(), error))
    screen.settle()
    assert "The model's process ended (signal 11). Ask again." in screen.names()
    assert "Continue" not in screen.names()
    with qtbot.waitSignal(screen.view.regenerate_requested) as signal:
        click(screen.named("Try again"))
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
        click(screen.named("Previous version"))
    assert signal.args == ["r", -1]
    with qtbot.waitSignal(screen.view.sibling_requested) as signal:
        click(screen.named("Next version"))
    assert signal.args == ["r", 1]


def test_a_question_with_files_can_be_edited(screen: Screen, qtbot: QtBot, make_question: Make) -> None:
    screen.view.show_conversation([make_question("q", "Read this", AttachmentPart("/notes/a.pdf", "a.pdf"))])
    screen.settle()
    with qtbot.waitSignal(screen.view.edit_requested) as signal:
        click(screen.named("Edit question"))
    assert signal.args == ["q"]
    with qtbot.waitSignal(screen.view.open_source_requested) as signal:
        click(screen.named("/notes/a.pdf"))
    assert signal.args == ["/notes/a.pdf", Locator()]


def test_a_question_of_a_megabyte_is_cut_into_rows(screen: Screen, make_question: Make) -> None:
    screen.view.show_conversation([make_question("q", "many words " * 90_000)])
    screen.settle()
    assert screen.view.alive_rows < 12


def test_a_streaming_answer_can_be_entered_in_the_middle(
    screen: Screen, make_question: Make, make_answer: Make
) -> None:
    half = make_answer("a", ReasoningPart("Hm", 1.0), TextPart("Half of"), status=MessageStatus.STREAMING)
    screen.view.show_conversation([make_question("u", "Why?"), half])
    screen.settle()
    screen.write(1, " it")
    screen.settle()
    assert prose_text(screen) == "Half of it"
    screen.close(1, TextPart("Half of it."))
    screen.finish()
    screen.settle()
    assert prose_text(screen) == "Half of it."


def test_events_of_other_conversations_pass_by(screen: Screen, make_answer: Make) -> None:
    screen.view.show_conversation([make_answer("r", TextPart("So."))])
    screen.write(0, "never")
    screen.view.apply(object())
    screen.settle()
    assert prose_text(screen) == "So."


def test_a_change_of_colours_keeps_the_place(screen: Screen, make_answer: Make) -> None:
    screen.view.show_conversation([make_answer("r", TextPart(LONG))])
    screen.settle()
    screen.view.scroll_by(-500)
    place = screen.view.verticalScrollBar().value()
    try:
        theme = apply_theme(screen.app, "dark")
        screen.settle()
        assert abs(screen.view.verticalScrollBar().value() - place) <= 2
        shot = screen.view.grab().toImage()
        assert shot.pixelColor(5, 5).name() == theme.background
    finally:
        apply_theme(screen.app, "light")


def test_another_width_keeps_the_end(screen: Screen, make_answer: Make) -> None:
    screen.view.show_conversation([make_answer("r", TextPart(LONG))])
    screen.view.resize(500, 600)
    screen.settle()
    assert screen.view.follows_end
    assert "Paragraph 199" in prose_text(screen)
    assert not math.isclose(screen.rows(ProseWidget)[0].width(), 760)


def drag(screen: Screen, start: QTextEdit, spot: QPoint, to: QPoint) -> None:
    """Press on a row's text and move to a point of the view."""
    area = start.viewport()
    QTest.mousePress(area, Qt.MouseButton.LeftButton, pos=spot)
    target = screen.view.viewport().mapToGlobal(to)
    for point in (area.mapToGlobal(spot + QPoint(5, 0)), target, target):
        send_mouse(area, QEvent.Type.MouseMove, point, Qt.MouseButton.NoButton)
    send_mouse(area, QEvent.Type.MouseButtonRelease, target, Qt.MouseButton.LeftButton)


def send_mouse(area: QWidget, kind: QEvent.Type, point: QPoint, button: Qt.MouseButton) -> None:
    """As the window system does while a button is held: to where it was pressed, wherever the pointer is."""
    local = QPointF(area.mapFromGlobal(point))
    held = Qt.MouseButton.LeftButton
    event = QMouseEvent(kind, local, QPointF(point), button, held, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(area, event)


def test_text_is_selected_across_rows_and_copied_as_one(screen: Screen, make_question: Make, make_answer: Make) -> None:
    text = "First words.\n\n```py\nx = 1\n```\n\nLast words."
    screen.view.show_conversation([make_question("q", "Why?"), make_answer("r", TextPart(text))])
    screen.settle()
    first, last = screen.rows(ProseWidget)
    drag(screen, first, QPoint(0, 8), last.geometry().bottomRight() - QPoint(2, 16))
    QTest.keyClick(first, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == "First words.\n\nx = 1\n\nLast words."
    assert screen.named("Code, py").textCursor().selectedText() == "x = 1"
    send_mouse(last.viewport(), QEvent.Type.MouseButtonPress, QPoint(3, 3), Qt.MouseButton.LeftButton)
    send_mouse(last.viewport(), QEvent.Type.MouseButtonRelease, QPoint(3, 3), Qt.MouseButton.LeftButton)
    assert not screen.named("Code, py").textCursor().hasSelection()


def test_a_selection_reaches_over_rows_out_of_sight(screen: Screen, make_answer: Make) -> None:
    screen.view.show_conversation([make_answer("r", TextPart(LONG))])
    screen.view.keyPressEvent(QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_Home, Qt.KeyboardModifier.NoModifier))
    screen.settle()
    start = screen.rows(ProseWidget)[0]
    QTest.mousePress(start.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(0, 5))
    screen.view.jump_to_latest()
    screen.settle()
    end = screen.view.viewport().mapToGlobal(QPoint(800, screen.view.viewport().height() - 40))
    send_mouse(start.viewport(), QEvent.Type.MouseMove, end, Qt.MouseButton.NoButton)
    QTest.keyClick(screen.view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    copied = QGuiApplication.clipboard().text()
    assert all(f"Paragraph {i} " in copied for i in range(200))


def test_an_answer_that_has_begun_without_a_word_is_waiting(screen: Screen) -> None:
    screen.start()
    screen.open(0, TextPart(""))
    screen.settle()
    assert "Starting…" in screen.names()
