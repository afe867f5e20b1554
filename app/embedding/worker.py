"""The embedding model's thread, which owns its child process."""

import logging
import threading
import time
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from pathlib import Path
from typing import TypeAlias

from app.domain.cancel import CancelToken
from app.domain.errors import AppError, Cancelled
from app.domain.models import EmbeddingModel
from app.embedding.files import describe
from app.embedding.prefixes import prefixes
from app.process.child import ChildProcess
from app.process.ending import died_loading, no_process
from app.process.jobs import JobThread
from app.process.messages import Embed, Embedded, EmbedderLoaded, LoadFailed
from app.process.parent import Parent

log = logging.getLogger(__name__)

LOOK_AGAIN_S = 30.0  # between two looks for the file: another one may have been downloaded
CLOSING_S = 0.5  # between two looks, while the child computes, whether the program ends

Target: TypeAlias = Callable[[Parent, str], None]
"""What runs in the child: it is handed the model's path, and speaks ``app.process.messages``."""


@dataclass(eq=False, slots=True)
class _EmbedJob:
    """Vectors for some texts. ``done`` is set at the end, when all ``vectors`` are there or there is an ``error``."""

    texts: tuple[str, ...]
    query: bool
    vectors: "list[array[float]]" = field(default_factory=list)
    error: AppError | Cancelled | None = None
    done: threading.Event = field(default_factory=threading.Event)

    def fail(self, error: AppError | Cancelled) -> None:
        self.error = error
        self.done.set()


