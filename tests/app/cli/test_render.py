"""``alcove render``: the exact prompt text."""

import argparse
import json
from pathlib import Path

import pytest

from app.cli import render
from app.domain.errors import AppError

TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}{% if tools %}{{ tools|tojson }}"
    "{% endif %}{% if add_generation_prompt %}<assistant>{% if enable_thinking is false %}[off]{% endif %}{% endif %}"
)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    written = {
        "template": ("t.jinja", TEMPLATE),
        "messages": ("m.json", json.dumps([{"role": "user", "content": "Héllo"}])),
        "wrapped": ("w.json", json.dumps({"messages": [{"role": "user", "content": "Héllo"}]})),
        "tools": ("tools.json", json.dumps([{"type": "function", "function": {"name": "f"}}])),
        "broken": ("b.json", "{"),
        "no-role": ("n.json", json.dumps([{"content": "x"}])),
    }
    for name, text in written.values():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return {key: str(tmp_path / name) for key, (name, _) in written.items()}


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    render.configure(parser)
    return render.run(parser.parse_args(arguments))


def test_text(files: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--template", files["template"], "--messages", files["messages"]) == 0
    assert capsys.readouterr().out == "<user>Héllo<assistant>"


def test_options(files: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--tools", files["tools"], "--no-think", "--bos", "<s>", "--json"]
    run("--template", files["template"], "--messages", files["wrapped"], *options)
    tools = '[{"type": "function", "function": {"name": "f"}}]'
    assert json.loads(capsys.readouterr().out) == {"prompt": f"<s><user>Héllo{tools}<assistant>[off]"}


def test_without_generation_prompt(files: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    run("--template", files["template"], "--messages", files["messages"], "--no-generation-prompt")
    assert capsys.readouterr().out == "<user>Héllo"


@pytest.mark.parametrize("messages", ["missing", "broken", "no-role", "template"])
def test_bad_files(files: dict[str, str], messages: str) -> None:
    with pytest.raises(AppError):
        run("--template", files["template"], "--messages", files.get(messages, "/no/such/file"))


def test_think_and_no_think_exclude_each_other(files: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run("--template", files["template"], "--messages", files["messages"], "--think", "--no-think")
    assert "not allowed" in capsys.readouterr().err
