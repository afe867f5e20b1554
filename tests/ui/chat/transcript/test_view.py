"""The transcript as a person moves in it: scrolling, following the end, growing text, selecting, copying."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent, QMouseEvent, QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QMessageBox, QTextEdit, QWidget
from pytestqt.qtbot import QtBot

from app.domain.events import PrefillProgress, TurnQueued
from app.domain.messages import Message, MessageStatus, ReasoningPart, TextPart
from ui.chat.transcript.widgets.code import CodeWidget
from ui.chat.transcript.widgets.prose import ProseWidget
from ui.chat.transcript.widgets.question import QuestionWidget
from ui.theme import apply_theme

Screen = Any  # the fixture of conftest.py
Make = Callable[..., Message]
LONG = "\n\n".join(f"Paragraph {i} " + "with quite a few words in it " * 12 for i in range(200))


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


def test_shows_a_conversation_at_its_end(screen: Screen, make_question: Make, make_answer: Make) -> None:
    messages = [make_question("q", "Why **so**?"), make_answer("r", TextPart("Because **so**.\n\n# Head"))]
    screen.view.show_conversation(messages)
    screen.settle()
    assert screen.prose() == "Because so.\nHead"
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


def test_the_scroll_bar_shows_only_where_something_scrolls_and_its_room_stays(
    screen: Screen, make_answer: Make
) -> None:
    def colours() -> int:
        picture = bar.grab().toImage()
        return len({picture.pixel(picture.width() // 2, y) for y in range(picture.height())})

    bar = screen.view.verticalScrollBar()
    screen.view.show_conversation([make_answer("r", TextPart("Short."))])
    screen.settle()
    assert colours() == 1
    width = screen.view.viewport().width()
    screen.view.show_conversation([make_answer("r", TextPart(LONG))])
    screen.settle()
    assert colours() > 1
    assert screen.view.viewport().width() == width


def test_scroll_bar_and_keys_reach_both_ends(screen: Screen, make_answer: Make) -> None:
    screen.view.show_conversation([make_answer(f"r{i}", TextPart(f"Answer {i}.\n\n" * 5)) for i in range(50)])
    screen.settle()
    screen.view.setFocus()
    QTest.keyClick(screen.view, Qt.Key.Key_Home)
    assert screen.view.verticalScrollBar().value() == 0
    assert not screen.view.follows_end
    assert screen.prose().startswith("Answer 0.")
    QTest.keyClick(screen.view, Qt.Key.Key_End)
    assert screen.view.follows_end
    assert "Answer 49." in screen.prose()
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
    assert "Streamed paragraph 29." in screen.prose()
    screen.wheel(screen.view.viewport(), 60)
    assert not screen.view.follows_end
    places = {row: row.y() for row in screen.rows(ProseWidget)}
    for i in range(30):
        screen.write(0, f"More {i}.\n\n")
        screen.settle()
    still = [row for row in places if row.isVisible()]
    assert still
    assert all(row.y() == places[row] for row in still)
    screen.click(screen.named("Jump to the latest"))
    screen.settle()
    assert screen.view.follows_end
    assert "More 29." in screen.prose()
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
    assert "Line 39" in screen.prose()


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


def test_an_answer_that_has_begun_without_a_word_is_waiting(screen: Screen) -> None:
    screen.start()
    screen.open(0, TextPart(""))
    screen.settle()
    assert "Starting…" in screen.names()


def test_streams_prose_and_code(screen: Screen) -> None:
    screen.start()
    screen.open(0, TextPart(""))
    screen.write(0, "Some **bo")
    screen.settle()
    assert screen.prose() == "Some **bo"
    screen.write(0, "ld** text\n\n```python\ndef f():\n    retu")
    screen.settle()
    assert screen.prose() == "Some bold text"
    assert screen.named("Code, python").toPlainText() == "def f():\n    retu"
    screen.write(0, "rn 1\n```\n\nAfter")
    screen.close(0, TextPart("Some **bold** text\n\n```python\ndef f():\n    return 1\n```\n\nAfter"))
    screen.finish()
    screen.settle()
    assert screen.named("Code, python").toPlainText() == "def f():\n    return 1"
    assert screen.prose() == "Some bold text\nAfter"


def test_code_is_coloured_when_it_is_whole(screen: Screen, make_answer: Make) -> None:
    screen.view.show_conversation([make_answer("r", TextPart("```python\ndef f(): pass\n```"))])
    screen.settle()
    lines = screen.named("Code, python")
    assert lines.document().firstBlock().layout().formats()


def test_long_lines_of_code_are_broken_and_scrolled_again(screen: Screen, make_answer: Make) -> None:
    screen.view.show_conversation([make_answer("r", TextPart("```text\n" + "word " * 200 + "\nlast\n```"))])
    screen.settle()
    row = screen.rows(CodeWidget)[0]
    before = row.height()
    screen.click(screen.named("Break long lines"))
    screen.settle()
    assert screen.named("Code, text").horizontalScrollBar().maximum() == 0
    assert row.height() > 3 * before
    screen.click(screen.named("Break long lines"))
    screen.settle()
    assert row.height() == before


def test_code_is_saved_to_a_file(screen: Screen, make_answer: Make, tmp_path: Path) -> None:
    screen.view.show_conversation([make_answer("r", TextPart("```python\nx = 'é'\n```"))])
    screen.settle()
    screen.click(screen.named("Save code as…"))
    dialog = screen.view.findChild(QFileDialog)
    assert [Path(name).name for name in dialog.selectedFiles()] == ["code.py"]
    dialog.fileSelected.emit(str(tmp_path / "x.py"))
    assert (tmp_path / "x.py").read_text("utf-8") == "x = 'é'\n"
    dialog.fileSelected.emit(str(tmp_path / "missing" / "x.py"))
    box = screen.view.findChild(QMessageBox)
    assert "could not be saved" in box.text()
    box.close()
    dialog.close()


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
            screen.click(screen.named(label))
        assert signal.args == [text]
        assert QGuiApplication.clipboard().text() == text
    screen.click(screen.named("Thought for 2 s"))
    with qtbot.waitSignal(screen.view.copied) as signal:
        screen.click(screen.named("Copy reasoning"))
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
    assert "Starting…" not in screen.names()
    screen.write(1, " it")
    screen.settle()
    assert screen.prose() == "Half of it"
    screen.close(1, TextPart("Half of it."))
    screen.finish()
    screen.settle()
    assert screen.prose() == "Half of it."


def test_events_of_other_conversations_pass_by(screen: Screen, make_answer: Make) -> None:
    screen.view.show_conversation([make_answer("r", TextPart("So."))])
    screen.write(0, "never")
    screen.view.apply(object())
    screen.settle()
    assert screen.prose() == "So."


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
    assert "Paragraph 199" in screen.prose()
    assert not math.isclose(screen.rows(ProseWidget)[0].width(), 760)