class EmbeddingWorker:
    """An `Embedder` (app.domain.protocols).

    The model is loaded for the first text and unloaded when nothing was to do for long. Where the child dies, those who
    waited get the error and the next call loads again.

    Callers leave jobs and wait; the thread hands the child a few texts at a time, those of questions first, so that a
    question waits for no more than those.
    """

    def __init__(
        self,
        find: Callable[[], Path | None],
        target: Target,
        *,
        idle_unload_s: Callable[[], float | None] = lambda: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """``find``: the model's file; asked now and then, on the callers' threads.

        ``target``: what runs in the child.
        ``idle_unload_s``: seconds without work before the model is unloaded; None is never.
        """
        self._find = find
        self._target = target
        self._monotonic = monotonic
        self._jobs: JobThread[_EmbedJob] = JobThread(
            "embedding",
            self._step,
            refuse=lambda job: job.fail(_closed()),
            at_end=self._drop,
            idle_s=lambda: idle_unload_s() if self._child is not None else None,
            rest=self._rest,
        )
        self._looking = threading.Lock()
        self._looked: float | None = None
        self._found: tuple[Path, EmbeddingModel] | None = None
        self._child: ChildProcess | None = None  # the thread's, as are the next three
        self._loaded: EmbeddingModel | None = None
        self._lanes = 1
        self._refused: tuple[EmbeddingModel, float, AppError] | None = None

    @property
    def model(self) -> EmbeddingModel | None:
        found = self._look()
        return found[1] if found is not None else None

    @property
    def child_pid(self) -> int | None:
        """The process behind the loaded model, for tests and benchmarks."""
        child = self._child
        return child.pid if child is not None else None

    def embed(
        self, texts: Sequence[str], *, query: bool = False, cancel: CancelToken | None = None
    ) -> "list[array[float]]":
        if not texts:
            return []
        found = self._look()
        if found is None:
            raise AppError("no-embedding-model", "There is no model that finds passages by their meaning.")
        before = prefixes(found[1].name)[0 if query else 1]
        job = _EmbedJob(tuple(before + text for text in texts), query)
        if not self._jobs.post(job, urgency=0 if query else 1):
            raise _closed()
        forget = cancel.on_cancel(lambda: job.fail(Cancelled())) if cancel is not None else lambda: None
        try:
            job.done.wait()
        finally:
            forget()
        if job.error is not None:
            raise job.error
        return job.vectors

    def close(self) -> None:
        """End the thread and the child; those who wait get an error. Idempotent."""
        self._jobs.end()
        if (child := self._child) is not None:
            child.stop()  # a load would take its time
        self._jobs.close()

    def _look(self) -> tuple[Path, EmbeddingModel] | None:
        with self._looking:
            now = self._monotonic()
            if self._looked is None or now - self._looked >= LOOK_AGAIN_S:
                self._looked = now
                path = self._find()
                if path is None or self._found is None or path != self._found[0]:
                    self._found = (path, described) if path and (described := describe(path)) else None
            return self._found

    # The thread.

    def _step(self, job: _EmbedJob) -> bool:
        """A few texts of the job; True when it has ended."""
        if job.done.is_set():  # nobody waits any more
            return True
        try:
            child = self._ready()
            first = len(job.vectors)
            job.vectors += self._ask(child, Embed(job.texts[first : first + self._lanes], job.query))
            if self._jobs.closing:  # everybody gets the same answer then
                raise _closed()
        except (AppError, Cancelled) as error:
            job.fail(error)
            return True
        if len(job.vectors) < len(job.texts):
            return False
        job.done.set()
        return True

    def _ready(self) -> ChildProcess:
        """The child with the model that is to be used now. Raises AppError."""
        found = self._found
        assert found is not None
        path, model = found
        if self._child is not None and self._loaded == model:
            return self._child
        if self._refused and self._refused[0] == model and self._monotonic() - self._refused[1] < LOOK_AGAIN_S:
            raise self._refused[2]
        try:
            return self._start(path, model)
        except AppError as error:
            self._refused = (model, self._monotonic(), error)  # nobody waits for the next such load so soon
            raise

    def _start(self, path: Path, model: EmbeddingModel) -> ChildProcess:
        """Raises AppError."""
        self._drop()
        try:
            child = ChildProcess(self._target, str(path), name="alcove-embedding", huge_pages=True)
        except Exception as error:
            raise no_process(error) from error
        self._child, self._loaded = child, model
        reply = self._reply(child, loading=model.name)
        assert isinstance(reply, EmbedderLoaded | LoadFailed)
        if isinstance(reply, LoadFailed):
            self._drop()
            raise AppError.of(reply.error) if reply.error is not None else _closed()
        if reply.dimension != model.dimension:
            self._drop()
            raise _unlike_its_header(model.name)
        self._lanes = reply.lanes
        log.info("loaded the embedding model %s, %d texts at a time", model.name, reply.lanes)
        return child

    def _ask(self, child: ChildProcess, command: Embed) -> "list[array[float]]":
        child.send(command)
        reply = self._reply(child)
        assert isinstance(reply, Embedded)
        if reply.error is not None:
            raise AppError.of(reply.error)
        size = len(reply.vectors) // len(command.texts)
        return [array("f", reply.vectors[at : at + size]) for at in range(0, len(reply.vectors), size)]

    def _reply(self, child: ChildProcess, loading: str = "") -> EmbedderLoaded | LoadFailed | Embedded:
        """The child's next word but its progress. Raises AppError where it died, or the program ends."""
        try:
            while True:
                if child.connection.poll():
                    reply = child.connection.recv()
                    if isinstance(reply, EmbedderLoaded | LoadFailed | Embedded):
                        return reply
                elif not wait([child.connection, child.sentinel], CLOSING_S) and self._jobs.closing:
                    raise _closed()
        except (EOFError, OSError):
            ending = child.ending()
            self._drop()
            log.error("the embedding model's process ended: %s", ending.detail)
            raise (died_loading(loading, ending) if loading else _died(ending.detail)) from None

    def _rest(self) -> None:
        log.info("the embedding model rests")
        self._drop()

    def _drop(self) -> None:
        child, self._child, self._loaded = self._child, None, None
        if child is not None:
            child.close()


def _closed() -> AppError:
    return AppError("engine-closed", "The program is ending.")


def _died(detail: str) -> AppError:
    return AppError(
        "embedding-died",
        "The model that finds passages by their meaning stopped unexpectedly.",
        "Documents are searched by their words meanwhile; it starts again by itself.",
        detail=detail,
    )


def _unlike_its_header(name: str) -> AppError:
    return AppError(
        "not-an-embedding-model",
        "{name} makes vectors of another length than its file says.",
        "Download the model again, or choose another one.",
        name=name,
    )
