"""Exceptions that nobody caught, on any thread and in the interpreter itself: into the log, with their traceback."""

import contextlib
import logging
import sys
import threading
from collections.abc import Iterator
from types import TracebackType

_log = logging.getLogger(__name__)


@contextlib.contextmanager
def uncaught_logged() -> Iterator[None]:
    """While the program runs, in place of Python's own hooks, which print to a standard error that may not be there.

    Qt's slots end up in the first of them, too.
    """
    before = sys.excepthook, threading.excepthook, sys.unraisablehook
    sys.excepthook, threading.excepthook, sys.unraisablehook = _on_main, _on_thread, _unraisable
    try:
        yield
    except Exception:
        _log.critical("The program ended by an exception", exc_info=True)
        raise
    finally:
        sys.excepthook, threading.excepthook, sys.unraisablehook = before


def _on_main(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    _log.critical("Nobody caught an exception", exc_info=(kind, error, trace))


def _on_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None and not issubclass(args.exc_type, SystemExit):
        trace = (args.exc_type, args.exc_value, args.exc_traceback)
        _log.critical("A thread ended by an exception", exc_info=trace)


def _unraisable(args: "sys.UnraisableHookArgs") -> None:
    """Out of a destructor or a callback. The object itself may say anything, so its kind is named."""
    if args.exc_value is not None:
        trace = (args.exc_type, args.exc_value, args.exc_traceback)
        _log.error("An exception in a %s went nowhere", type(args.object).__name__, exc_info=trace)
