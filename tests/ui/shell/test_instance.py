"""One window for a person and a home folder, whatever the first one's fate."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtNetwork import QLocalSocket
from PySide6.QtWidgets import QApplication

from ui.shell.instance import Instance, instance_folder, instance_name
from ui.shell.model_page import first_model

Settle = Callable[[Callable[[], bool]], None]
NAME = "alcove-test"
FIRST = f"""
import sys
from pathlib import Path
from PySide6.QtCore import QCoreApplication
from ui.shell.instance import Instance
app = QCoreApplication([])
first = Instance({NAME!r}, Path(sys.argv[1]))
assert first.begin([]) and first.listening
first.called.connect(lambda paths: print("called", *paths, flush=True))
print("ready", flush=True)
app.exec()
"""
SECOND = f"""
import sys
from pathlib import Path
from PySide6.QtCore import QCoreApplication
from ui.shell.instance import Instance
app = QCoreApplication([])
other = Instance({NAME!r}, Path(sys.argv[1]))
print(other.begin(sys.argv[2:]))
other.close()
"""


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("i")  # short: a socket's path has at most about 100 bytes


@pytest.fixture
def make(folder: Path, qapp: QApplication) -> Iterator[Callable[[], Instance]]:
    made: list[Instance] = []

    def instance() -> Instance:
        made.append(Instance(NAME, folder))
        return made[-1]

    yield instance
    for each in made:
        each.close()


@pytest.fixture
def first(folder: Path) -> Iterator["subprocess.Popen[str]"]:
    """Another process that came first."""
    process = subprocess.Popen([sys.executable, "-c", FIRST, str(folder)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_second_start_hands_over_and_ends(make: Callable[[], Instance], folder: Path, settle: Settle) -> None:
    window = make()
    called: list[list[str]] = []
    window.called.connect(called.append)
    assert window.begin([])
    second = subprocess.Popen(
        [sys.executable, "-c", SECOND, str(folder), "/a b/ö.gguf", "/c.md"], stdout=subprocess.PIPE, text=True
    )
    settle(lambda: bool(called))
    out, _ = second.communicate(timeout=20)
    assert out == "False\n"
    assert called == [["/a b/ö.gguf", "/c.md"]]


def test_what_a_killed_program_left_is_replaced(
    first: "subprocess.Popen[str]", make: Callable[[], Instance], folder: Path
) -> None:
    assert not make().begin(["/x.gguf"])
    assert first.stdout is not None
    assert first.stdout.readline() == "called /x.gguf\n"
    first.send_signal(signal.SIGKILL)
    first.wait()
    left = list(folder.glob("*.socket"))
    heir = make()
    assert heir.begin([])
    assert heir.listening
    assert sys.platform == "win32" or left


def test_without_an_answer_there_is_a_window_of_its_own(make: Callable[[], Instance], folder: Path) -> None:
    holder = make()
    holder._lock.acquire()  # a first one that never gets to listening
    assert make().begin(["/x"], tries_s=0.1)


def test_closing_makes_room(make: Callable[[], Instance]) -> None:
    window = make()
    assert window.begin([])
    window.close()
    window.close()
    again = make()
    assert again.begin([])
    assert again.listening


@pytest.mark.parametrize("sent", [b"hello\n", b'{"paths": 3, "tokens": {}}\n', b'{"paths": ["/x"], "tokens": 1}\n'])
def test_what_is_no_message_calls_nobody(sent: bytes, make: Callable[[], Instance], settle: Settle) -> None:
    window = make()
    called: list[object] = []
    window.called.connect(called.append)
    assert window.begin([])
    socket = QLocalSocket()
    socket.connectToServer(window._address)
    assert socket.waitForConnected(1000)
    socket.write(sent)
    settle(lambda: socket.bytesAvailable() > 0)  # answered all the same
    socket.abort()
    assert called == []


def test_the_desktops_leave_comes_along(
    make: Callable[[], Instance], settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_ACTIVATION_TOKEN", "old")
    window = make()
    called: list[object] = []
    window.called.connect(called.append)
    assert window.begin([])
    socket = QLocalSocket()
    socket.connectToServer(window._address)
    assert socket.waitForConnected(1000)
    socket.write(json.dumps({"paths": [], "tokens": {"XDG_ACTIVATION_TOKEN": "new", "PATH": "/"}}).encode() + b"\n")
    settle(lambda: called == [[]])
    assert os.environ["XDG_ACTIVATION_TOKEN"] == "new"
    assert os.environ["PATH"] != "/"
    socket.abort()


def test_the_name_is_that_of_person_and_home() -> None:
    one, same = instance_name({"ALCOVE_HOME": "/a"}), instance_name({"ALCOVE_HOME": "/a/"})
    assert one == same
    assert len({one, instance_name({"ALCOVE_HOME": "/b"}), instance_name({})}) == 3


@pytest.mark.skipif(sys.platform == "win32", reason="folders have no modes there")
def test_the_folder_is_nobody_elses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert instance_folder({"XDG_RUNTIME_DIR": str(tmp_path)}) == tmp_path
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    own = instance_folder({})
    assert own.stat().st_mode & 0o777 == 0o700
    own.chmod(0o777)
    with pytest.raises(PermissionError):
        instance_folder({})


@pytest.mark.parametrize(
    ("paths", "model"),
    [
        (["/a.md"], ""),
        (["/a.md", "/B.GGUF", "/c.gguf"], "/B.GGUF"),
        (["/m-00002-of-00003.gguf", "/m-00001-of-00003.gguf"], "/m-00001-of-00003.gguf"),
        (["/m-00002-of-00003.gguf"], "/m-00002-of-00003.gguf"),
    ],
)
def test_of_several_files_the_model_is_found(paths: list[str], model: str) -> None:
    assert first_model(paths) == model
