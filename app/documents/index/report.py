"""What became of the files of a scope, as values for a person."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.documents import errors
from app.documents.index.index import FileStatus, KnownFile
from app.domain.errors import AppError, ErrorInfo


@dataclass(frozen=True, slots=True)
class FileReport:
    """One file, or one entry of the scope that is none. ``error`` is None for an indexed file."""

    path: str
    status: FileStatus
    error: ErrorInfo | None = None
    size: int = 0

    @property
    def sentence(self) -> str:
        return "" if self.error is None else self.error.text()


@dataclass(frozen=True, slots=True)
class ScopeReport:
    """All files of a scope, sorted by path. ``pending``: found, but not read yet."""

    scope: tuple[str, ...]
    files: tuple[FileReport, ...]
    pending: int = 0

    @property
    def indexed(self) -> tuple[str, ...]:
        return tuple(file.path for file in self.files if file.status is FileStatus.INDEXED)

    @property
    def skipped(self) -> tuple[tuple[str, str], ...]:
        """(path, sentence) of every file that is not indexed."""
        return tuple((file.path, file.sentence) for file in self.files if file.status is not FileStatus.INDEXED)

    def require_readable(self) -> None:
        """Raises AppError where nothing can be searched, with the reason if it is one reason."""
        if any(file.status is FileStatus.INDEXED for file in self.files):
            return
        if not self.scope:
            raise errors.as_error(errors.no_scope())
        if self.pending:
            raise errors.as_error(errors.busy())
        failed = [file for file in self.files if file.status is not FileStatus.UNSUPPORTED or file.path in self.scope]
        reasons = [file.error for file in failed if file.error is not None]
        if not reasons:
            raise errors.as_error(errors.empty_folder(self.scope[0]))
        if len(reasons) == 1:
            raise AppError.of(reasons[0])
        raise errors.as_error(errors.nothing_readable(self.scope[0], len(reasons), reasons[0].text()))


def report(
    scope: tuple[str, ...], known: Sequence[KnownFile], notes: Sequence[tuple[str, ErrorInfo]], pending: int = 0
) -> ScopeReport:
    files = [FileReport(row.path, row.status, row.error, row.size) for row in known]
    files += [FileReport(path, FileStatus.FAILED, error) for path, error in notes]
    return ScopeReport(scope, tuple(sorted(files, key=lambda file: file.path)), pending)
