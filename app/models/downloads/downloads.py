"""The queue of downloads: starts, pauses, resumes and forgets them, and tells what happens as events.

Any thread may call; calls wait for the disk at most. Each download runs on a thread of its own (``fetch``), a few at a
time. What is not finished is on the disk (``jobs``), so that a later start goes on from the last byte.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from app.domain.cancel import CancelToken
from app.domain.errors import REPORT, AppError, Cancelled, ErrorInfo
from app.domain.events import DownloadFailed, DownloadFinished, DownloadProgress, DownloadState
from app.domain.ids import new_id
from app.domain.library import Download, QuantizedModel, Repository
from app.domain.protocols import Clock, Publish
from app.models.disk import check_room, disk_error, same_file_system
from app.models.downloads.jobs import DownloadJob, DownloadJobStore
from app.models.downloads.partfile import done_on_disk
from app.models.downloads.surroundings import Surroundings
from app.models.hub.files import check_path
from app.models.hub.repository import check_complete

if TYPE_CHECKING:
    from app.models.hub.hub import HubClient  # imported when the first download runs: it takes a second

log = logging.getLogger(__name__)

PARTIAL = ".alcove-downloads"  # in a library folder that lies on another disk than our own folders
_PUBLISH_S = 0.2
_SPEED_S = 3.0
_END_S = 20.0


class _Running:
    """A download's thread and what it said last."""

    def __init__(self, job: DownloadJob) -> None:
        self.job = job
        self.cancel = CancelToken()
        self.thread: threading.Thread | None = None
        self.forget = False  # remove what was fetched once it has stopped
        self.state = DownloadState.PREPARING
        self.done = 0
        self.note: ErrorInfo | None = None
        self.published = float("-inf")
        self.speed: list[tuple[float, int]] = []  # moments and bytes done, of the last seconds


