"""``alcove parse --batch``, as the command line's contract says."""

import argparse
import io
import json
from pathlib import Path
from typing import Any

import pytest

from app.cli import parse

TEMPLATE = (
    "{% if tools %}<tool_call>{'name', 'arguments'}{% endif %}{% if add_generation_prompt %}<|a|><think>{% endif %}"
    "{% if false %}</think>{% endif %}"
)


@pytest.fixture
def template(tmp_path: Path) -> str:
    path = tmp_path / "some.jinja"
    path.write_text(TEMPLATE, encoding="utf-8")
    return str(path)


def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *cases: Any) -> list[dict[str, Any]]:
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(json.dumps(case) + "\n" for case in cases)))
    parser = argparse.ArgumentParser()
    parse.configure(parser)
    assert parse.run(parser.parse_args(["--batch"])) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_call(template: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    deltas: list[Any] = [
        "Hm.",
        {"text": "</think>", "control": True},
        "Hi.\n",
        {"text": "<tool_call>", "control": None},
    ]
    case = {
        "id": "a1",
        "template": template,
        "tools": [],
        "generation_prompt": "<|a|><think>",
        "deltas": [*deltas, '{"name": "f", "arg', 'uments": {"x":1e5}}</tool_call>'],
        "truncated": False,
    }
    assert run(monkeypatch, capsys, case) == [
        {
            "id": "a1",
            "format": "qwen3",
            "reasoning": "Hm.",
            "content": "Hi.",
            "tool_calls": [{"name": "f", "arguments": '{"x":1e5}'}],
            "error": None,
        }
    ]


def test_nothing_is_null(template: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (found,) = run(monkeypatch, capsys, {"id": 7, "template": template, "generation_prompt": "", "deltas": ["\n\n"]})
    assert found == {"id": 7, "format": "qwen3", "reasoning": None, "content": None, "tool_calls": [], "error": None}


def test_errors(template: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    base = {"template": template, "generation_prompt": "", "tools": []}
    cut, bad, missing, odd = run(
        monkeypatch,
        capsys,
        {**base, "id": 1, "deltas": ['<tool_call>{"name": "f", "argu'], "truncated": True},
        {**base, "id": 2, "deltas": ['<tool_call>{"name": "f", "arguments": "{}"}</tool_call>']},
        {**base, "id": 3, "template": template + ".missing", "deltas": []},
        {**base, "id": 4, "deltas": "no list"},
    )
    assert cut["error"].startswith("incomplete:")
    assert (cut["tool_calls"], cut["content"]) == ([], None)
    assert bad["error"].startswith("malformed:")
    assert bad["content"] == '{"name": "f", "arguments": "{}"}'
    assert "cannot be read" in missing["error"]
    assert odd["error"]


def test_the_generation_prompt_is_rendered_where_it_is_not_given(
    template: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (found,) = run(monkeypatch, capsys, {"id": 1, "template": template, "deltas": ["Hm.</think>Hello"]})
    assert (found["reasoning"], found["content"]) == ("Hm.", "Hello")


@pytest.mark.parametrize(
    ("text", "reasoning", "content"),
    [
        ("Hm.</think>Hello", "Hm.", "Hello"),
        ("<think>Hm.</think>Hello", "Hm.", "Hello"),
        ("Write `</think>`.", None, "Write `</think>`."),
        ("Hello", None, "Hello"),
    ],
)
def test_what_a_prompt_opened_that_was_not_recorded(
    template: str, text: str, reasoning: str | None, content: str
) -> None:
    found = parse.result({"template": template, "generation_prompt": "", "deltas": list(text)})
    assert (found["reasoning"], found["content"]) == (reasoning, content)


@pytest.mark.parametrize(
    "line",
    ["{bad", "[]", "null", "5", '"s"', '{"id": NaN}', "[" * 100_000, b"\xff\xfe{}\n", "{'id': 1}"],
)
def test_a_line_that_is_no_case_and_the_next(template: str, line: str | bytes) -> None:
    good = json.dumps({"id": 1, "template": template, "generation_prompt": "", "deltas": ["Hi"]})
    bad, found = map(json.loads, parse.parsed(["\n", line, "  ", f"\ufeff{good}\n".encode()]))
    assert bad["error"] == "Line 2 of the input is not a JSON object. Give one case a line."
    assert (bad["id"], bad["content"], bad["tool_calls"]) == (None, None, [])
    assert (found["id"], found["content"], found["error"]) == (1, "Hi", None)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"template": 5}, "template"),
        ({"template": "\0"}, "cannot be read"),
        ({"tools": "x"}, "tools"),
        ({"tools": {"a": 1}}, "tools"),
        ({"deltas": "Hi"}, "deltas"),
        ({"deltas": [1]}, "deltas"),
        ({"deltas": [{}]}, "deltas"),
        ({"deltas": [["x"]]}, "deltas"),
        ({"deltas": [{"text": None, "control": True}]}, "deltas"),
    ],
)
def test_a_case_of_another_form(template: str, change: dict[str, Any], word: str) -> None:
    case = {"id": "x", "template": template, "generation_prompt": "", "deltas": ["Hi"], **change}
    (found,) = map(json.loads, parse.parsed([json.dumps(case)]))
    assert word in found["error"]
    assert "Alcove itself" not in found["error"]
    assert (found["id"], found["content"], found["tool_calls"]) == ("x", None, [])


def test_deltas_are_needed(template: str) -> None:
    (found,) = map(json.loads, parse.parsed([json.dumps({"id": 1, "template": template, "generation_prompt": ""})]))
    assert found["error"] == 'In this case "deltas" is not given. Correct the case.'


def test_odd_tools_and_halves_of_characters_do_no_harm(template: str) -> None:
    odd = {"a": 5, "b": {"type": {"x": 1}}, "c": {"enum": 5, "anyOf": 5}, "d": {"$ref": 5}, "e": {"enum": [{}]}}
    tools = [1, None, {"function": 5}, {"function": {"name": "f", "parameters": {"properties": odd}}}]
    case = {"id": {"any": [1]}, "template": template, "generation_prompt": None, "tools": tools, "truncated": "yes"}
    deltas = ["</think>a\ud83c", {"text": "\udf89", "control": 1}, "", {"text": "\ud800", "control": "x"}]
    (found,) = map(json.loads, parse.parsed([json.dumps({**case, "deltas": deltas})]))
    assert (found["id"], found["content"], found["error"]) == ({"any": [1]}, "a🎉\ud800", None)


def test_a_prompt_that_was_not_recorded_and_an_end_that_is_no_token(tmp_path: Path) -> None:
    path = tmp_path / "apriel.jinja"
    path.write_text("[BEGIN FINAL RESPONSE]", encoding="utf-8")
    deltas = [{"text": piece, "control": False} for piece in ("Hm.\n[BEGIN", " FINAL RESPONSE]\n", "Hi")]
    case = {"id": 1, "template": str(path), "generation_prompt": "", "deltas": deltas}
    (found,) = map(json.loads, parse.parsed([json.dumps(case)]))
    assert (found["reasoning"], found["content"]) == ("Hm.", "Hi")
