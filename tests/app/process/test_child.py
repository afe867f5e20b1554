"""A child is started, talked to, limited and ended, and nothing is left of it."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import pytest

from app.process.child import ChildProcess

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
import some_children
from app.process.child import ChildProcess

if __name__ == "__main__":
    child = ChildProcess(some_children.spins, name="alcove-test")
    sys.stdin.read()
"""


@pytest.fixture
def start(children, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    made = []

    def make(what, *arguments, **options):
        made.append(ChildProcess(getattr(children, what), *arguments, name="alcove-test", **options))
        return made[-1]

    yield make
    for child in made:
        child.close()
    assert list(tmp_path.iterdir()) == [], "its log is gone"


def test_it_is_talked_to(start):
    child = start("echoes", "hello")
    assert child.connection.recv() == "hello"
    child.send({"a": 1})
    assert child.connection.recv() == {"a": 1}
    assert psutil.pid_exists(child.pid)


def test_its_log_has_no_name_while_it_runs(start, tmp_path):
    assert start("echoes", "hello").connection.recv() == "hello"
    if sys.platform != "win32":
        assert list(tmp_path.iterdir()) == []


def test_stop_reaches_it_without_the_pipe(start):
    child = start("waits_for_stop")
    assert child.connection.recv() == "ready"
    child.stop()
    assert child.connection.recv() == "stopped"


@pytest.mark.parametrize("patience_s", [0, 0.1])
def test_what_hangs_is_ended(start, patience_s):
    child = start("hangs")
    assert child.connection.recv() == "ready"
    process = psutil.Process(child.pid)
    child.close(patience_s)
    assert not process.is_running()


def test_kill_lets_whoever_reads_come_back(start):
    child = start("hangs")
    assert child.connection.recv() == "ready"
    child.kill()
    with pytest.raises((EOFError, OSError)):
        child.connection.recv()
    child.close()
    child.kill()  # no harm


@pytest.mark.parametrize(
    ("words", "code", "detail", "memory"),
    [
        ("too bad", 3, "exit code 3\ntoo bad", False),
        ("", -signal.SIGABRT, "signal SIGABRT", False),
        ("terminate called after throwing an instance of 'std::bad_alloc'", 1, "bad_alloc", True),
        ("", -getattr(signal, "SIGKILL", 9), "SIGKILL", True),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_its_end_is_explained(start, words, code, detail, memory):
    ending = start("prints_and_dies", words, code).ending()
    assert detail in ending.detail
    assert ending.short_of_memory is memory


def test_what_cannot_be_started_leaves_nothing(start, tmp_path):
    with pytest.raises((AttributeError, TypeError, OSError)):
        ChildProcess(lambda parent: None, name="alcove-test")  # cannot be handed to another process
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux only")
def test_its_memory_is_limited(start):
    assert start("is_limited", 2000).connection.recv() == "refused"


def test_it_ends_with_the_program_though_it_never_looks_at_the_pipe(tmp_path):
    script = tmp_path / "program.py"
    script.write_text(PROGRAM, "utf-8")
    program = subprocess.Popen(
        [sys.executable, str(script), str(Path(__file__).parent)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    with program:
        assert program.stdout is not None
        child = psutil.Process(int(program.stdout.readline()))
        program.kill()
        program.wait(10)
        _gone, alive = psutil.wait_procs([child], timeout=10)
    assert not alive
