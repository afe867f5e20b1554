"""The child process of the embedding model: loads it, turns texts into vectors, ends with the program.

Texts are evaluated one at a time in a context, since a batch in one context is several times slower (attention spans
all of it), and on one thread, since threads that wait for each other disturb the chat model and the window. Several
contexts over the same weights (lanes) use more cores. Passages are for threads that stand back behind the chat and the
window; a question is not. The weights stay in RAM, a GPU's memory is the chat model's. Like ``child`` this module is
imported by the parent, too.
"""

import contextlib
import math
import os
import queue
import sys
import threading
from array import array
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from app.engine.llama.child import bug, load_or_tell
from app.process.messages import Embed, Embedded, EmbedderLoaded
from app.process.parent import Parent

MOST_TOKENS = 1024  # of a text: passages are shorter, and a model's whole context takes memory and seconds
MOST_LANES = 4
CHARACTERS_A_TOKEN = 16  # no more of a text is looked at for each token that fits
NICENESS = 5  # of threads that turn passages into vectors


def run(parent: Parent, path: str) -> None:
    """The process's whole life. ``parent.stop`` ends a load; a text is done too soon to be stopped."""
    parent.take_over()
    send = parent.connection.send
    with contextlib.suppress(EOFError, OSError):  # the parent closed the pipe or is gone
        model = load_or_tell(lambda progress: _load(path, parent, progress), send)
        if model is not None:
            send(EmbedderLoaded(model.dimension, model.lanes))
            while True:
                command = parent.connection.recv()
                assert isinstance(command, Embed)
                send(_answer(model, command))
    os._exit(0)


def _answer(model: "_Model", command: Embed) -> Embedded:
    try:
        return Embedded(b"".join(model.embed(command)))
    except Exception as error:  # noqa: BLE001 - reported with its traceback; the model stays usable
        return Embedded(b"", bug(error).info)


def _load(path: str, parent: Parent, progress: Callable[[float], None]) -> "_Model":
    from app.engine.llama import bindings
    from app.engine.llama.failures import not_an_embedding_model
    from app.engine.llama.load import load_weights
    from app.engine.llama.vocabulary import has_vocabulary
    from app.gguf.files import check_model_file
    from app.gguf.names import display_name
    from app.machine.cores import cores

    bindings.start()
    name = display_name(path)
    weights = load_weights(check_model_file(Path(path))[0], name, lambda: parent.says_stop, progress)
    if not has_vocabulary(weights):
        raise not_an_embedding_model(name)
    return _Model(weights, name, max(1, min(MOST_LANES, cores() // 2)))


class _Model:
    """The weights, and a context for each lane. All of it lives until the process ends."""

    def __init__(self, weights: Any, name: str, lanes: int) -> None:
        """Raises AppError for a model without pooling, and where there is no memory."""
        from app.engine.llama import bindings
        from app.engine.llama.bindings import lib
        from app.engine.llama.failures import load_error, not_an_embedding_model
        from app.process.ending import memory_error

        self._lib = lib
        self._vocabulary = lib.llama_model_get_vocab(weights)
        self._context = min(lib.llama_model_n_ctx_train(weights) or MOST_TOKENS, MOST_TOKENS)
        self.dimension = int(lib.llama_model_n_embd_out(weights))
        self.lanes = lanes
        self._contexts: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._pool = ThreadPoolExecutor(lanes, initializer=_stand_back)
        params = lib.llama_context_default_params()
        params.n_ctx = params.n_batch = params.n_ubatch = self._context  # an encoder takes a text in one piece
        params.n_threads = params.n_threads_batch = 1
        params.embeddings = True
        for _ in range(lanes):
            context = lib.llama_init_from_model(weights, params)
            if not context:
                raise memory_error(name, "\n".join(bindings.take_log()))
            if lib.llama_pooling_type(context) not in _poolings():
                raise not_an_embedding_model(name)
            self._contexts.put(context)
        if not any(self._one("What crashes at the first text does it now.")):
            raise load_error(bindings.take_log(), name)

    def embed(self, command: Embed) -> "list[array[float]]":
        return list((map if command.query else self._pool.map)(self._one, command.texts))

    def _one(self, text: str) -> "array[float]":
        """The vector; all zeros, which is near to nothing, where the model computes none."""
        lib = self._lib
        tokens = self._tokens(text)
        ids = (lib.llama_token * len(tokens))(*tokens)  # the batch only points at them
        batch = lib.llama_batch_get_one(ids, len(ids))
        context = self._contexts.get()
        try:
            memory = lib.llama_get_memory(context)
            if memory:
                lib.llama_memory_clear(memory, False)
            status = (lib.llama_decode if memory else lib.llama_encode)(context, batch)
            found = lib.llama_get_embeddings_seq(context, 0) if status == 0 else None
            return _normalised(array("f", found[: self.dimension] if found else [0.0] * self.dimension))
        finally:
            self._contexts.put(context)

    def _tokens(self, text: str) -> tuple[int, ...]:
        """What fits, with the tokens that the model wants at both ends."""
        from app.engine.llama.vocabulary import tokenize

        tokens = tokenize(self._vocabulary, text[: self._context * CHARACTERS_A_TOKEN], special=False, frame=True)
        if len(tokens) > self._context:
            tokens = (*tokens[: self._context - 1], tokens[-1])
        return tokens or (0,)


def _stand_back() -> None:
    """Of this thread alone, which only Linux can do."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


def _poolings() -> tuple[int, ...]:
    """Ways to one vector for a whole text."""
    from app.engine.llama.bindings import lib

    return lib.LLAMA_POOLING_TYPE_MEAN, lib.LLAMA_POOLING_TYPE_CLS, lib.LLAMA_POOLING_TYPE_LAST


def _normalised(vector: "array[float]") -> "array[float]":
    length = math.sqrt(sum(x * x for x in vector))
    if not 0.0 < length < math.inf:
        return array("f", bytes(4 * len(vector)))
    return array("f", [x / length for x in vector])
