"""This side of the reading process: requests in, passages out, and a new process when one dies or hangs."""

import contextlib
import json
import logging
import multiprocessing
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import NamedTuple, TypeAlias

from app.documents import errors
from app.documents.reading import child
from app.documents.reading.blocks import Limits
from app.documents.reading.readers.registry import Format
from app.domain.errors import AppError, ErrorInfo

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
        self._waiting: deque[tuple[str, Format]] = deque()
        self._process: BaseProcess | None = None
        self._connection: Connection | None = None
        self._closed = False

    @property
    def running(self) -> bool:
        return self._process is not None

    def submit(self, path: str, kind: Format) -> None:
        """Ask for a file. The child goes on to it as soon as it has sent the ones before."""
        self._waiting.append((path, kind))
        if self._connection is not None:
            self._send(path, kind)

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
            connection = self._connection or self._start()
            if connection.poll(max(0.0, min(self._limits.stall_s, give_up - time.monotonic()))):
                return _parsed(connection.recv_bytes())
            failure = errors.too_slow(path, self._limits.stall_s)
        except (EOFError, OSError):
            failure = errors.reader_died(path)
        self.stop()
        if self._closed:
            raise errors.as_error(errors.closed())
        return failure

    def _start(self) -> Connection:
        if self._closed:
            raise errors.as_error(errors.closed())
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=child.main, args=(theirs, self._limits), name="alcove-reader", daemon=True)
        process.start()
        theirs.close()
        self._process, self._connection = process, ours
        for path, kind in self._waiting:
            self._send(path, kind)
        return ours

    def _send(self, path: str, kind: Format) -> None:
        assert self._connection is not None
        try:
            self._connection.send_bytes(json.dumps([path, kind.value]).encode("ascii"))
        except OSError:
            _log.debug("The reading process is gone; the next look at it starts another")

    def reset(self) -> None:
        """End the child and forget what was submitted."""
        self._waiting.clear()
        self.stop()

    def stop(self) -> None:
        """End the child. What was submitted and not read goes to the next one."""
        process, connection = self._process, self._connection
        self._process = self._connection = None
        if connection is not None:
            connection.close()
        if process is not None:
            process.kill()
            process.join()
            with contextlib.suppress(ValueError):  # somebody else has waited for it
                process.close()

    def kill(self) -> None:
        """From any thread: end the child for good, so that whoever waits for it comes back with an error."""
        self._closed = True
        process = self._process
        if process is not None:
            try:
                process.kill()
            except (ValueError, AttributeError):  # closed meanwhile
                _log.debug("The reading process had ended already")


def _parsed(data: bytes) -> Message:
    name, body = json.loads(data)
    if name == "passages":
        return [PassageRow(*row) for row in body]
    if name == "done":
        return Done(int(body))
    return AppError.of(ErrorInfo(**body)).info
