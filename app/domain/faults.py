"""Exceptions in words that hold nothing a person wrote, for the log and for reports, which strangers may read.

An exception's message may quote anything: the text that could not be parsed, the file that was not there. Only messages
that the interpreter itself makes of types and names are kept, and what our own errors say before they are filled in.
"""

import traceback

from app.domain.errors import AppError

MOST_FRAMES = 30  # of each exception, the innermost ones
MOST_CAUSES = 6
LONGEST = 300  # characters of a message

# Exactly these: a subclass may say anything.
_OF_TYPES_AND_NAMES = (
    TypeError,
    AttributeError,
    NameError,
    UnboundLocalError,
    ImportError,
    ModuleNotFoundError,
    IndexError,
    NotImplementedError,
    RecursionError,
    MemoryError,
    OverflowError,
    ZeroDivisionError,
)


def described(error: BaseException) -> str:
    """What kind of exception it is, with as much of its message as is surely ours."""
    kind, words = type(error), _words(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    return f"{name}: {words}" if words else name


def traced(error: BaseException) -> str:
    """The traceback, each exception ``described``; what caused it stands before it."""
    chain = [error]
    while len(chain) < MOST_CAUSES and (cause := _cause(chain[-1])) is not None and cause not in chain:
        chain.append(cause)
    return "\n".join(_traced(each) for each in reversed(chain))


def _traced(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__, limit=-MOST_FRAMES)
    return "".join(["Traceback (most recent call last):\n", *frames.format(), described(error)])


def _cause(error: BaseException) -> BaseException | None:
    if error.__cause__ is not None or error.__suppress_context__:
        return error.__cause__
    return error.__context__


def _words(error: BaseException) -> str:
    if isinstance(error, AppError):
        return f"{error.code}: {error.info.message}"
    if isinstance(error, OSError):
        return f"[Errno {error.errno}] {error.strerror}" if error.errno is not None else ""
    if type(error) in _OF_TYPES_AND_NAMES:
        return str(error)[:LONGEST]
    return str(getattr(error, "sqlite_errorname", ""))
