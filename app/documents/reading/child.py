"""What runs in the reading process: one file after the other, read, cut into passages and turned into index terms.

Messages are JSON, not pickles, because this process handles what strangers wrote. Request: ``[path, format]``. Answers:
``["passages", [row, ...]]`` any number of times, then ``["done", characters]`` or ``["failed", error]``, where row is
``[start, end, page, heading, line_start, line_end, text, body terms, heading terms]`` and error is ErrorInfo's fields.
"""

import gc
import json
import os
import stat
import time
from dataclasses import asdict
from multiprocessing.connection import Connection

from app.documents import errors
from app.documents.language.analysis import Analyzer, Language, detect_language
from app.documents.reading.blocks import Limits
from app.documents.reading.chunking import Chunk, chunks
from app.documents.reading.readers.registry import DocumentFormat, ReadContext, reader_of
from app.domain.errors import AppError, ErrorInfo
from app.domain.faults import traced
from app.process.parent import Parent, end_with_the_program, limit_memory

_BATCH = 128
_BATCH_S = 1.0
_UNFOLD = 1 << 20


def serve(parent: Parent, limits: Limits) -> None:
    """Read file after file until the other end closes."""
    parent.take_over()
    limit_memory(limits.memory_mb)
    end_with_the_program()
    connection = parent.connection
    analyzers = {language: Analyzer(language) for language in Language}
    while True:
        try:
            path, kind = json.loads(connection.recv_bytes())
        except (EOFError, OSError):
            return
        try:
            _answer(connection, path, DocumentFormat(kind), limits, analyzers)
        except (BrokenPipeError, ConnectionResetError):
            return


def _answer(
    connection: Connection, path: str, kind: DocumentFormat, limits: Limits, analyzers: dict[Language, Analyzer]
) -> None:
    try:
        characters = _read(connection, path, kind, limits, analyzers)
    except AppError as error:
        failure = error.info
    except MemoryError:
        gc.collect()
        failure = errors.too_hungry(path)
    except OSError as error:
        if isinstance(error, BrokenPipeError | ConnectionResetError):
            raise
        failure = errors.permission(path) if isinstance(error, PermissionError) else _os_error(path, error)
    except Exception as error:  # noqa: BLE001 - a reader that trips over a file must not end the others; the parent logs it
        info = errors.damaged(path, kind.value.upper())
        failure = ErrorInfo(info.code, info.message, info.hint, info.values, traced(error))
    else:
        _send(connection, ["done", characters])
        return
    _send(connection, ["failed", asdict(failure)])


def _os_error(path: str, error: OSError) -> ErrorInfo:
    return errors.unreadable(path, error.strerror or type(error).__name__)


def _send(connection: Connection, message: object) -> None:
    connection.send_bytes(json.dumps(message, separators=(",", ":")).encode("ascii"))


def _read(
    connection: Connection, path: str, kind: DocumentFormat, limits: Limits, analyzers: dict[Language, Analyzer]
) -> int:
    data = _load(path, kind, limits)
    rows: list[list[object]] = []
    language, end, sent = Language.ENGLISH, 0, time.monotonic()
    heading, heading_terms = "", ""
    for chunk in chunks(reader_of(kind)(data, ReadContext(path, limits))):
        if chunk.end > limits.max_text_file_mb * _UNFOLD:
            raise errors.as_error(errors.text_too_large(path, limits.max_text_file_mb))
        language = detect_language(chunk.text, language)
        analyzer = analyzers[language]
        if chunk.locator.heading != heading:
            heading = chunk.locator.heading
            heading_terms = analyzer.terms(heading)
        rows.append(_row(chunk, analyzer.terms(chunk.text), heading_terms))
        end = chunk.end
        now = time.monotonic()
        if len(rows) >= _BATCH or now - sent > _BATCH_S:
            _send(connection, ["passages", rows])
            rows, sent = [], now
    if rows:
        _send(connection, ["passages", rows])
    if not end:
        raise errors.as_error(errors.empty(path))
    return end


def _row(chunk: Chunk, terms: str, heading_terms: str) -> list[object]:
    place = chunk.locator
    text = chunk.text
    if not text.isascii():  # lone surrogates of a broken file cannot be stored
        text = text.encode("utf-8", "replace").decode("utf-8")
    return [chunk.start, chunk.end, place.page, place.heading, place.line_start, place.line_end, text, terms,
            heading_terms]  # fmt: skip


def _load(path: str, kind: DocumentFormat, limits: Limits) -> bytes:
    """The file's bytes; refuses whatever is not an ordinary file by now, without waiting for it."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    with open(os.open(path, flags), "rb") as file:  # noqa: PTH123 - a descriptor, not a path
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise errors.as_error(errors.special_file(path))
        if kind.is_text and status.st_size > limits.max_text_file_mb << 20:
            raise errors.as_error(errors.text_too_large(path, limits.max_text_file_mb))
        if status.st_size > limits.max_file_mb << 20:
            raise errors.as_error(errors.file_too_large(path, limits.max_file_mb))
        return file.read(status.st_size)  # not more, should it grow
