"""What files a scope holds: a walk that follows no link out of it and opens nothing."""

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from app.documents import errors
from app.documents.reading.blocks import Limits
from app.documents.reading.readers.registry import DocumentFormat, format_of
from app.domain.cancel import CancelToken
from app.domain.errors import ErrorInfo

_SKIPPED_FOLDERS = frozenset({"__pycache__", "node_modules", "lost+found", "$RECYCLE.BIN", "System Volume Information"})


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file as it lies on disk: ``size`` in bytes, ``mtime`` in nanoseconds. ``error``: it is not to be opened."""

    path: str
    size: int
    mtime: int
    format: DocumentFormat | None
    error: ErrorInfo | None = None


@dataclass(slots=True)
class ScanResult:
    """``files`` sorted by path. ``notes``: what has no row in the index (missing entries, links, odd names)."""

    files: list[FoundFile] = field(default_factory=list)
    notes: list[tuple[str, ErrorInfo]] = field(default_factory=list)


def normalize(scope: Iterable[str]) -> tuple[str, ...]:
    """Real, absolute paths without repetitions, sorted. An entry inside another one is left out."""
    paths = sorted({os.path.realpath(os.path.expanduser(entry)) for entry in scope})  # noqa: PTH111 - strings stay strings
    kept: list[str] = []
    for path in paths:
        if not kept or not inside(path, kept):
            kept.append(path)
    return tuple(kept)


def inside(path: str, scope: Sequence[str]) -> bool:
    """Whether ``path`` is an entry of ``scope`` or below one; both real and absolute."""
    return any(path == entry or path.startswith(entry.rstrip(os.sep) + os.sep) for entry in scope)


def scan(scope: Sequence[str], limits: Limits, cancel: CancelToken | None = None) -> ScanResult:
    """Look at everything in the normalized ``scope``. Raises Cancelled."""
    result = ScanResult()
    for entry in scope:
        try:
            status = os.stat(entry)  # noqa: PTH116 - strings stay strings
        except PermissionError:
            result.notes.append((entry, errors.permission(entry)))
        except (OSError, ValueError):
            result.notes.append((_shown(entry), errors.missing(_shown(entry))))
        else:
            if stat.S_ISDIR(status.st_mode):
                result.files.extend(_walk(entry, scope, limits, result.notes, cancel))
            elif _is_text(entry):
                result.files.append(_found(entry, status, limits, named=True))
            else:
                result.notes.append((_shown(entry), errors.odd_name(_shown(entry))))
    result.files.sort(key=lambda file: file.path)
    return result


def _walk(
    folder: str,
    scope: Sequence[str],
    limits: Limits,
    notes: list[tuple[str, ErrorInfo]],
    cancel: CancelToken | None,
) -> Iterator[FoundFile]:
    waiting = [folder]
    while waiting:
        if cancel is not None:
            cancel.raise_if_cancelled()
        current = waiting.pop()
        try:
            with os.scandir(current) as listing:
                entries = list(listing)
        except OSError:
            notes.append((_shown(current), errors.permission(_shown(current))))
            continue
        for entry in entries:
            if entry.name.startswith((".", "~$")) or entry.name in _SKIPPED_FOLDERS:
                continue
            if not _is_text(entry.path):
                notes.append((_shown(entry.path), errors.odd_name(_shown(entry.path))))
            elif entry.is_symlink():
                if not inside(os.path.realpath(entry.path), scope):
                    notes.append((entry.path, errors.outside_link(entry.path)))
            elif entry.is_dir(follow_symlinks=False):
                waiting.append(entry.path)
            else:
                try:
                    yield _found(entry.path, entry.stat(follow_symlinks=False), limits, named=False)
                except OSError:
                    continue  # gone since the listing


def _found(path: str, status: os.stat_result, limits: Limits, *, named: bool) -> FoundFile:
    kind = format_of(path)
    if kind is None and named:
        kind = DocumentFormat.TEXT  # the person chose this very file: try
    error = None
    if not stat.S_ISREG(status.st_mode):
        kind, error = None, errors.special_file(path)
    elif kind is None:
        error = errors.unsupported(path)
    elif kind.is_text and status.st_size > limits.max_text_file_mb << 20:
        error = errors.text_too_large(path, limits.max_text_file_mb)
    elif status.st_size > limits.max_file_mb << 20:
        error = errors.file_too_large(path, limits.max_file_mb)
    return FoundFile(path, status.st_size, status.st_mtime_ns, kind, error)


def _is_text(path: str) -> bool:
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _shown(path: str) -> str:
    return path.encode("utf-8", "replace").decode("utf-8")
