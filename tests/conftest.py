"""What holds for every test: no screen, no network, a home of its own, and nothing left behind.

A test fails when it leaves a thread or a child process running, when it tries to reach another machine, or when
something logs a warning or an error that it did not expect. It expects one with ``@pytest.mark.expect_log("regex")``
(each pattern has to occur), or by asking for pytest's ``caplog`` and looking for itself.
"""

import ipaddress
import logging
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import psutil
import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"  # nobody's real keyring

GRACE_S = 5.0


# --- a home of its own ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="session", autouse=True)
def _session_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Fixtures that outlive a test keep out of the person's folders, too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ALCOVE_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALCOVE_HOME", str(tmp_path / "home"))


@pytest.fixture
def damaged_models(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module ``damaged_models`` of tests/data."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent / "data"))
    import damaged_models

    return damaged_models


@pytest.fixture
def random_models(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module ``random_models`` of tests/data."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent / "data"))
    import random_models

    return random_models


@pytest.fixture
def wait_for() -> Callable[[Callable[[], object]], None]:
    """Waits until something is true that another process does."""

    def wait(done: Callable[[], object], seconds: float = 20.0) -> None:
        deadline = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < deadline, "it never happened"
            threading.Event().wait(0.02)

    return wait


# --- no network ----------------------------------------------------------------------------------------------------


class _Gate:
    """Watches every connection that Python opens. Audit hooks see threads and libraries, and cannot be gone round."""

    def __init__(self) -> None:
        self.attempts: list[str] = []

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        if event in ("socket.connect", "socket.sendto"):
            address = arguments[1]
            host = address[0] if isinstance(address, tuple) else None
        elif event == "socket.getaddrinfo":
            host = arguments[0]
        else:
            return
        if isinstance(host, bytes):
            host = host.decode("ascii", "replace")
        if isinstance(host, str) and not _is_this_machine(host):
            self.attempts.append(host)
            raise PermissionError(f"tests reach no other machine, and something tried to reach {host}")


def _is_this_machine(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host in ("", "localhost") or host.endswith(".localhost")
    return address.is_loopback or address.is_unspecified


_gate = _Gate()
sys.addaudithook(_gate)


@pytest.fixture
def outside_attempts() -> list[str]:
    """The hosts that something tried to reach, for a test that means it to. Cleared, they are forgiven."""
    return _gate.attempts


@pytest.fixture(autouse=True)
def _no_network() -> Iterator[None]:
    _gate.attempts.clear()
    yield
    attempts = list(_gate.attempts)
    _gate.attempts.clear()
    if attempts:
        pytest.fail(f"the test tried to reach {', '.join(sorted(set(attempts)))}")


# --- no stray log records ------------------------------------------------------------------------------------------


class _Records(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture(autouse=True)
def _no_stray_logs(request: pytest.FixtureRequest) -> Iterator[None]:
    handler = _Records()
    root = logging.getLogger()
    root.addHandler(handler)
    yield
    root.removeHandler(handler)
    if "caplog" in request.fixturenames:
        return
    patterns = [re.compile(mark.args[0]) for mark in request.node.iter_markers("expect_log")]
    texts = [_describe(record) for record in handler.records]
    stray = [text for text in texts if not any(pattern.search(text) for pattern in patterns)]
    if stray:
        pytest.fail("unexpected log records:\n" + "\n".join(stray))
    for pattern in patterns:
        if not any(pattern.search(text) for text in texts):
            pytest.fail(f"nothing was logged that matches {pattern.pattern!r}")


def _describe(record: logging.LogRecord) -> str:
    text = f"{record.levelname} {record.name}: {record.getMessage()}"
    if record.exc_info:
        text += "\n" + logging.Formatter().formatException(record.exc_info)
    return text


# --- nothing left running ------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _nothing_left_running() -> Iterator[None]:
    threads, children = _threads(), _children()
    yield
    deadline = time.monotonic() + GRACE_S
    for thread in _threads() - threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    left = sorted(thread.name for thread in _threads() - threads)
    if left:
        pytest.fail(f"threads left running: {', '.join(left)}")
    _gone, alive = psutil.wait_procs(_children() - children, timeout=max(0.0, deadline - time.monotonic()))
    if alive:
        pytest.fail(f"child processes left running: {', '.join(_command_line(process) for process in alive)}")


def _threads() -> set[threading.Thread]:
    """Threads that Python started. Those of Qt's pools, which only visit Python, are kept by Qt for later use."""
    return {thread for thread in threading.enumerate() if not isinstance(thread, threading._DummyThread)}


def _children() -> set[psutil.Process]:
    """This process's children, without multiprocessing's own helper, which lives as long as the program."""
    return {process for process in psutil.Process().children() if "resource_tracker" not in _command_line(process)}


def _command_line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return "(ended)"