class DownloadService:
    """``folder``: for what is unfinished; ``library``: for what is finished. ``hub`` is asked for when it is needed."""

    def __init__(
        self,
        folder: Path,
        library: Path,
        hub: Callable[[], "HubClient"],
        publish: Publish,
        clock: Clock,
        *,
        around: Surroundings | None = None,
        at_once: int = 2,
    ) -> None:
        self._store = DownloadJobStore(folder)
        self._library = library
        self._hub = hub
        self._publish = publish
        self._around = around or Surroundings(clock.monotonic)
        self._clock = clock
        self._at_once = at_once
        self._lock = threading.RLock()
        self._running: dict[str, _Running] = {}
        self._queue: list[DownloadJob] = []
        self._closed = False

    def start(
        self,
        repository: Repository,
        model: QuantizedModel,
        *,
        accepted: bool = False,
        library: Path | None = None,
    ) -> str:
        """Queue a model, with the smallest vision projector if there is one.

        Returns the download's id: that of an unfinished one of the same model, if there is one.
        ``accepted``: the person has read the licence. ``library``: another folder than the usual one.
        Raises AppError ``shards-incomplete``, ``licence-not-accepted``, ``unsafe-name``, ``already-there``,
        ``disk-too-small``, ``download-unwritable``.
        """
        check_complete(model, repository.id)
        files = (*model.files, *repository.projectors[:1])
        target = (library or self._library) / check_path(repository.id.replace("/", "--"))
        if repository.licence.asks and not accepted:
            raise AppError(
                "licence-not-accepted",
                "{name} comes under the licence “{licence}”, which asks to be read first.",
                "Read it at {link}, then accept it.",
                name=model.name,
                licence=repository.licence.name,
                link=repository.licence.link,
            )
        for file in files:
            check_path(file.path)
        with self._lock:
            for job in self._store.all():
                if job.repository == repository.id and job.name == model.name and job.target == str(target):
                    self.resume(job.id)
                    return job.id
            download_id = new_id()
            job = DownloadJob(
                id=download_id,
                repository=repository.id,
                revision=repository.revision,
                name=model.name,
                quantization=model.quantization,
                files=files,
                target=str(target),
                partial=str(self._partial(target.parent, download_id)),
                added=self._clock.now(),
                licence=repository.licence.name,
            )
            self._check(job)
            self._save(job)
            self._enqueue(job)
        return download_id

    def pause(self, download_id: str) -> None:
        """Stop it, keeping what was fetched. Returns at once."""
        with self._lock:
            job = replace(self._job(download_id), paused=True)
            self._queue = [queued for queued in self._queue if queued.id != download_id]
            running = self._running.get(download_id)
            if running is not None:
                running.job = job
            self._save(job)
        if running is not None:
            running.cancel.cancel()
        else:
            self._tell(job, DownloadState.PAUSED)

    def resume(self, download_id: str) -> None:
        """Go on with one that was paused, failed, or was left by an earlier run of the program."""
        with self._lock:
            job = replace(self._job(download_id), paused=False, error=None)
            running = self._running.get(download_id)
            if any(queued.id == download_id for queued in self._queue):
                return
            if running is not None:
                if not running.cancel.cancelled:
                    return
                running.job = job  # it goes on when its thread has stopped
            self._save(job)
            self._enqueue(job)

    def resume_interrupted(self) -> list[str]:
        """Go on with everything that was under way when the program ended; returns the ids."""
        with self._lock:
            jobs = [job for job in self._store.all() if not job.paused and job.error is None]
            for job in jobs:
                self.resume(job.id)
        return [job.id for job in jobs]

    def cancel(self, download_id: str) -> None:
        """Forget it and remove what was fetched; nothing where it has ended meanwhile."""
        with self._lock:
            self._queue = [queued for queued in self._queue if queued.id != download_id]
            running = self._running.get(download_id)
            if running is None:
                job = self._known(download_id)
                if job is not None:
                    self._store.delete(job)
                return
            running.forget = True
        running.cancel.cancel()

    def list(self) -> "list[Download]":
        """All unfinished downloads, the oldest first."""
        with self._lock:
            return [self._view(job) for job in self._store.all()]

    def close(self) -> None:
        """Stop all, keeping what was fetched; waits for the threads. Idempotent."""
        with self._lock:
            self._closed = True
            self._queue.clear()
            running = list(self._running.values())
        for each in running:
            each.cancel.cancel()
        for each in running:
            if each.thread is not None:
                each.thread.join(_END_S)

    # The queue

    def _enqueue(self, job: DownloadJob) -> None:
        self._queue.append(job)
        self._tell(job, DownloadState.QUEUED)
        self._next()

    def _next(self) -> None:
        with self._lock:
            if self._closed:
                return
            for job in list(self._queue):
                if len(self._running) >= self._at_once:
                    return
                if job.id in self._running:
                    continue  # its last run has not ended yet
                self._queue.remove(job)
                running = _Running(job)
                running.thread = threading.Thread(target=self._main, args=(running,), name=f"download-{job.id[:8]}")
                self._running[job.id] = running
                running.thread.start()

    def _main(self, running: _Running) -> None:
        lock = FileLock(self._store.lock_file(running.job.id), timeout=0)
        event: DownloadFinished | DownloadFailed | None = None
        try:
            with lock:
                event = self._fetch(running)
            if running.forget or isinstance(event, DownloadFinished):
                self._store.lock_file(running.job.id).unlink(missing_ok=True)
        except Timeout:
            error = AppError(
                "download-elsewhere",
                "{name} is being downloaded by another running Alcove.",
                "Wait for that one, or close it.",
                name=running.job.name,
            )
            event = DownloadFailed(running.job.id, error.info)
        finally:
            with self._lock:
                del self._running[running.job.id]
                job = running.job
            if event is not None:
                self._publish(event)
            elif not running.forget and not any(queued.id == job.id for queued in self._queue):
                self._tell(job, DownloadState.PAUSED)
            self._next()

    def _fetch(self, running: _Running) -> DownloadFinished | DownloadFailed | None:
        """Run it and leave the disk in order; None where it was stopped."""
        from app.models.downloads.fetch import Fetch

        try:
            fetch = Fetch(
                running.job,
                self._hub(),
                running.cancel,
                self._around,
                report=lambda state, done: self._report(running, state, done),
                notice=lambda note: self._notice(running, note),
                changed=lambda job: self._changed(running, replace(job, paused=running.job.paused)),
            )
            path = fetch.run()
        except Cancelled:
            self._stopped(running)
            return None
        except AppError as error:
            info = error.info
            log.info("download %s: %s (%s)", running.job.id, error, info.detail)
        except Exception as error:
            log.exception("download %s", running.job.id)
            info = ErrorInfo(
                "download-bug",
                "The download stopped because of an error in Alcove.",
                f"Resume it. If that does not help: {REPORT}",
                detail=repr(error),
            )
        else:
            self._store.delete(running.job)
            return DownloadFinished(running.job.id, str(path))
        if running.cancel.cancelled:  # whatever went wrong, the person has stopped it meanwhile
            self._stopped(running)
            return None
        self._changed(running, replace(running.job, error=info))
        return DownloadFailed(running.job.id, info)

    def _stopped(self, running: _Running) -> None:
        if running.forget:
            self._store.delete(running.job)

    # What is told

    def _report(self, running: _Running, state: DownloadState, done: int) -> None:
        now = self._around.monotonic()
        if done > running.done and state is DownloadState.DOWNLOADING:
            running.note = None
        elif running.note is not None and state is not DownloadState.VERIFYING:
            state = DownloadState.WAITING
        if state is running.state and now - running.published < _PUBLISH_S:
            return
        running.speed = [(at, then) for at, then in running.speed if now - at <= _SPEED_S] + [(now, done)]
        running.state, running.done, running.published = state, done, now
        self._tell(running.job, state, running)

    def _notice(self, running: _Running, note: ErrorInfo) -> None:
        running.note = note
        self._tell(running.job, DownloadState.WAITING, running)

    def _changed(self, running: _Running, job: DownloadJob) -> None:
        with self._lock:
            running.job = job
            try:
                self._save(job)
            except AppError as error:
                log.warning("%s", error)  # a full disk: the job as it was is there, and the reason was told

    def _tell(self, job: DownloadJob, state: DownloadState, running: _Running | None = None) -> None:
        done = running.done if running is not None else _done(job)
        speed = _per_second(running.speed) if running is not None else 0.0
        note = running.note if running is not None else None
        self._publish(DownloadProgress(job.id, job.name, done, job.size, speed, state, note))

    def _view(self, job: DownloadJob) -> Download:
        running = self._running.get(job.id)
        if running is not None and not running.cancel.cancelled:
            state, done = running.state, running.done
        else:
            queued = any(each.id == job.id for each in self._queue)
            state = DownloadState.QUEUED if queued else DownloadState.FAILED if job.error else DownloadState.PAUSED
            done = _done(job)
        return Download(job.id, job.name, done, job.size, state, job.repository, job.quantization, error=job.error)

    # The disk

    def _job(self, download_id: str) -> DownloadJob:
        job = self._known(download_id)
        if job is None:
            raise AppError("download-unknown", "This download is not in the list any more.", "Start it again.")
        return job

    def _known(self, download_id: str) -> DownloadJob | None:
        return next((job for job in self._store.all() if job.id == download_id), None)

    def _save(self, job: DownloadJob) -> None:
        try:
            self._store.save(job)
        except OSError as error:
            raise disk_error(error, self._store.folder) from error

    def _check(self, job: DownloadJob) -> None:
        """Before the first byte: is it here already, does it fit beside the others that are under way?"""
        there = [final for final in map(job.final, range(len(job.files))) if final.exists()]
        if len(there) == len(job.files):
            raise AppError(
                "already-there",
                "{name} is in the library already.",
                "Remove it first to download it again.",
                name=job.name,
                path=there[0],
            )
        partial = Path(job.partial)
        others = [each for each in self._store.all() if same_file_system(Path(each.partial), partial)]
        needed = sum(each.size - _done(each) for each in (job, *others) if not each.paused)
        check_room(partial, needed, self._around.free(partial), job.name)

    def _partial(self, library: Path, download_id: str) -> Path:
        """Beside the job, or on the library's own disk: the last step must be a rename."""
        if same_file_system(self._store.folder, library):
            return self._store.folder / download_id
        return library / PARTIAL / download_id


def _done(job: DownloadJob) -> int:
    """Bytes on the disk of a download that does not run."""
    total = 0
    for index, file in enumerate(job.files):
        part = job.part(index)
        total += file.size if not part.exists() and job.final(index).exists() else done_on_disk(part)
    return total


def _per_second(speed: "list[tuple[float, int]]") -> float:
    if len(speed) < 2 or speed[-1][0] <= speed[0][0]:
        return 0.0
    return (speed[-1][1] - speed[0][1]) / (speed[-1][0] - speed[0][0])
