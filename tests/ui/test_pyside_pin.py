"""Why PySide6 is pinned: a newer one on Python 3.11 loses a reference to None or True at every ordinary call.

After some hundreds to thousands of calls such an interpreter aborts. From Python 3.12 on both are immortal, so the
counts cannot drift there and the test always passes.
"""

import sys

import pytest
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QTextCursor, QTextDocument

CALLS = 5_000
NOISE = 200


class Sender(QObject):
    flagged = Signal(bool)
    said = Signal(object)


def drift(singleton: object, before: int) -> int:
    return abs(sys.getrefcount(singleton) - before)


@pytest.mark.parametrize("singleton", [None, True, False])
def test_signals_keep_references(qapp: object, singleton: object) -> None:
    sender = Sender()
    seen = []
    sender.flagged.connect(lambda flag: seen.append(len(seen)) if flag else None)
    sender.said.connect(lambda _thing: None)
    before = sys.getrefcount(singleton)
    for _ in range(CALLS):
        sender.flagged.emit(True)
        sender.said.emit(singleton)
    assert drift(singleton, before) < NOISE
    assert len(seen) == CALLS


@pytest.mark.parametrize("singleton", [None, True, False])
def test_text_cursors_keep_references(qapp: object, singleton: object) -> None:
    document = QTextDocument()
    cursor = QTextCursor(document)
    before = sys.getrefcount(singleton)
    for _ in range(CALLS):
        cursor.insertText("x")
        cursor.movePosition(QTextCursor.MoveOperation.Start)
        cursor.atEnd()
    assert drift(singleton, before) < NOISE
    assert document.characterCount() == CALLS + 1
