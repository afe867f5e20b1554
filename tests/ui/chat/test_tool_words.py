"""How tools are told of: by what they say of themselves, in the person's language."""

import json
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QCoreApplication, QTranslator
from PySide6.QtWidgets import QApplication

from app.domain.messages import ToolStatus
from app.domain.tools import ToolLabel, ToolSpec
from app.tools.toolsets import Toolsets
from ui.chat.tool_words import ICON, ToolWords

OK, RUNNING = ToolStatus.OK, ToolStatus.RUNNING


def words_of(label: ToolLabel | None) -> ToolWords:
    return ToolWords(lambda name: ToolSpec(name, "", {}, label=label))


@pytest.mark.parametrize(
    ("name", "arguments", "status", "line"),
    [
        ("search_documents", '{"query": "spring tides"}', RUNNING, "Searching: spring tides"),
        ("search_documents", '{"query": "spring tides"}', OK, "Searched: spring tides"),
        ("search_documents", '{"query": "spring tides"}', ToolStatus.FAILED, "Searching: spring tides"),
        ("search_documents", '{"query": "spring ti', None, "Searching: spring ti"),
        ("search_documents", "", None, "Searching"),
        ("search_documents", "[1]", OK, "Searched"),
        ("search_documents", '{"q": "tides"}', OK, "Searched: tides"),
        ("read_document", '{"start": 5, "path": "notes', None, "Reading: notes"),
        ("read_document", '{"start": 5, "path": "a\\nb.txt"}', OK, "Read: a b.txt"),
        ("calculator", '{"expression": 42}', OK, "Calculated: 42"),
        ("calculator", json.dumps({"expression": "1+" * 300}), OK, "Calculated: " + "1+" * 100 + "…"),
        ("current_datetime", "{}", RUNNING, "Looking at the clock"),
        ("send_mail", '{"to": "ada@example.org", "copies": 2}', OK, 'send_mail(to="ada@example.org", copies=2)'),
        ("send_mail", '{"to": "ad', None, 'send_mail("to": "ad)'),
        ("send_mail", "", None, "send_mail()"),
        ("send_mail", "[" * 100_000, OK, f"send_mail({'[' * 200}…)"),
    ],
)
def test_a_call_is_one_line(
    tool_words: ToolWords, name: str, arguments: str, status: ToolStatus | None, line: str
) -> None:
    assert tool_words.sentence(name, arguments, status) == line


def test_a_sentence_may_name_several_arguments() -> None:
    words = words_of(ToolLabel("Move", "Moving {old} to {new}", "Moved {old} to {new}"))
    assert words.sentence("move", '{"new": "b", "old": "a"}', OK) == "Moved a to b"
    assert words.sentence("move", '{"old": "a", "new": "{old}"}', OK) == "Moved a to {old}"
    assert words.sentence("move", '{"old": "a", "new": "b', None) == "Moving a to b"


def test_nothing_of_a_template_is_run() -> None:
    words = words_of(ToolLabel("x", "{text.__class__} {0} {text!r} {text}", ""))
    assert words.sentence("x", '{"text": "t"}', None) == "{text.__class__} t {text!r} t"


def test_a_tool_has_a_title_and_an_icon(tool_words: ToolWords) -> None:
    assert (tool_words.title("search_documents"), tool_words.icon("search_documents")) == (
        "Search the documents",
        "search",
    )
    assert (tool_words.title("gone"), tool_words.icon("gone")) == ("gone", ICON)
    assert words_of(None).title("plain") == "plain"


def test_a_tool_that_goes_is_told_of_as_any_other(toolsets: Toolsets, tool_words: ToolWords) -> None:
    assert tool_words.sentence("calculator", '{"expression": "1"}', OK) == "Calculated: 1"
    toolsets.close()
    assert tool_words.sentence("calculator", '{"expression": "1"}', OK) == 'calculator(expression="1")'


class French(QTranslator):
    """Turns each text of a context round, as a translation would."""

    def translate(self, context: str, source: str, disambiguation: str | None = None, n: int = -1) -> str | None:
        return f"« {source} »" if context == "Tools" else None

    def isEmpty(self) -> bool:
        return False


@pytest.fixture
def french(qapp: QApplication) -> Iterator[None]:
    translator = French()
    QCoreApplication.installTranslator(translator)
    yield
    QCoreApplication.removeTranslator(translator)


@pytest.mark.usefixtures("french")
def test_every_text_of_a_tool_is_translated_by_what_it_says(toolsets: Toolsets, tool_words: ToolWords) -> None:
    for spec in toolsets.offer().specs:
        assert spec.label is not None
        assert tool_words.title(spec.name) == f"« {spec.label.title} »"
        for status, sentence in ((RUNNING, spec.label.running), (OK, spec.label.done)):
            field = next(iter(spec.parameters["properties"]))
            filled = sentence.replace(f"{{{field}}}", "x")
            assert tool_words.sentence(spec.name, json.dumps({field: "x"}), status) == f"« {filled} »"
