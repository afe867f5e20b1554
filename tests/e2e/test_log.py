"""The log of real work holds nothing that a person, a document or a model said."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from app.cli import COMMANDS

pytestmark = [pytest.mark.model]

SECRETS = ("heliotrope", "quagmire", "zanzibar", "marzipan", "hf_abcdefghijklmnop")


@pytest.fixture
def marked(tmp_path: Path) -> Path:
    """Documents with words that occur nowhere else: in their text, their names, and one that cannot be read."""
    folder = tmp_path / "zanzibar papers"
    folder.mkdir()
    (folder / "zanzibar.md").write_text("# Quagmire\n\nThe boiler number is 417, says heliotrope.\n", encoding="utf-8")
    (folder / "marzipan.pdf").write_bytes(b"%PDF-1.7\nmarzipan quagmire")
    with zipfile.ZipFile(folder / "marzipan.docx", "w") as archive:
        archive.writestr("word/document.xml", "<w:document>heliotrope & marzipan <quagmire></w:document>")
    return folder


def test_a_real_turn_leaves_no_word_of_itself_in_the_log(alcove, marked, environment) -> None:
    environment["HF_TOKEN"] = "hf_abcdefghijklmnop"
    run = alcove(
        "ask", "search the documents for boiler number heliotrope", "--model", "alcove-tiny", "--docs", str(marked),
        "--debug", "--json",
    )  # fmt: skip
    assert run.code == 0, run.err
    assert "417" in run.events("tool_result")[0]["result"]
    alcove("search", "quagmire heliotrope", "--docs", str(marked), "--debug")
    alcove("ask", "what is 17*23 heliotrope?", "--model", "SmolLM2-135M-Instruct", "--max-tokens", "24", "--debug")
    alcove("search", "heliotrope", "--docs", str(marked / "quagmire.md"), "--debug")
    logs = Path(environment["ALCOVE_HOME"]) / "logs"
    text = "".join(file.read_text(encoding="utf-8") for file in logs.iterdir())
    assert "loaded alcove-tiny" in text
    assert "to the child: Generate" in text
    for secret in (*SECRETS, "boiler", "17*23"):
        assert secret not in text.casefold(), [line for line in text.splitlines() if secret in line.casefold()]


def test_one_room_alone_can_be_watched(alcove) -> None:
    run = alcove("ask", "what is 17*23?", "--model", "alcove-tiny", "--debug=engine")
    assert run.code == 0
    assert "from the child: Made" in run.err
    assert all(line.startswith("app.engine.") for line in run.err.splitlines())


@pytest.mark.parametrize("arguments", [("ask", "hello", "--debug=motor"), ("--debug=motor",)])
def test_an_unknown_room_is_one_sentence_and_bad_usage(alcove, arguments: tuple[str, ...]) -> None:
    run = alcove(*arguments)
    assert run.code == 2
    assert run.err.startswith("alcove: There is nothing called “motor” to debug. There are: all, agent, ")
    assert run.err.count("\n") == 1


def test_without_debug_a_command_says_nothing_besides(alcove) -> None:
    run = alcove("ask", "what is 17*23?", "--model", "alcove-tiny")
    assert run.err == ""


def test_the_list_of_commands_is_in_the_help(alcove) -> None:
    assert ", ".join(COMMANDS) in alcove("--help").out


WINDOW = """
import sys
from PySide6.QtCore import QTimer
from ui.main import main
from ui.shell.window import MainWindow

what, start = sys.argv[1], MainWindow.start

def fail():
    raise LookupError("heliotrope")

def started(window, paths=()):
    start(window, paths)
    print(window.views.banner.text(), flush=True)
    if what == "fail":
        QTimer.singleShot(0, fail)
    if what != "stay":
        QTimer.singleShot(200, window.close)

MainWindow.start = started
sys.exit(main([]))
"""


@pytest.fixture
def window(environment):
    """Starts the program's window and returns what its banner says, and the process."""
    started = []

    def run(what: str) -> tuple[str, "subprocess.Popen[str]"]:
        process = subprocess.Popen(
            [sys.executable, "-c", WINDOW, what], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        started.append(process)
        return process.stdout.readline().strip(), process

    yield run
    for process in started:
        process.kill()
        process.communicate()


def test_a_killed_window_is_told_of_at_the_next_start_only(window, environment) -> None:
    logs = Path(environment["ALCOVE_HOME"]) / "logs"
    told, process = window("stay")
    assert told == ""
    process.kill()
    process.wait()
    told, process = window("close")
    assert told.startswith("The last time, Alcove ended unexpectedly.")
    assert process.wait(60) == 0, process.stderr.read()
    told, process = window("close")
    assert told == ""
    assert process.wait(60) == 0
    assert not list(logs.glob("run-*"))


def test_an_exception_in_a_slot_is_in_the_log_and_the_window_lives_on(window, environment) -> None:
    _, process = window("fail")
    assert process.wait(60) == 0, process.stderr.read()
    text = (Path(environment["ALCOVE_HOME"]) / "logs" / "alcove.log").read_text(encoding="utf-8")
    assert "begins" in text
    assert "Traceback" in text
    assert "LookupError" in text
    assert "heliotrope" not in text.replace('raise LookupError("heliotrope")', "")


def test_the_report_of_the_command_line(alcove) -> None:
    run = alcove("doctor", "--report", "--json")
    assert run.code == 0, run.err
    assert run.records[0]["report"].startswith("Alcove ")
