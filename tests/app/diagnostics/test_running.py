"""A window that ended in order leaves nothing; one that did not is told of at the next start."""

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from app.diagnostics.running import CRASH_FILE, RunFile, last_crash

WINDOW = """
import sys
from pathlib import Path
from app.diagnostics.running import RunFile
run = RunFile(Path(sys.argv[1]))
print("running", flush=True)
sys.stdin.readline()
if sys.argv[2] == "crash":
    import faulthandler
    faulthandler._sigsegv()
run.close()
"""


class Window:
    """Another process with a window."""

    def __init__(self, folder: Path, end: str = "close") -> None:
        command = [sys.executable, "-c", WINDOW, str(folder), end]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "running\n"

    def end(self) -> int:
        self.process.communicate("\n", timeout=30)
        return self.process.returncode

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


def begin(folder: Path) -> RunFile:
    run = RunFile(folder)
    run.close()
    return run


def test_ending_in_order_leaves_nothing(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    assert Window(logs).end() == 0
    assert list(logs.iterdir()) == []
    assert begin(logs).crash is None
    run = RunFile(logs)
    run.close()
    run.close()


def test_a_crash_is_told_once_with_where_it_happened(tmp_path: Path) -> None:
    assert Window(tmp_path, "crash").end() != 0
    run = begin(tmp_path)
    assert run.crash is not None
    assert "most recent call first" in run.crash.trace
    assert begin(tmp_path).crash is None
    assert last_crash(tmp_path) == run.crash
    assert [path.name for path in tmp_path.iterdir()] == [CRASH_FILE]


def test_a_process_that_was_killed_is_told_of_without_a_trace(tmp_path: Path) -> None:
    Window(tmp_path).kill()
    run = begin(tmp_path)
    assert run.crash is not None
    assert run.crash.trace == ""


def test_not_where_the_computer_was_switched_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Window(tmp_path).kill()
    later = psutil.Process().create_time() + 1000
    monkeypatch.setattr(psutil, "boot_time", lambda: later)
    assert begin(tmp_path).crash is None
    assert list(tmp_path.iterdir()) == []


def test_windows_beside_each_other_and_other_homes_do_not_matter(tmp_path: Path) -> None:
    one, other = Window(tmp_path / "one"), Window(tmp_path / "other")
    second = Window(tmp_path / "one")
    assert begin(tmp_path / "one").crash is None
    other.kill()
    assert begin(tmp_path / "one").crash is None
    second.kill()
    assert begin(tmp_path / "one").crash is not None
    assert one.end() == 0


def test_the_newest_of_several_is_kept(tmp_path: Path) -> None:
    windows = [Window(tmp_path), Window(tmp_path)]
    for window in windows:
        window.kill()
    assert begin(tmp_path).crash is not None
    assert [path.name for path in tmp_path.iterdir()] == [CRASH_FILE]


def test_strange_files_and_a_folder_that_cannot_be_made_are_no_matter(tmp_path: Path) -> None:
    (tmp_path / "run-x.txt").touch()
    assert begin(tmp_path).crash is None
    assert begin(tmp_path / "run-x.txt").crash is None
    assert last_crash(tmp_path / "none") is None
