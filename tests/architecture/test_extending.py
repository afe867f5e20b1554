"""docs/extending.md, applied to a copy of the program: what it adds works, and the copy keeps the house's rules."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "extending.md"
NEW = re.compile(r"^`(?P<path>[\w/.]+)`:\n\n```python\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
IN = re.compile(r"^In `(?P<path>[\w/.]+)`:\n(?P<hunks>(?:\n```diff\n.*?^```\n)+)", re.MULTILINE | re.DOTALL)
HUNK = re.compile(r"```diff\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def apply(page: str, home: Path) -> set[str]:
    """Write the files that the page shows and the lines that it adds; returns the paths."""
    touched = set()
    for found in NEW.finditer(page):
        assert not (home / found["path"]).exists()
        (home / found["path"]).write_text(found["code"], encoding="utf-8")
        touched.add(found["path"])
    for found in IN.finditer(page):
        file = home / found["path"]
        text = file.read_text(encoding="utf-8")
        for hunk in HUNK.findall(found["hunks"]):
            lines = hunk.splitlines(keepends=True)
            before = "".join(line[1:] for line in lines if line[0] in " -")
            after = "".join(line[1:] for line in lines if line[0] in " +")
            assert text.count(before) == 1, f"{found['path']}: the page no longer fits\n{before}"
            text = text.replace(before, after)
        file.write_text(text, encoding="utf-8")
        touched.add(found["path"])
    return touched


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("extended")
    for folder in ("app", "ui"):
        shutil.copytree(ROOT / folder, home / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("resources", "pyproject.toml"):
        (home / name).symlink_to(ROOT / name)
    apply(PAGE.read_text(encoding="utf-8"), home)
    return home


def run(copy: Path, *words: str, code: str = "") -> str:
    """What the copy prints: of ``python -c CODE``, or of the program with ``words``."""
    command = [sys.executable, "-c", code] if code else [sys.executable, "-m", "ui.main", *words]
    environment = {**os.environ, "PYTHONPATH": str(copy), "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_each_of_the_six_touches_two_files_at_most() -> None:
    sections = PAGE.read_text(encoding="utf-8").split("\n## ")[1:]
    assert [section.partition("\n")[0] for section in sections] == [
        "A model family",
        "A tool",
        "A document format",
        "A setting",
        "A page",
        "A command",
    ]
    for section in sections:
        text = "## " + section
        assert 1 <= len({found["path"] for found in (*NEW.finditer(text), *IN.finditer(text))}) <= 2


def test_a_family_is_detected_and_read(copy: Path) -> None:
    code = """
import json
from app.formats import detect
found = detect("{% if tools %}{{ tools }}{% endif %}<|parrot|>{{ messages }}")
parser = found.parser("", ())
events = [*parser.feed('<muse>Hm.</muse>Hi <squawk>{"name": "fly", "arguments": {}}</squawk>'), *parser.finish()]
print(json.dumps([found.name, *(type(event).__name__ for event in events)]))
"""
    name, *events = json.loads(run(copy, code=code))
    assert name == "parrot"
    assert [events[0], events[-1]] == ["Reasoning", "CallClosed"]


def test_a_tool_is_offered_and_runs(copy: Path) -> None:
    code = """
from app.domain.cancel import CancelToken
from app.domain.clock import SystemClock
from app.domain.tools import ToolContext
from app.tools.builtin import builtin_tools
from app.tools.toolsets import Toolsets
offer = Toolsets([builtin_tools(None, SystemClock())]).offer(["dice"])
arguments = offer.check("dice", '{"sides": 2}')
print([spec.name for spec in offer.specs], offer.run("dice", arguments, ToolContext(CancelToken())).text in "12")
"""
    assert run(copy, code=code).split() == ["['dice']", "True"]


def test_a_document_format_is_found(copy: Path, tmp_path: Path) -> None:
    film = tmp_path / "film.sbt"
    film.write_text("1\n00:01 --> 00:02\nThe lighthouse keeper sleeps.\n", encoding="utf-8")
    line = json.loads(run(copy, "search", "lighthouse", "--docs", str(film), "--json").splitlines()[0])
    assert line["text"].strip() == "The lighthouse keeper sleeps."


def test_a_setting_is_listed_and_kept(copy: Path) -> None:
    run(copy, "settings", "set", "whisper", "true")
    listed = [json.loads(line) for line in run(copy, "settings", "list", "--json").splitlines()]
    assert {
        key: value
        for setting in listed
        if setting["key"] == "whisper"
        for key, value in setting.items()
        if key in ("value", "default")
    } == {"value": True, "default": False}


def test_a_page_opens(copy: Path) -> None:
    code = """
import sys
from PySide6.QtWidgets import QApplication
application = QApplication(sys.argv)
from ui.shell.pages import PAGES
page = next(page for page in PAGES if page.name == "clock")
print(page.make(None).objectName(), page.keys)
"""
    assert run(copy, code=code).split() == ["clock", "Ctrl+Shift+K"]


def test_a_command_is_listed_and_answers(copy: Path) -> None:
    assert json.loads(run(copy, "greet", "Ada", "--json")) == {"hello": "Ada"}
    assert ", greet" in run(copy, "--help")


def test_the_copy_keeps_the_arrows(copy: Path) -> None:
    command = [Path(sys.executable).with_name("lint-imports"), "--no-logo", "--no-cache"]
    environment = {**os.environ, "PYTHONPATH": str(copy)}
    done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
