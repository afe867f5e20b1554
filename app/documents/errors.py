"""Every sentence that a person may read about a document. ``{name}`` is the file's name, ``{path}`` its whole path."""

from pathlib import Path

from app.domain.errors import AppError, ErrorInfo


def _error(code: str, message: str, hint: str, path: str, **values: str) -> ErrorInfo:
    return ErrorInfo(f"documents.{code}", message, hint, {"name": Path(path).name, "path": path, **values})


def missing(path: str) -> ErrorInfo:
    return _error("missing", "There is no file or folder {path}.", "Check the name, or choose it again.", path)


def empty_folder(path: str) -> ErrorInfo:
    return _error(
        "empty_folder",
        "There is nothing to read in the folder {path}.",
        "Alcove reads text, Markdown, HTML, PDF, Word, EPUB and other document files.",
        path,
    )


def nothing_readable(path: str, count: int, first: str) -> ErrorInfo:
    return _error(
        "nothing_readable",
        "None of the {count} files could be read. The first: {first}",
        "",
        path,
        count=str(count),
        first=first,
    )


def no_scope() -> ErrorInfo:
    return ErrorInfo("documents.no_scope", "No documents were chosen.", "Choose a folder or some files first.")


def permission(path: str) -> ErrorInfo:
    return _error("permission", "{name} could not be opened: no permission.", "Change its access rights.", path)


def unreadable(path: str, reason: str) -> ErrorInfo:
    return _error("unreadable", "{name} could not be read: {reason}.", "", path, reason=reason)


def special_file(path: str) -> ErrorInfo:
    return _error("special_file", "{name} is not an ordinary file.", "Only ordinary files are read.", path)


def outside_link(path: str) -> ErrorInfo:
    return _error(
        "outside_link", "{name} is a link to a place outside the chosen folder.", "Add that place itself.", path
    )


def odd_name(path: str) -> ErrorInfo:
    return _error("odd_name", "The name of {name} is not valid text.", "Rename the file.", path)


def text_too_large(path: str, limit_mb: int) -> ErrorInfo:
    return _error(
        "text_too_large",
        "{name} has more than {limit} MB of text.",
        "Split it, or raise the limit in the settings.",
        path,
        limit=str(limit_mb),
    )


def file_too_large(path: str, limit_mb: int) -> ErrorInfo:
    return _error("file_too_large", "{name} is larger than {limit} MB.", "Split it.", path, limit=str(limit_mb))


def unfolds_too_large(path: str) -> ErrorInfo:
    return _error(
        "unfolds_too_large", "{name} unpacks to far more data than a document holds.", "It was not read.", path
    )


def unsupported(path: str) -> ErrorInfo:
    suffix = Path(path).suffix.lower() or "such"
    return _error(
        "unsupported",
        "{name} was skipped: {suffix} files are not documents that Alcove reads.",
        "",
        path,
        suffix=suffix,
    )


def not_text(path: str) -> ErrorInfo:
    return _error("not_text", "{name} is not text, whatever its name says.", "Check what kind of file it is.", path)


def empty(path: str) -> ErrorInfo:
    return _error("empty", "{name} has no text.", "", path)


def scanned(path: str) -> ErrorInfo:
    return _error(
        "scanned",
        "{name} has no text; it looks scanned.",
        "Run it through text recognition (OCR) and add the result.",
        path,
    )


def encrypted(path: str) -> ErrorInfo:
    return _error(
        "encrypted", "{name} is protected by a password.", "Save a copy without the password and add that.", path
    )


def damaged(path: str, kind: str) -> ErrorInfo:
    return _error(
        "damaged",
        "{name} is damaged, or not a {kind} file.",
        "Open it in another program and save it again.",
        path,
        kind=kind,
    )


def too_slow(path: str, seconds: float) -> ErrorInfo:
    return _error(
        "too_slow",
        "Reading {name} took longer than {seconds} seconds and was given up.",
        "The file may be damaged.",
        path,
        seconds=f"{seconds:g}",
    )


def too_hungry(path: str) -> ErrorInfo:
    return _error("too_hungry", "{name} needs more memory than a document may take.", "The file may be damaged.", path)


def reader_died(path: str) -> ErrorInfo:
    return _error("reader_died", "{name} made the reader crash and was given up.", "The file is damaged.", path)


def outside_scope(path: str) -> ErrorInfo:
    return _error(
        "outside_scope", "{path} is not among the chosen documents.", "Choose a file from the list of documents.", path
    )


def ambiguous(path: str) -> ErrorInfo:
    return _error("ambiguous", "Several documents are called {path}.", "Give the whole path.", path)


def busy() -> ErrorInfo:
    return ErrorInfo(
        "documents.busy",
        "Another Alcove is reading these documents just now.",
        "Try again in a moment.",
    )


def closed() -> ErrorInfo:
    return ErrorInfo("documents.closed", "The documents are being closed.", "Start the program again.")


def no_fts5() -> ErrorInfo:
    return ErrorInfo(
        "documents.no_fts5",
        "This Python's SQLite has no full-text search (FTS5), so documents cannot be searched.",
        "Use a Python whose SQLite has FTS5, for example the one from python.org.",
    )


def newer_index(path: str) -> ErrorInfo:
    return _error(
        "newer_index",
        "The document index {path} was written by a newer Alcove.",
        "Update this program, or move that file away to build a new index.",
        path,
    )


def index_damaged() -> ErrorInfo:
    return ErrorInfo(
        "index_damaged",
        "The index of your documents is damaged and is being built again from your files.",
        "Ask again in a moment.",
    )


def index_unusable(path: str, reason: str) -> ErrorInfo:
    return _error(
        "index_unusable",
        "The document index {path} cannot be used: {reason}.",
        "Check the disk's free space and access rights; or remove the file, it will be built again.",
        path,
        reason=reason,
    )


def as_error(info: ErrorInfo) -> AppError:
    """``raise as_error(missing(path))`` reads as it should."""
    return AppError.of(info)
