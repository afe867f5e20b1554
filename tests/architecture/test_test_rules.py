"""What tests/conftest.py holds every test to, shown on a small suite of its own that breaks each rule once."""

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

SUITE = """
import logging, os, socket, subprocess, sys, threading
import pytest

log = logging.getLogger("app.somewhere")
stop = threading.Event()

def test_leaves_a_thread():
    threading.Thread(target=stop.wait, name="forgotten", daemon=True).start()

def test_leaves_a_child():
    globals()["child"] = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)

def test_logs_a_warning():
    log.warning("the disk is %s", "full")

def test_logs_an_error_with_its_traceback():
    try:
        1 / 0
    except ZeroDivisionError:
        log.exception("it broke")

def test_reaches_out():
    with pytest.raises(PermissionError):
        socket.create_connection(("192.0.2.1", 80), timeout=0.1)

@pytest.mark.expect_log("never comes")
def test_expects_what_does_not_come():
    pass

@pytest.mark.expect_log("the disk is (full|slow)")
def test_expects_a_warning():
    log.warning("the disk is full")

def test_looks_for_itself(caplog):
    log.warning("the disk is full")
    assert "full" in caplog.text

def test_ends_what_it_starts():
    thread = threading.Thread(target=lambda: None)
    thread.start()
    subprocess.run([sys.executable, "-c", ""], check=True)

def test_talks_to_itself():
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=5).close()

def test_has_a_home_of_its_own(tmp_path):
    assert os.environ["ALCOVE_HOME"].startswith(str(tmp_path))
"""
BROKEN = {
    "test_leaves_a_thread": "threads left running: forgotten",
    "test_leaves_a_child": "child processes left running: *input()*",
    "test_logs_a_warning": "*WARNING app.somewhere: the disk is full",
    "test_logs_an_error_with_its_traceback": "*ZeroDivisionError*",
    "test_reaches_out": "the test tried to reach 192.0.2.1",
    "test_expects_what_does_not_come": "nothing was logged that matches 'never comes'",
}


def test_the_rules_are_held(pytester: pytest.Pytester) -> None:
    conftest = Path(__file__).parents[1].joinpath("conftest.py").read_text(encoding="utf-8")
    pytester.makeconftest(conftest.replace("GRACE_S = 5.0", "GRACE_S = 0.2"))
    pytester.makeini("[pytest]\nmarkers =\n    expect_log(pattern): as in the real suite\n")
    pytester.makepyfile(SUITE)
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=5 + len(BROKEN), errors=len(BROKEN))
    result.stdout.fnmatch_lines_random([f"ERROR *::{name} - *" for name in BROKEN])
    result.stdout.fnmatch_lines_random([f"*{words}*" for words in BROKEN.values()])
