"""Exceptions that nobody caught are in the log, wherever they come from."""

import gc
import sys
import threading
from pathlib import Path

import pytest

from app.diagnostics.log import logging_to
from app.diagnostics.uncaught import uncaught_logged

SECRET = "heliotrope"


class _Faulty:
    def __del__(self) -> None:
        raise ValueError(SECRET)


def test_on_the_main_thread_on_another_and_in_a_destructor(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    hooks = sys.excepthook, threading.excepthook, sys.unraisablehook
    with logging_to(tmp_path) as path, uncaught_logged():
        try:
            raise KeyError(SECRET)
        except KeyError as error:
            sys.excepthook(type(error), error, error.__traceback__)

        def fail() -> None:
            raise LookupError(SECRET)

        thread = threading.Thread(target=fail, name="worker")
        thread.start()
        thread.join()
        _Faulty()
        gc.collect()
    assert (sys.excepthook, threading.excepthook, sys.unraisablehook) == hooks
    text = path.read_text(encoding="utf-8")
    for words in ("Nobody caught", "KeyError", "[worker] A thread ended", "LookupError", "in a function went nowhere"):
        assert words in text
    assert text.count("Traceback") == 3
    assert SECRET not in text.replace("(SECRET)", "")
