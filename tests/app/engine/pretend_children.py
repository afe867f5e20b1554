"""Child processes without llama.cpp, for the worker's own logic. Spawned processes import this module by its name.

A prompt's first token says what to do: DIE ends the process, anything else is echoed as text, one token a message.
``WAIT`` in the prompt waits for Stop. ``DIE_TWICE`` ends it as DIE does, but not from rung 2 on; ``ABORT`` as a failed
assertion does. Prompts that are read ahead obey the same words.
"""

import contextlib
import json
import os
import signal
import sys
import threading
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from app.domain.errors import ErrorInfo
from app.domain.messages import GenerationStats, StopReason
from app.domain.models import LoadRequest, ModelInfo, Sampling
from app.domain.placement import DeviceShare, Placement
from app.engine.messages import (
    Failed,
    Generate,
    Loaded,
    Made,
    ReadAhead,
    ReadAheadEnded,
    Tokenize,
    Tokenized,
    encode,
)
from app.engine.protocol import Finished, GenerationRequest, Prefill
from app.process.messages import LoadFailed, LoadProgress
from app.process.parent import Parent

DIE, WAIT, FAIL, DIE_TWICE, ABORT = 1000, 1001, 1002, 1003, 1004
SHORT = 77


def info(request: LoadRequest) -> ModelInfo:
    """``context`` tells the rung that was asked for, ``seconds`` the process."""
    return ModelInfo(
        name="pretended",
        path=request.path,
        architecture="none",
        description="",
        size=0,
        parameters=0,
        context=request.rung,
        context_trained=0,
        template="",
        vocabulary="",
        vocabulary_size=0,
        bos="",
        eos="",
        add_bos=False,
        seconds=float(os.getpid()),
    )


def obedient(parent: Parent, request: LoadRequest, states: Any = None) -> None:
    parent.connection.send_bytes(encode(LoadProgress(0.5)))
    parent.connection.send_bytes(encode(Loaded(info(request))))
    lock = threading.Lock()
    busy: list[threading.Thread] = []
    try:
        while True:
            command = parent.connection.recv()
            if isinstance(command, Tokenize):
                ids = tuple(tuple(map(ord, text.text)) for text in command.texts)
                with lock:
                    parent.connection.send_bytes(encode(Tokenized(command.id, ids)))
            elif isinstance(command, Generate | ReadAhead):
                work = _generate if isinstance(command, Generate) else _read_ahead
                arguments = (parent, command, lock, request.rung)
                busy.append(threading.Thread(target=work, args=arguments, daemon=True))
                busy[-1].start()
    except (EOFError, OSError):
        return


def _generate(parent: Parent, command: Generate, lock: threading.Lock, rung: int) -> None:
    prompt = command.request.prompt

    def send(message: object) -> None:
        with lock:
            parent.connection.send_bytes(encode(message))

    send(Prefill(len(prompt), len(prompt), 0))
    for token in prompt:
        if token == DIE or (token == DIE_TWICE and rung < 2):
            os.kill(os.getpid(), signal.SIGKILL)
        if token == FAIL:
            send(Failed(ErrorInfo("too-bad", "Too bad.")))
            return
        if token == WAIT:
            send(Made((WAIT,), ("",), (False,)))
            while parent.stop[0] == b"\0":
                threading.Event().wait(0.002)
        if parent.stop[0] != b"\0":
            send(Finished(StopReason.CANCELLED, GenerationStats(len(prompt))))
            return
        send(Made((token,), (chr(token),), (False,)))
    send(Finished(StopReason.STOP, GenerationStats(len(prompt))))


def _read_ahead(parent: Parent, command: ReadAhead, lock: threading.Lock, _rung: int) -> None:
    for token in command.prompt:
        if token == DIE:
            os.kill(os.getpid(), signal.SIGKILL)
        if token == ABORT:
            os.abort()
        while token == WAIT and parent.stop[0] == b"\0":
            threading.Event().wait(0.002)
    with lock:
        parent.connection.send_bytes(
            encode(ReadAheadEnded(ErrorInfo("too-bad", "Too bad.") if FAIL in command.prompt else None))
        )


