"""Tooltips show what somebody else wrote as it stands."""

from pathlib import Path

import pytest
from PySide6.QtGui import QTextDocument
from pytestqt.qtbot import QtBot

from ui.widgets.chips import PathChip
from ui.widgets.tip import plain_tip


@pytest.mark.parametrize("text", ["<b>bold</b> & <img src='file:///etc/x.png'>", "<h1>a</h1>\nb", "a < b", "", "x\ny"])
def test_nothing_is_taken_for_html(text: str, qapp: object) -> None:
    document = QTextDocument()
    tip = plain_tip(text)
    if tip == text:
        document.setPlainText(tip)
    else:
        document.setHtml(tip)
    assert document.toPlainText() == text


def test_a_file_may_be_called_anything(qtbot: QtBot, tmp_path: Path) -> None:
    chip = PathChip("<img src=x>.txt")
    qtbot.addWidget(chip)
    assert "<img" not in chip.toolTip()
