"""One download from its first question to the model in the library. Runs on the download's own thread."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from app.domain.cancel import CancelToken
from app.domain.errors import AppError, ErrorInfo
from app.domain.events import DownloadState
from app.models.disk import check_room, disk_error, place
from app.models.downloads.jobs import DownloadJob
from app.models.downloads.partfile import Content, PartFile
from app.models.downloads.surroundings import Surroundings
from app.models.downloads.transfer import ContentChanged, RemoteFile, Transfer
from app.models.hub import retry
from app.models.hub.errors import REVISION_GONE
from app.models.hub.hub import HubClient
from app.models.hub.repository import model_of
from app.models.library import records
from app.models.library.checks import check_model

_LOGS = 4000  # in one download: a kill loses at most this fraction of it for each file that is fetched
_LOG_BYTES = (16 << 10, 4 << 20)  # at least, at most
_HASH_AT_ONCE = 64 << 20
_CHANGES = 3

Report = Callable[[DownloadState, int], None]


class Fetch:
    """``report(state, bytes done)`` is called some times a second, ``notice`` with what a person should be told,
    ``changed`` with the job when the Hub's files are no longer those it began with."""

    def __init__(
        self,
        job: DownloadJob,
        hub: HubClient,
        cancel: CancelToken,
        around: Surroundings,
        *,
        report: Report,
        notice: retry.Notice,
        changed: Callable[[DownloadJob], None],
    ) -> None:
        self._job = job
        self._hub = hub
        self._cancel = cancel
        self._around = around
        self._report = report
        self._notice = notice
        self._changed = changed
        self._parts: dict[int, PartFile] = {}

    def run(self) -> Path:
        """The model's (first) file in the library. Raises AppError or Cancelled; what was fetched is kept."""
        for _ in range(_CHANGES):
            try:
                self._open_parts()
                self._transfer()
                self._verify()
                return self._place()
            except ContentChanged:
                self._refresh()
        raise AppError(
            "file-changed",
            "{name} keeps changing on the Hub.",
            "Try again later.",
            name=self._job.name,
        )

    @property
    def _done(self) -> int:
        placed = sum(file.size for index, file in enumerate(self._job.files) if index not in self._parts)
        return placed + sum(part.done for part in self._parts.values())

    def _open_parts(self) -> None:
        """Ask the Hub what each file is now, and look what an earlier run left of it."""
        job, self._parts = self._job, {}
        self._report(DownloadState.PREPARING, 0)
        log_every = max(_LOG_BYTES[0], min(_LOG_BYTES[1], job.size // _LOGS))
        for index, file in enumerate(job.files):
            if _placed(job, index):
                continue
            content = self._content(file.path)
            if content.size != file.size or (file.sha256 and content.sha256 != file.sha256):
                raise ContentChanged(file.path)
            part = PartFile(
                job.part(index),
                content,
                log_every=log_every,
                monotonic=self._around.monotonic,
                open_file=self._around.open_file,
            )
            if part.started_over:
                self._tell_changed(file.path)
            self._parts[index] = part

    def _content(self, path: str) -> Content:
        job = self._job
        try:
            found = self._hub.locate(job.repository, job.revision, path, cancel=self._cancel, notice=self._notice)
        except AppError as error:
            if error.code == REVISION_GONE:
                raise ContentChanged(path) from error
            raise
        known = next(file.sha256 for file in job.files if file.path == path)
        # The ETag of a large file is its SHA-256; of any other kind of ETag the checksum of the listing holds.
        sha256 = found.etag if known and len(found.etag) == len(known) else known
        return Content(f"{job.repository}@{job.revision}/{path}", found.etag, found.size, sha256)

    def _transfer(self) -> None:
        job = self._job
        partial = Path(job.partial)
        missing = job.size - self._done
        check_room(partial, missing, self._around.free(partial), job.name)
        for part in self._parts.values():
            try:
                part.prepare()
            except OSError as error:
                raise disk_error(error, part.part) from error
        remotes = [
            RemoteFile(self._hub, job.repository, job.revision, job.files[index].path, part)
            for index, part in self._parts.items()
        ]
        transfer = Transfer(
            self._hub,
            remotes,
            self._cancel,
            self._around.pacing,
            wait=self._around.wait,
            notice=self._notice,
        )
        transfer.run(lambda: self._report(DownloadState.DOWNLOADING, self._done))

    def _verify(self) -> None:
        """Checksums, most of which is done by now, then the headers. A file that fails is fetched anew next time."""
        for index, part in self._parts.items():
            file = self._job.files[index]
            while part.hash_more(_HASH_AT_ONCE):
                self._cancel.raise_if_cancelled()
                self._report(DownloadState.VERIFYING, self._done)
            if part.content.sha256 and part.digest() != part.content.sha256:
                part.discard()
                raise AppError(
                    "checksum",
                    "{file} arrived damaged: its checksum is not the one the Hub names.",
                    "Resume the download to fetch this file again.",
                    detail=f"{part.digest()} instead of {part.content.sha256}",
                    file=file.path.rpartition("/")[2],
                )
            try:
                check_model(part.part, file.path.rpartition("/")[2])
            except AppError:
                part.discard()
                raise

    def _place(self) -> Path:
        """Into the library, the first file last: until then nobody takes the others for a model."""
        job = self._job
        self._cancel.raise_if_cancelled()
        folder = Path(job.target)
        files = {file.path: records.FileRecord(file.size, file.sha256) for file in job.files}
        try:
            known = records.read(folder)
            records.write(folder, known.with_files(job.repository, job.revision, job.licence, files))
            for index in reversed(self._parts):
                place(job.part(index), job.final(index))
        except OSError as error:
            raise disk_error(error, folder) from error
        return job.final(0)

    def _refresh(self) -> None:
        """Take the Hub's files as they are now; parts whose bytes are the same go on, the others start over."""
        job = self._job
        now = self._hub.repository(job.repository, cancel=self._cancel)
        model = model_of(now, job.name)
        extra = [file for file in now.projectors if any(file.path == old.path for old in job.files)]
        self._job = replace(job, revision=now.revision, files=(*model.files, *extra))
        self._changed(self._job)

    def _tell_changed(self, path: str) -> None:
        self._notice(
            ErrorInfo(
                "file-restarted",
                "{file} changed on the Hub, so its download started over.",
                values={"file": path.rpartition("/")[2]},
            )
        )


def _placed(job: DownloadJob, index: int) -> bool:
    """Whether an earlier run verified this file and moved it into the library."""
    final = job.final(index)
    return not job.part(index).exists() and final.is_file() and final.stat().st_size == job.files[index].size
