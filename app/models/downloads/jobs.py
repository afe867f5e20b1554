"""Downloads that are not finished, each in a folder of its own with a ``job.json``: what a restart goes on with."""

import json
import logging
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from app.domain.errors import ErrorInfo
from app.models.library.shards import RepoFile
from app.storage.paths import make_private
from app.storage.settings import replace_file

log = logging.getLogger(__name__)

_FILE = "job.json"


@dataclass(frozen=True, slots=True)
class Job:
    """``revision``: the commit; ``target``: the folder in the library that the files' paths are relative to;
    ``partial``: where the parts lie, on the target's file system. ``error``: why it stopped by itself."""

    id: str
    repository: str
    revision: str
    name: str
    quantization: str
    files: tuple[RepoFile, ...]
    target: str
    partial: str
    added: float  # seconds since 1970
    licence: str = ""
    paused: bool = False
    error: ErrorInfo | None = None

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)

    def part(self, index: int) -> Path:
        return Path(self.partial) / f"{index + 1:05d}.part"

    def final(self, index: int) -> Path:
        return Path(self.target).joinpath(*self.files[index].path.split("/"))


class JobStore:
    """``folder`` holds one sub-folder a job. Any thread; several processes may look, a lock tells who works."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def all(self) -> list[Job]:
        """In the order in which they were added; what cannot be read is left out, and logged."""
        jobs = []
        for path in self.folder.glob(f"*/{_FILE}"):
            try:
                jobs.append(_from_json(json.loads(path.read_text(encoding="utf-8"))))
            except (OSError, ValueError, KeyError, TypeError) as error:
                log.warning("the download in %s cannot be read: %r", path, error)
        return sorted(jobs, key=lambda job: job.added)

    def save(self, job: Job) -> None:
        """Raises OSError."""
        folder = self.folder / job.id
        make_private(folder)
        replace_file(folder / _FILE, json.dumps(asdict(job), indent=1))

    def lock_file(self, job_id: str) -> Path:
        return self.folder / f"{job_id}.lock"

    def delete(self, job: Job) -> None:
        """The job and everything that was fetched for it."""
        shutil.rmtree(self.folder / job.id, ignore_errors=True)
        shutil.rmtree(job.partial, ignore_errors=True)


def _from_json(stored: Mapping[str, Any]) -> Job:
    error = stored.get("error")
    return Job(
        **{
            **stored,
            "files": tuple(RepoFile(**file) for file in stored["files"]),
            "error": ErrorInfo(**error) if error else None,
        }
    )
