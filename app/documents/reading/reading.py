"""This side of the reading process: requests in, passages out, and a new process when one dies or hangs."""

import json
import logging
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeAlias

from app.documents import errors
from app.documents.reading.blocks import Limits
from app.documents.reading.child import serve
from app.documents.reading.readers.registry import DocumentFormat
from app.domain.errors import AppError, ErrorInfo
from app.process.child import ChildProcess

_log = logging.getLogger(__name__)


class PassageRow(NamedTuple):
    """A passage as the child sends it: offsets in characters, its place, its text, and its terms for the index."""

    start: int
    end: int
    page: int | None
    heading: str
    line_start: int | None
    line_end: int | None
    text: str
    body_terms: str
    heading_terms: str


@dataclass(frozen=True, slots=True)
class Done:
    characters: int


Message: TypeAlias = list[PassageRow] | Done | ErrorInfo


class ReadingProcess:
    """A long-lived child that reads files in the order they are submitted. For one thread, but for ``kill``."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._waiting: deque[tuple[str, DocumentFormat]] = deque()
        self._child: ChildProcess | None = None
        self._closed = threading.Event()

    @property
    def running(self) -> bool:
        return self._child is not None

    def submit(self, path: str, kind: DocumentFormat) -> None:
        """Ask for a file. The child goes on to it as soon as it has sent the ones before."""
        self._waiting.append((path, kind))
        if self._child is not None:
            _send(self._child, path, kind)

    def messages(self) -> Iterator[Message]:
        """What the child says about the oldest submitted file; the last is ``Done`` or an error."""
        path, kind = self._waiting[0]
        give_up = time.monotonic() + self._limits.total_s
        last: Message = self._next(path, give_up)
        if isinstance(last, ErrorInfo) and last.code == errors.reader_died(path).code:
            last = self._next(path, give_up)  # it may have died of something else before it came to this file
        while True:
            if not isinstance(last, list):
                self._waiting.popleft()
            yield last
            if not isinstance(last, list):
                break
            last = self._next(path, give_up)
        if isinstance(last, ErrorInfo) and last.detail:
            _log.warning("A file could not be read as %s:\n%s", kind, last.detail)

    def _next(self, path: str, give_up: float) -> Message:
        try:
            connection = (self._child or self._start()).connection
            if connection.poll(max(0.0, min(self._limits.stall_s, give_up - time.monotonic()))):
                return _parsed(connection.recv_bytes())
            failure = errors.too_slow(path, self._limits.stall_s)
        except (EOFError, OSError):
            failure = replace(errors.reader_died(path), detail=self._last_words())
        self.stop()
        if self._closed.is_set():
            raise errors.as_error(errors.closed())
        return failure

    def _last_words(self) -> str:
        """Why the child ended; not what it printed, which may be a document's text."""
        if self._child is None or self._closed.is_set():
            return ""
        words = self._child.ending().words
        _log.info("the reading process ended: %s", words)
        return words

    def _start(self) -> ChildProcess:
        """Raises OSError."""
        if self._closed.is_set():
            raise errors.as_error(errors.closed())
        self._child = ChildProcess(serve, self._limits, name="alcove-reader")
        if self._closed.is_set():  # meanwhile
            self._child.kill()
        for path, kind in self._waiting:
            _send(self._child, path, kind)
        return self._child

    def reset(self) -> None:
        """End the child and forget what was submitted."""
        self._waiting.clear()
        self.stop()

    def stop(self) -> None:
        """End the child. What was submitted and not read goes to the next one."""
        child, self._child = self._child, None
        if child is not None:
            child.close(patience_s=0)

    def kill(self) -> None:
        """From any thread: end the child for good, so that whoever waits for it comes back with an error."""
        self._closed.set()
        if (child := self._child) is not None:
            child.kill()


def _send(child: ChildProcess, path: str, kind: DocumentFormat) -> None:
    """Where the child is gone, the next look at it starts another one."""
    child.send_bytes(json.dumps([path, kind.value]).encode("ascii"))


def _parsed(data: bytes) -> Message:
    name, body = json.loads(data)
    if name == "passages":
        return [PassageRow(*row) for row in body]
    if name == "done":
        return Done(int(body))
    return AppError.of(ErrorInfo(**body)).info
