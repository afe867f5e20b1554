"""The child process of one model: loads it, answers, ends with the program.

The process loads exactly one model in its life, so that ending it gives every byte back. Main thread: load, generate,
and save the conversation's state when nothing else is to do. Tokenizer thread: answers "tokenize" meanwhile. Pipe
thread: reads commands, hands them to these two, and sees to the process's end when the pipe closes. It never writes:
the program may be in the middle of writing to us itself, and whoever of both reads must not wait for the other one.
Import cost matters: the parent imports this module too, and neither it nor the child may import more of the program
than `app.domain`, `app.process` and `app.engine`.
"""

import contextlib
import importlib
import os
import queue
import threading
import time
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, TypeVar

from app.domain.errors import REPORT, AppError, Cancelled
from app.domain.faults import traced
from app.domain.models import LoadRequest
from app.engine.learned.saved_states import StateFolder
from app.engine.messages import (
    Failed,
    Forget,
    Generate,
    Loaded,
    ReadAhead,
    ReadAheadEnded,
    Reply,
    Tokenize,
    Tokenized,
    encode,
)
from app.process.messages import LoadFailed, LoadProgress
from app.process.parent import Parent

if TYPE_CHECKING:
    from app.engine.llama.decoder import Decoder
    from app.engine.llama.load import LoadedModel

PROGRESS_S = 0.05  # between two messages about a load
SETTLE_S = 0.3  # without work before a state is saved: a tool's result is often back sooner
SAVE_AT_END_S = 2.0  # for saving when the program ends; less than the program waits for this process

T = TypeVar("T")
Work = Generate | ReadAhead | Forget | None
"""What the pipe thread hands over; None: the end."""


def run(parent: Parent, request: LoadRequest, states: StateFolder | None = None) -> None:
    """The process's whole life."""
    parent.take_over()
    replies = _Replies(parent.connection)
    work: queue.SimpleQueue[Work] = queue.SimpleQueue()
    tokenizer = _Tokenizer(replies)
    threading.Thread(target=_read_pipe, args=(parent, work, tokenizer), name="pipe", daemon=True).start()
    threading.Thread(target=tokenizer.run, name="tokenizer", daemon=True).start()
    loaded = load_or_tell(lambda progress: _load(request, parent, progress), replies.send)
    if loaded is None:
        return
    from app.engine.llama.decoder import Decoder

    decoder = Decoder(loaded, parent.stop, states)
    tokenizer.loaded = loaded
    replies.send(Loaded(loaded.info))
    threading.Thread(target=_import_numpy, name="import", daemon=True).start()
    while (command := _next(work, decoder)) is not None:
        if isinstance(command, Forget):
            decoder.saved.forget(command.conversation)
        else:
            if isinstance(command, Generate):
                ending = _answer(command, decoder, replies)
            else:
                ending = _read_ahead(command, decoder)
            with contextlib.suppress(OSError):  # the program is gone
                replies.send(ending)
    decoder.saved.save()
    decoder.saved.finish()
    os._exit(0)


def _import_numpy() -> None:
    """It takes a tenth of a second, which nobody waits for yet."""
    with contextlib.suppress(ImportError):  # whoever needs it tells
        importlib.import_module("numpy")


def _next(work: "queue.SimpleQueue[Work]", decoder: "Decoder") -> Work:
    """What is to be done next. Saves the state where that is nothing for a while."""
    if decoder.saved.unsaved:
        try:
            return work.get(timeout=SETTLE_S)
        except queue.Empty:
            decoder.saved.save()
    return work.get()


def _answer(command: Generate, decoder: "Decoder", replies: "_Replies") -> Reply:
    try:
        return decoder.generate(command.request, replies.send)
    except AppError as error:
        return Failed(error.info)
    except Exception as error:  # noqa: BLE001 - reported with its traceback; the model stays usable
        return Failed(bug(error).info)


def _read_ahead(command: ReadAhead, decoder: "Decoder") -> Reply:
    try:
        decoder.read_ahead(command.prompt, command.conversation)
    except AppError as error:
        return ReadAheadEnded(error.info)
    except Exception as error:  # noqa: BLE001 - reported with its traceback; the model stays usable
        return ReadAheadEnded(bug(error).info)
    return ReadAheadEnded()


def load_or_tell(
    load: Callable[[Callable[[float], None]], T], send: Callable[[LoadProgress | LoadFailed], None]
) -> T | None:
    """What ``load`` returns, which is handed a function to tell its progress (0 to 1); None where it failed, and that
    was sent."""
    shown = time.perf_counter()

    def progress(done: float) -> None:
        nonlocal shown
        now = time.perf_counter()
        if now - shown >= PROGRESS_S:
            shown = now
            send(LoadProgress(done))

    try:
        return load(progress)
    except Cancelled:
        send(LoadFailed(None))
    except AppError as error:
        send(LoadFailed(error.info))
    except (ImportError, OSError, RuntimeError):
        unavailable = AppError(
            "engine-unavailable",
            "The engine could not be started.",
            "Install the program again; the details say what is missing.",
            detail=traceback.format_exc(),
        )
        send(LoadFailed(unavailable.info))
    except Exception as error:  # noqa: BLE001 - reported with its traceback
        send(LoadFailed(bug(error).info))
    return None


def _load(request: LoadRequest, parent: Parent, progress: Callable[[float], None]) -> "LoadedModel":
    from app.engine.llama import bindings
    from app.engine.llama.load import load

    bindings.start()
    return load(request, lambda: parent.says_stop, progress)


def bug(error: Exception) -> AppError:
    return AppError("engine-bug", "The engine made a mistake of its own.", REPORT, detail=traced(error))


def _read_pipe(parent: Parent, work: "queue.SimpleQueue[Work]", tokenizer: "_Tokenizer") -> None:
    with contextlib.suppress(EOFError, OSError):
        while True:
            command = parent.connection.recv()
            if isinstance(command, Tokenize):
                tokenizer.questions.put(command)
            else:
                work.put(command)
    # The parent closed the pipe or is gone. The main thread saves the conversation, ends the process, and is not waited
    # for long: it may be deep in native code.
    parent.stop[0] = b"\1"
    work.put(None)
    if tokenizer.loaded is not None:
        time.sleep(SAVE_AT_END_S)
    os._exit(0)


class _Tokenizer:
    """On a thread of its own. The parent asks only after the model is loaded."""

    def __init__(self, replies: "_Replies") -> None:
        self._replies = replies
        self.questions: queue.SimpleQueue[Tokenize] = queue.SimpleQueue()
        self.loaded: LoadedModel | None = None

    def run(self) -> None:
        with contextlib.suppress(OSError):  # the program is gone
            while True:
                self._answer(self.questions.get())

    def _answer(self, command: Tokenize) -> None:
        assert self.loaded is not None
        vocabulary = self.loaded.vocabulary
        try:
            ids = [vocabulary.tokenize(text) for text in command.texts]
            if ids and command.add_special and vocabulary.add_bos:
                ids[0] = (vocabulary.bos, *ids[0])
            reply = Tokenized(command.id, tuple(ids))
        except Exception as error:  # noqa: BLE001 - reported with its traceback
            reply = Tokenized(command.id, (), bug(error).info)
        self._replies.send(reply)


class _Replies:
    """The sending end, used by two threads."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()

    def send(self, reply: Reply) -> None:
        with self._lock:
            self._connection.send_bytes(encode(reply))
