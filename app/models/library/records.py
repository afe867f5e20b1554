"""Where a model came from: ``.alcove.json`` in its folder, so that it moves along when a person moves the folder."""

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from app.storage.settings import replace_file

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
    """The record of ``folder``; an empty one where there is none or it is damaged."""
    try:
        stored = json.loads((folder / NAME).read_text(encoding="utf-8"))
        files = {str(name): FileRecord(int(of["size"]), str(of["sha256"])) for name, of in stored["files"].items()}
        return FolderRecord(str(stored["repository"]), str(stored["revision"]), str(stored["licence"]), files)
    except FileNotFoundError:
        return FolderRecord()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        log.warning("%s cannot be read: %r", folder / NAME, error)
        return FolderRecord()


def write(folder: Path, record: FolderRecord) -> None:
    """Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    replace_file(folder / NAME, json.dumps(asdict(record), indent=1))
