"""Every command works without Qt, and every command that the documents show exists, with its options."""

import functools
import re
import subprocess
import sys
from pathlib import Path

import pytest

from app.cli import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
WITHOUT_QT = """
import sys
sys.modules.update(dict.fromkeys(["PySide6", "shiboken6"]))
from ui.main import main
sys.exit(main(sys.argv[1:]))
"""
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def without_qt(*words: str) -> subprocess.CompletedProcess[str]:
    """Runs ``alcove WORDS`` in a process in which Qt cannot be imported."""
    return subprocess.run(
        [sys.executable, "-c", WITHOUT_QT, *words], cwd=ROOT, capture_output=True, text=True, check=False, timeout=100
    )


@functools.cache
def help_of(command: str) -> str:
    done = without_qt(command, "--help")
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_command_explains_itself_without_qt(command: str) -> None:
    text = help_of(command)
    assert f"alcove {command}" in text
    assert "--json" in text


def test_doctor_runs_without_qt() -> None:
    done = without_qt("doctor", "--json")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("{")


def test_search_runs_without_qt(tmp_path: Path) -> None:
    (tmp_path / "harbour.md").write_text("# Harbour\n\nThe ferry leaves at nine.\n", encoding="utf-8")
    done = without_qt("search", "ferry", "--docs", str(tmp_path), "--json")
    assert done.returncode == 0, done.stderr
    assert "leaves at nine" in done.stdout


def shown_commands() -> list[tuple[str, str]]:
    """(document, command line) for each `alcove` and `python3 packaging/dev.py` in a code block or code span."""
    shown = []
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        blocks = re.findall(r"^```[a-z]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        spans = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))
        for line in [*(line for block in blocks for line in block.splitlines()), *spans]:
            found = re.match(r"(?:\$ )?((?:\.venv/bin/)?alcove|python3 packaging/dev\.py)( .*)?$", line.strip())
            if found:
                shown.append((document.name, line.strip().removeprefix("$ ").removeprefix(".venv/bin/")))
    return shown


def test_documents_show_commands() -> None:
    assert {name for name, _line in shown_commands()} >= {"README.md", "CONTRIBUTING.md"}


@pytest.mark.parametrize(("document", "line"), shown_commands())
def test_shown_command_exists(document: str, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    options = re.findall(r"(?<=\s)--[a-z][a-z-]*", line)
    if line.startswith("python3"):
        words = line.split()[2:]
        done = subprocess.run(
            [sys.executable, ROOT / "packaging" / "dev.py", "--help"], capture_output=True, text=True, check=True
        )
        assert not words or re.search(rf"^  {re.escape(words[0])}\s", done.stdout, re.MULTILINE), document
        return
    first = line.split()[1] if " " in line else "--help"
    if first.startswith("-") or first.isupper() or "." in first:
        return  # the window, with an option or a file
    assert first in COMMANDS, document
    missing = [option for option in options if option not in help_of(first)]
    assert missing == [], document
