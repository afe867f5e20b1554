"""The log: files of limited size in the state folder, without anything that a person or a model wrote.

Records are written by their sentence, which is ours. Exceptions among their values lose what they quote
(``app.domain.faults``), and of libraries only the place is named: what they say of our data is not ours to judge.
"""

import contextlib
import logging
import logging.handlers
import os
import pkgutil
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from io import TextIOWrapper
from pathlib import Path

import app
from app.domain.errors import AppError
from app.domain.faults import described, traced
from app.storage.paths import make_private

FILE_NAME = "alcove.log"
FILE_BYTES, OLDER_FILES = 1_000_000, 4
LONGEST_RECORD = 16_000  # characters
EVERYTHING = "all"
WINDOW = "window"  # the category of ui
OURS = ("app", "ui")
STAMP = "%Y-%m-%d %H:%M:%S"
STAMPED = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")  # how the first line of a record begins

_ADDRESS_QUERY = re.compile(r"(https?://[^\s?\"']*)\?[^\s\"']*")
_ADDRESS_USER = re.compile(r"(\w+://)[^\s/@\"']+@")
_TOKEN = re.compile(r"\bhf_\w{8,}")


@contextlib.contextmanager
def logging_to(folder: Path, debug: Sequence[str] = (), *, loud: int = logging.WARNING) -> Iterator[Path]:
    """Log to a file in ``folder`` while the program runs; yields its path. It is made with the first record.

    ``debug``: categories that tell everything, here and on standard error, where exceptions are shown whole. ``loud``:
    what standard error, if there is one, is told of the others. A folder that cannot be written costs the file and
    nothing else.
    """
    path = folder / FILE_NAME
    with contextlib.ExitStack() as undo:
        handlers: list[logging.Handler] = [_File(path)]
        if sys.stderr is not None:
            handlers.append(_on_screen(debug, loud))
        root = logging.getLogger()
        for handler in handlers:
            root.addHandler(handler)
            undo.callback(handler.close)
            undo.callback(root.removeHandler, handler)
        for name in OURS:
            _set_level(name, logging.INFO, undo)
        for category in debug:
            for name in _loggers(category):
                _set_level(name, logging.DEBUG, undo)
        yield path


def categories() -> tuple[str, ...]:
    """The rooms of the program, and the window."""
    return (*sorted(module.name for module in pkgutil.iter_modules(app.__path__)), WINDOW)


def chosen_categories(text: str) -> tuple[str, ...]:
    """What stands after ``--debug=``. Raises AppError ``debug-category``."""
    chosen = tuple(filter(None, (word.strip() for word in text.split(","))))
    known = (EVERYTHING, *categories())
    unknown = next((word for word in chosen if word not in known), None)
    if unknown is not None or not chosen:
        raise AppError(
            "debug-category",
            "There is nothing called “{name}” to debug.",
            "There are: {known}.",
            name=unknown or text,
            known=", ".join(known),
        )
    return chosen


def category_of(logger: str) -> str:
    """``app.engine.local.loop`` -> ``engine``; "" for a library's."""
    first, _, rest = logger.partition(".")
    if first == "ui":
        return WINDOW
    return rest.partition(".")[0] if first == "app" else ""


def masked(text: str) -> str:
    """Without the home folder's name, queries and names in addresses, and access tokens."""
    home = str(Path.home())
    if len(home) > 1:
        text = text.replace(home, "~")
    return _TOKEN.sub("hf_…", _ADDRESS_USER.sub(r"\1", _ADDRESS_QUERY.sub(r"\1?…", text)))


def last_records(folder: Path, characters: int) -> list[str]:
    """The newest records, the oldest of them first, from the end of the log and of the file before it."""
    text = ""
    for name in (FILE_NAME, f"{FILE_NAME}.1"):
        if len(text) < characters:
            text = _end_of(folder / name, characters - len(text)) + text
    records: list[str] = []
    for line in text.splitlines():
        if STAMPED.match(line):
            records.append(line)
        elif records:  # else the rest of a record that begins further up
            records[-1] += f"\n{line}"
    return records


class ContentFree(logging.Formatter):
    """One line a record, what belongs to it indented below."""

    def format(self, record: logging.LogRecord) -> str:
        when = f"{self.formatTime(record, STAMP)}.{record.msecs:03.0f}"
        return masked(f"{when} {record.levelname} {record.name} [{record.threadName}] {said(record)}")


def said(record: logging.LogRecord) -> str:
    """A record's words, with its traceback."""
    if record.name.partition(".")[0] not in OURS:
        return f"a message of {record.module}, line {record.lineno}"
    text = _sentence(record)
    if record.exc_info and record.exc_info[1] is not None:
        text += "\n" + traced(record.exc_info[1])
    return text[:LONGEST_RECORD].rstrip().replace("\n", "\n    ")


class _Words(str):
    """A description that stands in a sentence without quotes, whether that asks for ``%s`` or ``%r``."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _sentence(record: logging.LogRecord) -> str:
    try:
        if isinstance(record.args, tuple):
            return str(record.msg) % tuple(map(_safe, record.args)) if record.args else str(record.msg)
        return str(record.msg) % {name: _safe(value) for name, value in (record.args or {}).items()}
    except (TypeError, ValueError, KeyError):
        return str(record.msg)


def _safe(value: object) -> object:
    return _Words(described(value)) if isinstance(value, BaseException) else value


class _File(logging.handlers.RotatingFileHandler):
    """For the owner alone. Processes of the program that run at the same time share it: each writes to its end."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, maxBytes=FILE_BYTES, backupCount=OLDER_FILES, encoding="utf-8", delay=True)
        self.setFormatter(ContentFree())

    def _open(self) -> TextIOWrapper:
        make_private(Path(self.baseFilename).parent)
        return open(self.baseFilename, "a", encoding="utf-8", errors="backslashreplace", opener=_open_private)

    def rotate(self, source: str, dest: str) -> None:
        """Windows renames no file that another process has open; there its content moves."""
        try:
            super().rotate(source, dest)
        except PermissionError:
            shutil.copyfile(source, dest)
            os.truncate(source, 0)

    def handleError(self, record: logging.LogRecord) -> None:
        """A full disk or a folder that is not ours: the program goes on without."""


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _on_screen(debug: Sequence[str], loud: int) -> logging.Handler:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(name)s: %(message)s"))
    told = frozenset(debug)

    def is_told(record: logging.LogRecord) -> bool:
        return record.levelno >= loud or EVERYTHING in told or category_of(record.name) in told

    handler.addFilter(is_told)
    return handler


def _loggers(category: str) -> tuple[str, ...]:
    if category == EVERYTHING:
        return OURS
    return ("ui",) if category == WINDOW else (f"app.{category}",)


def _set_level(name: str, level: int, undo: contextlib.ExitStack) -> None:
    logger = logging.getLogger(name)
    undo.callback(logger.setLevel, logger.level)
    logger.setLevel(level)


def _end_of(path: Path, characters: int) -> str:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - characters))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""
