"""Where a model came from: ``.alcove.json`` in its folder, so that it moves along when a person moves the folder."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from app.storage import jsonfile

log = logging.getLogger(__name__)

NAME = ".alcove.json"


@dataclass(frozen=True, slots=True)
class FileRecord:
    size: int
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class FolderRecord:
    """``files``: by path relative to the folder, with slashes."""

    repository: str = ""
    revision: str = ""
    licence: str = ""
    files: Mapping[str, FileRecord] = field(default_factory=dict)

    def with_files(
        self, repository: str, revision: str, licence: str, files: Mapping[str, FileRecord]
    ) -> "FolderRecord":
        """This record with more files in it, of the same repository."""
        return FolderRecord(repository, revision, licence, {**self.files, **files})

    def without(self, name: str) -> "FolderRecord":
        kept = {key: value for key, value in self.files.items() if key != name}
        return FolderRecord(self.repository, self.revision, self.licence, kept)


def read(folder: Path) -> FolderRecord:
    """The record of ``folder``; an empty one where there is none, or a damaged one, which is set aside."""
    try:
        return jsonfile.load(folder / NAME, FolderRecord) or FolderRecord()
    except OSError as error:
        log.warning("%s cannot be read: %r", folder / NAME, error)
        return FolderRecord()


def write(folder: Path, record: FolderRecord) -> None:
    """Raises OSError."""
    jsonfile.update(folder / NAME, record)
