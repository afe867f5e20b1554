"""The entry point: what goes to the command line, what opens a window, and what it says without a display."""

import subprocess
import sys

import pytest

from ui import main as entry


def test_a_command_goes_to_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []

    def command_line(arguments: list[str]) -> int:
        seen.append(arguments)
        return 7

    monkeypatch.setattr("app.cli.main", command_line)
    assert entry.main(["ask", "why?", "--help"]) == 7
    assert seen == [["ask", "why?", "--help"]]


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert entry.main(["--help"]) == 0
    assert "alcove COMMAND" in capsys.readouterr().out
    assert entry.main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("alcove ")


@pytest.mark.parametrize("arguments", [["--nonsense"], ["no-such-file.gguf"]])
def test_what_is_neither_command_nor_file_is_bad_usage(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert entry.main(arguments) == 2
    assert arguments[0] in capsys.readouterr().err


def test_without_a_display_it_names_the_other_way(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(entry, "has_display", lambda *_: False)
    assert entry.main([]) == 1
    error = capsys.readouterr().err
    assert "alcove ask" in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("platform", "environment", "display"),
    [
        ("linux", {}, False),
        ("linux", {"DISPLAY": ""}, False),
        ("linux", {"DISPLAY": ":1"}, True),
        ("linux", {"WAYLAND_DISPLAY": "wayland-0"}, True),
        ("linux", {"QT_QPA_PLATFORM": "offscreen"}, True),
        ("win32", {}, True),
        ("darwin", {}, True),
    ],
)
def test_where_a_window_can_open(platform: str, environment: dict[str, str], display: bool) -> None:
    assert entry.has_display(platform, environment) is display


def test_importing_it_costs_nothing() -> None:
    """Engine children import this module again."""
    code = "import sys, ui.main; print(sorted({'PySide6', 'app.services', 'httpx', 'numpy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
