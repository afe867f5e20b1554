"""``alcove parse --batch``, as the command line's contract says."""

import argparse
import io
import json
from pathlib import Path
from typing import Any

import pytest

from app.cli import parse
from app.domain.errors import AppError

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


def test_a_line_that_is_no_case() -> None:
    with pytest.raises(AppError) as caught:
        list(parse.parsed(["\n", "[1]\n"]))
    assert "Line 2" in caught.value.info.text()
