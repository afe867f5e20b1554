"""Writing, attaching, sending, stopping."""

from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtWidgets import QApplication, QPlainTextEdit, QToolButton
from pytestqt.qtbot import QtBot

from app.domain.drafts import Draft
from app.domain.models import ModelAbilities
from ui.chat.composer import Composer, PromptEdit


@pytest.fixture
def composer(qtbot: QtBot, themed: QApplication) -> Composer:
    composer = Composer()
    composer.resize(600, 120)
    qtbot.addWidget(composer)
    composer.show()
    return composer


def field(composer: Composer) -> PromptEdit:
    found = composer.findChild(PromptEdit)
    assert isinstance(found, PromptEdit)
    return found


def send_button(composer: Composer) -> QToolButton:
    found = composer.findChild(QToolButton, "send")
    assert isinstance(found, QToolButton)
    return found


def test_enter_sends_and_keeps_the_text_until_it_is_taken(composer: Composer, qtbot: QtBot) -> None:
    qtbot.keyClicks(field(composer), "why?")
    with qtbot.waitSignal(composer.submitted) as sent:
        qtbot.keyClick(field(composer), Qt.Key.Key_Return)
    assert sent.args == [Draft("why?")]
    assert composer.draft().text == "why?"


def test_shift_enter_breaks_the_line(composer: Composer, qtbot: QtBot) -> None:
    qtbot.keyClicks(field(composer), "a")
    qtbot.keyClick(field(composer), Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    qtbot.keyClicks(field(composer), "b")
    assert composer.draft().text == "a\nb"


def test_it_grows_to_eight_lines(composer: Composer) -> None:
    edit = field(composer)
    heights = []
    for lines in (1, 2, 8, 9, 40):
        composer.show_draft(Draft("\n".join("x" * lines)))
        heights.append(edit.height())
    line = edit.fontMetrics().lineSpacing()
    assert heights[1] - heights[0] == line
    assert heights[2] - heights[0] == 7 * line
    assert heights[2] == heights[3] == heights[4]


def test_white_space_alone_is_not_sent(composer: Composer, qtbot: QtBot) -> None:
    sent: list[Draft] = []
    composer.submitted.connect(sent.append)
    composer.show_draft(Draft("  \n "))
    qtbot.keyClick(field(composer), Qt.Key.Key_Return)
    assert sent == []
    assert not send_button(composer).isEnabled()


def test_while_an_answer_runs_enter_queues_and_the_button_stops_it(composer: Composer, qtbot: QtBot) -> None:
    sent: list[Draft] = []
    composer.submitted.connect(sent.append)
    composer.show_draft(Draft("next"))
    composer.set_running(True)
    with qtbot.waitSignal(composer.queued) as queued:
        qtbot.keyClick(field(composer), Qt.Key.Key_Return)
    assert queued.args == [Draft("next")]
    with qtbot.waitSignal(composer.stop_requested):
        qtbot.mouseClick(send_button(composer), Qt.MouseButton.LeftButton)
    assert sent == []
    composer.set_running(False)
    with qtbot.waitSignal(composer.submitted):
        qtbot.mouseClick(send_button(composer), Qt.MouseButton.LeftButton)


def test_a_reason_holds_it_back_and_is_shown(composer: Composer, qtbot: QtBot) -> None:
    sent: list[Draft] = []
    composer.submitted.connect(sent.append)
    composer.show_draft(Draft("why?"))
    composer.set_reason("Choose a model first")
    qtbot.keyClick(field(composer), Qt.Key.Key_Return)
    assert sent == []
    assert any(label.text() == "Choose a model first" for label in composer.findChildren(type(composer._hint)))


def test_attachments_are_chips_that_can_be_taken_away(composer: Composer, qtbot: QtBot, tmp_path: Path) -> None:
    first, second = str(tmp_path / "a.txt"), str(tmp_path / "b.pdf")
    composer.attach([first, second, first])
    assert composer.draft().attachments == (first, second)
    crosses = composer.findChildren(QToolButton, "chipButton")
    qtbot.mouseClick(crosses[0], Qt.MouseButton.LeftButton)
    assert composer.draft().attachments == (second,)


def test_pasted_files_are_attachments_and_pasted_text_is_plain(
    composer: Composer, qtbot: QtBot, tmp_path: Path
) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / "a.txt"))])
    with qtbot.waitSignal(composer.attached) as attached:
        field(composer).insertFromMimeData(data)
    assert attached.args == [[str(tmp_path / "a.txt")]]
    rich = QMimeData()
    rich.setHtml("<b>bold</b>")
    rich.setText("bold")
    field(composer).insertFromMimeData(rich)
    assert composer.draft().text == "bold"


def test_thinking_is_a_choice_only_where_the_model_has_one(composer: Composer) -> None:
    assert composer.think is None
    composer.set_abilities(ModelAbilities(thinks=True))
    assert composer.think is None
    composer.set_abilities(ModelAbilities(thinks=True, efforts=("low", "high")))
    assert composer.think is True
    composer.findChild(QToolButton, "pill").setChecked(False)
    assert composer.think is False
    composer.set_abilities(ModelAbilities())
    assert composer.think is None
    composer.set_abilities(ModelAbilities(thinks=True, switchable=True))
    assert composer.think is False


def test_a_draft_that_edits_says_so(composer: Composer, qtbot: QtBot) -> None:
    composer.show_draft(Draft("again", (), "m1"))
    assert composer.draft().edits == "m1"
    with qtbot.waitSignal(composer.edit_cancelled):
        composer.escape()
    composer.clear()
    assert composer.draft() == Draft()


def test_it_can_be_reached_and_named(composer: Composer) -> None:
    assert composer.focusProxy() is field(composer)
    named = [*composer.findChildren(QToolButton), *composer.findChildren(QPlainTextEdit)]
    assert all(widget.accessibleName() for widget in named)