def placed(parent: Parent, request: LoadRequest, states: Any = None) -> None:
    """Answers at a speed that its placement decides, in figures it makes up: without flash attention twice as fast. The
    mapped file is its death. Quick to load, in a corner of memory; the context tells whether it is the variant. Beside
    a file MODEL.slow a timed answer takes until it is stopped, and MODEL.asked says that it has begun; beside
    MODEL.silent nothing is written. A context of SHORT needs the next rung's plan."""
    if request.context == SHORT and request.rung == 0:
        parent.connection.send_bytes(encode(LoadFailed(ErrorInfo("not-enough-memory", "Too large."))))
        return
    if request.variant.mapped:
        os.abort()
    without = request.variant.flash_attention is False
    share = DeviceShare("RAM", "ram", 1 << 40, 1 << 39, 1 << 20, 0, 0, 0)
    placement = Placement(
        "pretended", 2048, 2048, 2, 0, 0, 0, ("f16", "f16"), 512, 1 << 20, (share,), 0, 10.0, False, True, "", ""
    )
    model = replace(info(request), placement=placement, seconds=0.1, context=4000 if without else 2048)
    parent.connection.send_bytes(encode(Loaded(model)))
    with contextlib.suppress(EOFError, OSError):
        while True:
            command = parent.connection.recv()
            if isinstance(command, Tokenize):
                ids = tuple(tuple(map(ord, text.text)) for text in command.texts)
                parent.connection.send_bytes(encode(Tokenized(command.id, ids)))
            elif isinstance(command, Generate):
                count = len(command.request.prompt)
                written = 0 if Path(f"{request.path}.silent").exists() else 32
                stats = GenerationStats(count, 0, written, count / 100, 32 / (20 if without else 10))
                timed = command.request.max_tokens is not None
                while timed and Path(f"{request.path}.slow").exists() and parent.stop[0] == b"\0":
                    Path(f"{request.path}.asked").touch()
                    threading.Event().wait(0.002)
                reason = StopReason.STOP if parent.stop[0] == b"\0" else StopReason.CANCELLED
                parent.connection.send_bytes(encode(Finished(reason, stats)))
            elif isinstance(command, ReadAhead):
                parent.connection.send_bytes(encode(ReadAheadEnded()))


def never_loads(parent: Parent, request: LoadRequest, states: Any = None) -> None:
    """Until it is stopped."""
    parent.connection.send_bytes(encode(LoadProgress(0.1)))
    while parent.stop[0] == b"\0":
        threading.Event().wait(0.002)
    parent.connection.send_bytes(encode(LoadFailed(None)))


def cannot_load(parent: Parent, request: LoadRequest, states: Any = None) -> None:
    parent.connection.send_bytes(encode(LoadFailed(ErrorInfo("too-bad", "Too bad."))))


def needs_rung_2(parent: Parent, request: LoadRequest, states: Any = None) -> None:
    """Killed at rung 0 as by the system, a sentence at rung 1, obedient from then on."""
    if request.rung == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    if request.rung == 1:
        parent.connection.send_bytes(encode(LoadFailed(ErrorInfo("not-enough-memory", "There is not enough memory."))))
        return
    obedient(parent, request, states)


def dies_loading(parent: Parent, request: LoadRequest, states: Any = None) -> None:
    with open(parent.log_path, "a", encoding="utf-8") as file:  # noqa: PTH123 - like the child's own standard error
        file.write("assertion failed: too bad")
    os.abort()


def tells_modules(parent: Parent, request: LoadRequest, states: Any = None) -> None:
    """Really loads the model, and says in place of its template which modules that took."""
    from app.engine.llama import bindings
    from app.engine.llama.decoder import Decoder
    from app.engine.llama.load import load

    bindings.start()
    loaded = load(request, lambda: False, lambda done: None)
    Decoder(loaded, parent.stop)
    parent.connection.send_bytes(encode(Loaded(replace(loaded.info, template=" ".join(sys.modules)))))


def tells_processors(parent: Parent, request: LoadRequest, states: Any = None) -> None:
    """Really loads the model and answers, and says in place of its template which processors its computing threads may
    use meanwhile, and afterwards the one that asked."""
    from app.engine.llama import bindings
    from app.engine.llama.decoder import Decoder
    from app.engine.llama.load import load

    bindings.start()
    before, meanwhile = set(Path("/proc/self/task").iterdir()), []
    loaded = load(request, lambda: False, lambda done: None)
    decoder = Decoder(loaded, parent.stop)

    def emit(event: object) -> None:
        if isinstance(event, Made):
            made = set(Path("/proc/self/task").iterdir()) - before
            meanwhile.append(
                [sorted(os.sched_getaffinity(thread)) for thread in (0, *(int(path.name) for path in made))]
            )

    decoder.generate(GenerationRequest(tuple(range(40, 80)), Sampling(temperature=0), max_tokens=8), emit)
    said = json.dumps({"meanwhile": meanwhile[0], "after": sorted(os.sched_getaffinity(0))})
    parent.connection.send_bytes(encode(Loaded(replace(loaded.info, template=said))))


def hangs(parent: Parent, request: LoadRequest, states: Any = None) -> None:
    """Loads, and then neither answers nor ends."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    parent.connection.send_bytes(encode(Loaded(info(request))))
    threading.Event().wait()


def reads_text(connection: Connection, path: str) -> None:
    """Not an engine: tokenizes every text it gets and answers (ids, bytes of the pieces, text of the stream)."""
    from app.domain.models import PromptText
    from app.engine.llama import bindings
    from app.engine.llama.text import TextStream
    from app.engine.llama.vocabulary import Vocabulary

    bindings.start()
    params = bindings.lib.llama_model_default_params()
    params.vocab_only = True
    vocabulary = Vocabulary(bindings.lib.llama_model_load_from_file(os.fsencode(path), params))
    connection.send(vocabulary.size)
    while True:
        try:
            text, special = connection.recv()
        except EOFError:
            return
        ids = vocabulary.tokenize(PromptText(text, special))
        stream = TextStream()
        connection.send(
            (ids, b"".join(map(vocabulary.piece, ids)), "".join(stream.feed(vocabulary.piece(i)) for i in ids))
        )
