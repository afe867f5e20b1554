"""The rows of the sidebar."""

from datetime import datetime, timedelta

import pytest
from PySide6.QtCore import QAbstractItemModel, Qt
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QApplication

from app.domain.messages import Conversation
from ui.shell.conversation_model import RUNNING, SNIPPET, ConversationModel

NOW = datetime(2026, 3, 10, 9, 30)


def conversation(name: str, ago: timedelta) -> Conversation:
    at = (NOW - ago).timestamp()
    return Conversation(name, f"Title {name}", at, at)


CONVERSATIONS = [
    conversation("a", timedelta(minutes=5)),
    conversation("b", timedelta(hours=9)),
    conversation("c", timedelta(hours=10)),
    conversation("d", timedelta(days=40)),
]


@pytest.fixture
def model(qapp: QApplication) -> ConversationModel:
    model = ConversationModel(lambda: NOW)
    QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal, model)
    return model


def rows(model: QAbstractItemModel) -> list[object]:
    return [model.index(row, 0).data() for row in range(model.rowCount())]


def test_days_have_headings(model: ConversationModel) -> None:
    model.show(CONVERSATIONS)
    assert rows(model) == ["Today", "Title a", "Title b", "Yesterday", "Title c", "Earlier", "Title d"]


def test_headings_cannot_be_chosen(model: ConversationModel) -> None:
    model.show(CONVERSATIONS)
    assert model.flags(model.index(0)) == Qt.ItemFlag.NoItemFlags
    assert model.flags(model.index(1)) & Qt.ItemFlag.ItemIsSelectable


def test_an_untitled_one_has_a_name(model: ConversationModel) -> None:
    model.show([Conversation("x", "", 0.0, NOW.timestamp())])
    assert rows(model) == ["Today", "New chat"]


def test_the_same_rows_do_not_reset_the_view(model: ConversationModel) -> None:
    model.show(CONVERSATIONS)
    resets: list[int] = []
    model.modelReset.connect(lambda: resets.append(1))
    model.show([Conversation("a", "Other", 0.0, NOW.timestamp()), *CONVERSATIONS[1:]])
    assert rows(model)[1] == "Other"
    assert resets == []
    model.show(list(reversed(CONVERSATIONS[:2])))
    assert resets == [1]


def test_what_runs_is_marked(model: ConversationModel) -> None:
    model.show(CONVERSATIONS)
    model.set_running("b", True)
    assert [model.index_of(name).data(RUNNING) for name in "abc"] == [False, True, False]
    model.set_running("b", False)
    assert model.running == frozenset()


def test_an_edited_title_is_told_but_not_believed_yet(model: ConversationModel) -> None:
    model.show(CONVERSATIONS)
    told: list[tuple[str, str]] = []
    model.renamed.connect(lambda name, title: told.append((name, title)))
    assert model.setData(model.index_of("a"), "  New\n name ")
    assert not model.setData(model.index_of("a"), "   ")
    assert not model.setData(model.index(0), "heading")
    assert told == [("a", "New name")]
    assert model.index_of("a").data() == "Title a"


def test_what_was_found_comes_best_first_with_its_words(model: ConversationModel) -> None:
    model.show_found([(CONVERSATIONS[3], "…the boiler…"), (CONVERSATIONS[0], "Title a")])
    assert rows(model) == ["Found", "Title d", "Title a"]
    assert [model.index_of(name).data(SNIPPET) for name in "da"] == ["…the boiler…", ""]
    model.show_found([])
    assert rows(model) == ["Nothing found"]
    model.show(CONVERSATIONS)
    assert model.index_of("d").data(SNIPPET) == ""


def test_thousands_are_no_matter(model: ConversationModel) -> None:
    many = [conversation(str(number), timedelta(minutes=number)) for number in range(5000)]
    model.show(many)
    assert len(model.conversations()) == 5000
    assert model.index_of("4999").isValid()
    assert not model.index_of("none").isValid()
