"""The embedding model: a background thread that owns its child process, and what its file says of it."""

import hashlib
import itertools
import logging
import re
import threading
import time
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from pathlib import Path

from app.domain.cancel import CancelToken
from app.domain.errors import AppError, Cancelled
from app.domain.models import EmbeddingModel, LoadRequest
from app.engine.llama import embed
from app.engine.local.process import ChildProcess, Target, no_process
from app.engine.messages import Embed, Embedded, EmbedderLoaded, LoadFailed
from app.gguf.files import display_name
from app.gguf.reader import read_file

log = logging.getLogger(__name__)

LOOK_AGAIN_S = 30.0  # between two looks for the file: another one may have been downloaded
CLOSING_S = 0.5  # between two looks, while the child computes, whether the program ends
SAMPLES, SAMPLE_BYTES = 64, 4096  # of a file, to tell it from another one

# What the models' cards say is to be written before a question and before a passage; the first that fits the name.
_PREFIXES = (
    (r"e5-.*instruct|qwen3.*embedding", "Instruct: Find passages that answer the question\nQuery: ", ""),
    (r"\be5-", "query: ", "passage: "),
    (r"nomic-embed", "search_query: ", "search_document: "),
    (r"embedding-?gemma", "task: search result | query: ", "title: none | text: "),
    (r"bge-(small|base|large)-en|mxbai-embed", "Represent this sentence for searching relevant passages: ", ""),
    (r"arctic-embed.*v2", "query: ", ""),
    (r"arctic-embed", "Represent this sentence for searching relevant passages: ", ""),
)


@dataclass(eq=False, slots=True)
class _Job:
    """Vectors for some texts. ``done`` is set at the end, when all ``vectors`` are there or there is an ``error``."""

    texts: tuple[str, ...]
    query: bool
    vectors: "list[array[float]]" = field(default_factory=list)
    error: AppError | Cancelled | None = None
    cancelled: bool = False
    done: threading.Event = field(default_factory=threading.Event)

    def fail(self, error: AppError | Cancelled) -> None:
        self.error = error
        self.done.set()


class EmbeddingWorker:
    """An `Embedder` (app.domain.protocols). The model is loaded for the first text and unloaded when nothing was to do
    for long. Where the child dies, those who waited get the error and the next call loads again.

    Callers leave jobs and wait; the thread hands the child a few texts at a time, those of questions first, so that a
    question waits for no more than those.
    """

    def __init__(
        self,
        find: Callable[[], Path | None],
        *,
        idle_unload_s: Callable[[], float | None] = lambda: None,
        target: Target = embed.run,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """``find``: the model's file; asked now and then, on the callers' threads. ``idle_unload_s``: None is never.
        ``target``: what runs in the child; tests hand in another one."""
        self._find = find
        self._idle_unload_s = idle_unload_s
        self._target = target
        self._monotonic = monotonic
        self._changed = threading.Condition()
        self._jobs: list[tuple[bool, int, _Job]] = []
        self._count = itertools.count()
        self._closing = False
        self._thread: threading.Thread | None = None
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
        job = _Job(tuple(before + text for text in texts), query)
        self._post(job)
        forget = cancel.on_cancel(lambda: self._abandon(job)) if cancel is not None else lambda: None
        try:
            job.done.wait()
        finally:
            forget()
        if job.error is not None:
            raise job.error
        return job.vectors

    def close(self) -> None:
        """End the thread and the child; those who wait get an error. Idempotent."""
        with self._changed:
            self._closing = True
            thread, child = self._thread, self._child
            self._changed.notify_all()
        if child is not None:
            child.stop()
        if thread is not None:
            thread.join()

    def _look(self) -> tuple[Path, EmbeddingModel] | None:
        with self._looking:
            now = self._monotonic()
            if self._looked is None or now - self._looked >= LOOK_AGAIN_S:
                self._looked = now
                path = self._find()
                if path is None or self._found is None or path != self._found[0]:
                    self._found = (path, described) if path and (described := describe(path)) else None
            return self._found

    def _post(self, job: _Job) -> None:
        with self._changed:
            if self._closing:
                raise _closed()
            self._jobs.append((not job.query, next(self._count), job))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="embedding", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def _abandon(self, job: _Job) -> None:
        job.cancelled = True
        job.fail(Cancelled())

    # The thread.

    def _run(self) -> None:
        try:
            while (job := self._next()) is not None:
                self._step(job)
        finally:
            with self._changed:
                self._closing = True  # also where this thread ends by a bug: nobody may wait for ever
                left, self._jobs = self._jobs, []
            for _, _, job in left:
                job.fail(_closed())
            self._drop()

    def _next(self) -> _Job | None:
        """The most urgent job; it stays in the queue while it has texts left."""
        idle_since = self._monotonic()
        while True:
            with self._changed:
                if self._closing:
                    return None
                self._jobs = [entry for entry in self._jobs if not entry[2].done.is_set()]
                if self._jobs:
                    return min(self._jobs, key=lambda entry: entry[:2])[2]
                limit = self._idle_unload_s() if self._child is not None else None
                left = None if limit is None else idle_since + limit - self._monotonic()
                if left is None or left > 0:
                    self._changed.wait(left)
                    continue
            log.info("the embedding model rests")
            self._drop()

    def _step(self, job: _Job) -> None:
        try:
            child = self._ready()
            first = len(job.vectors)
            vectors = self._ask(child, Embed(job.texts[first : first + self._lanes], job.query))
            if not job.cancelled:
                job.vectors += vectors
                if len(job.vectors) == len(job.texts):
                    job.done.set()
        except (AppError, Cancelled) as error:
            job.fail(error)

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
            child = ChildProcess(self._target, LoadRequest(str(path)))
        except Exception as error:
            raise no_process(error) from error
        with self._changed:
            self._child, self._loaded = child, model
            if self._closing:
                child.stop()
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
                reply = child.receive()
                if isinstance(reply, EmbedderLoaded | LoadFailed | Embedded):
                    return reply
                if reply is None and not wait([child.connection, child.sentinel], CLOSING_S) and self._closing:
                    raise _closed()
        except (EOFError, OSError):
            error = child.died(loading).error
            self._drop()
            log.error("the embedding model's process ended: %s", error.info.detail)
            raise error if loading else _died(error.info.detail) from None

    def _drop(self) -> None:
        with self._changed:
            child, self._child, self._loaded = self._child, None, None
        if child is not None:
            child.close()


def describe(path: Path) -> EmbeddingModel | None:
    """What the header says; None for a file that cannot be read or is no embedding model."""
    try:
        header = read_file(path, max_array=0)
        dimension = header.arch("embedding_length_out") or header.arch("embedding_length")
        name = display_name(str(path))
        if dimension <= 0:
            return None
        return EmbeddingModel(f"{_content_id(path)}{prefixes(name)[1]}", name, dimension)
    except (AppError, OSError) as error:
        log.info("%s is no embedding model: %s", path, error)
        return None


def prefixes(name: str) -> tuple[str, str]:
    """What goes before a question, and before a passage, by the model's name."""
    for pattern, query, passage in _PREFIXES:
        if re.search(pattern, name, re.IGNORECASE):
            return query, passage
    return "", ""


def _content_id(path: Path) -> str:
    """The same wherever the file lies: of its size and samples of its bytes."""
    size = path.stat().st_size
    digest = hashlib.blake2b(size.to_bytes(8, "little"), digest_size=16)
    with path.open("rb") as file:
        for number in range(SAMPLES):
            file.seek(size * number // SAMPLES)
            digest.update(file.read(SAMPLE_BYTES))
    return digest.hexdigest()


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
