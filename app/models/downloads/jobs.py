"""Downloads that are not finished, each in a folder of its own with a ``job.json``: what a restart goes on with."""

import logging
import shutil
from dataclasses import dataclass
from pathlib import Path

from app.domain.errors import ErrorInfo
from app.domain.library import RepoFile
from app.storage import jsonfile
from app.storage.jsonfile import DamagedFile

log = logging.getLogger(__name__)

_FILE = "job.json"


@dataclass(frozen=True, slots=True)
class DownloadJob:
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


class DownloadJobStore:
    """``folder`` holds one sub-folder a job. Any thread; several processes may look, a lock tells who works."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def all(self) -> list[DownloadJob]:
        """In the order in which they were added; what cannot be read is left out, and logged."""
        jobs = []
        for path in self.folder.glob(f"*/{_FILE}"):
            try:
                jobs.append(jsonfile.read(path, DownloadJob))
            except (OSError, DamagedFile) as error:
                log.warning("the download in %s cannot be read: %r", path, error)
        return sorted(jobs, key=lambda job: job.added)

    def save(self, job: DownloadJob) -> None:
        """Raises OSError."""
        jsonfile.update(self.folder / job.id / _FILE, job)

    def lock_file(self, job_id: str) -> Path:
        return self.folder / f"{job_id}.lock"

    def delete(self, job: DownloadJob) -> None:
        """The job and everything that was fetched for it."""
        shutil.rmtree(self.folder / job.id, ignore_errors=True)
        shutil.rmtree(job.partial, ignore_errors=True)
