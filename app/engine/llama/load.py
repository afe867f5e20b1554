"""From a file to a model that is ready to answer."""

import ctypes
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.domain.errors import Cancelled
from app.domain.models import LoadRequest, ModelInfo, PromptText
from app.engine.learned.saved_states import key_of
from app.engine.llama import bindings
from app.engine.llama.bindings import lib
from app.engine.llama.failures import load_error, not_a_chat_model
from app.engine.llama.placing import context_params, decide, model_params, places, this_machine
from app.engine.llama.vocabulary import Vocabulary, has_vocabulary
from app.engine.placement.plan import Plan
from app.gguf.files import check_model_file, fingerprint
from app.gguf.names import display_name
from app.gguf.sampling import stated_sampling
from app.machine.cores import cores
from app.process.ending import memory_error

# Text whose UTF-8 has almost every byte that UTF-8 can have.
EVERY_KIND_OF_BYTE = "".join(map(chr, (*range(1, 0x800), *range(0x1000, 0xD000, 0x1000), 0x1F600, 0x10FFFD)))

TRIED = 33  # tokens: AMX has other kernels for more than one, which take 32 at a time


@dataclass(frozen=True, slots=True)
class Threads:
    """At most so many for the answer, so many for the prompt. ``fixed``: the person decided."""

    decode: int
    prompt: int
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """Model, context and vocabulary. It lives until the process ends, which gives everything back at once.

    ``state_key`` is the same for two processes that can read each other's states.
    """

    model: Any
    context: Any
    vocabulary: Vocabulary
    info: ModelInfo
    threads: Threads
    state_key: str


def load(request: LoadRequest, stop: Callable[[], bool], progress: Callable[[float], None]) -> LoadedModel:
    """Load and try a token. ``progress`` gets 0 to 1. Raises AppError, and Cancelled when ``stop`` says so."""
    started = time.perf_counter()
    bindings.take_log()
    name = display_name(request.path)
    parts = check_model_file(Path(request.path))
    plan = decide(request, parts[0], this_machine())
    model = load_weights(parts[0], name, stop, progress, plan, request.rung)
    if not has_vocabulary(model):
        raise not_a_chat_model(name)
    vocabulary = Vocabulary(model)
    trained = int(lib.llama_model_n_ctx_train(model))
    threads = _threads(request)
    params = context_params(plan, request, trained)
    context = _make_context(model, params, threads, name)
    _try(context, vocabulary, name, tokens=min(TRIED, params.n_batch) if plan and plan.amx else 1)
    info = _describe(model, context, vocabulary, request.path, trained, plan, time.perf_counter() - started)
    return LoadedModel(model, context, vocabulary, info, threads, _state_key(parts, params, context))


def _threads(request: LoadRequest) -> Threads:
    prompt = request.threads_batch or request.threads or cores()
    return Threads(request.threads or cores(), prompt, fixed=request.threads is not None)


def _state_key(parts: Sequence[Path], params: Any, context: Any) -> str:
    """Everything that decides what the bytes of a state mean."""
    return key_of(
        fingerprint(parts),
        lib.LLAMA_STATE_SEQ_VERSION,
        bindings.build(),
        params.type_k,
        params.type_v,
        params.flash_attn_type,
        params.swa_full,
        params.kv_unified,
        lib.llama_n_seq_max(context),
    )


def load_weights(
    path: Path,
    name: str,
    stop: Callable[[], bool],
    progress: Callable[[float], None],
    plan: Plan | None = None,
    rung: int = 0,
) -> Any:
    """A llama_model. Raises AppError, and Cancelled when ``stop`` says so."""

    def on_progress(done: float, _user: int | None) -> bool:
        progress(done)
        return not stop()

    params, keep = model_params(plan, rung=rung)
    params.progress_callback = callback = lib.llama_progress_callback(on_progress)
    model = lib.llama_model_load_from_file(os.fsencode(path), params)
    del callback, keep  # C used them until here
    if model:
        return model
    if stop():
        raise Cancelled
    raise load_error(bindings.take_log(), name)


def _make_context(model: Any, params: Any, threads: Threads, name: str) -> Any:
    params.n_threads = threads.decode
    params.n_threads_batch = threads.prompt
    context = lib.llama_init_from_model(model, params)
    if not context:
        log = bindings.take_log()
        raise memory_error(name, "\n".join(log)) if _is_memory(log) else load_error(log, name)
    if not lib.llama_get_memory(context):
        raise not_a_chat_model(name)
    return context


def _is_memory(log: Sequence[str]) -> bool:
    return any("allocate" in line or "memory module" in line or "reserve" in line for line in log)


def _try(context: Any, vocabulary: Vocabulary, name: str, *, tokens: int) -> None:
    """Evaluate a few tokens: what crashes or fails at the first ones does it now, not in the middle of a chat.

    So does a vocabulary that cannot spell every text.
    """
    vocabulary.tokenize(PromptText(EVERY_KIND_OF_BYTE))
    token = next(t for t in (vocabulary.bos, vocabulary.eos, 0) if t >= 0)
    prompt = (lib.llama_token * tokens)(*[token] * tokens)
    if lib.llama_decode(context, lib.llama_batch_get_one(prompt, tokens)) != 0:
        raise load_error(bindings.take_log(), name)
    lib.llama_synchronize(context)
    lib.llama_memory_clear(lib.llama_get_memory(context), False)


def _meta(model: Any, key: str) -> str:
    """A value of the file's metadata as text, "" where there is none; lists are not available."""
    size = 256
    while True:
        buffer = ctypes.create_string_buffer(size)
        length = lib.llama_model_meta_val_str(model, key.encode(), buffer, size)
        if length < size:
            return buffer.value.decode("utf-8", "replace") if length > 0 else ""
        size = length + 1


def _describe(
    model: Any,
    context: Any,
    vocabulary: Vocabulary,
    path: str,
    trained: int,
    plan: Plan | None,
    seconds: float,
) -> ModelInfo:
    buffer = ctypes.create_string_buffer(256)
    lib.llama_model_desc(model, buffer, len(buffer))
    return ModelInfo(
        name=display_name(path),
        path=path,
        architecture=_meta(model, "general.architecture"),
        description=buffer.value.decode("utf-8", "replace"),
        size=int(lib.llama_model_size(model)),
        parameters=int(lib.llama_model_n_params(model)),
        context=int(lib.llama_n_ctx(context)),
        context_trained=trained,
        template=_meta(model, "tokenizer.chat_template"),
        vocabulary=vocabulary.fingerprint,
        vocabulary_size=vocabulary.size,
        bos=vocabulary.spelling(vocabulary.bos),
        eos=vocabulary.spelling(vocabulary.eos),
        add_bos=vocabulary.add_bos,
        eog_ids=vocabulary.eog,
        control_tokens={vocabulary.spelling(token): token for token in sorted(vocabulary.control)},
        devices=places(plan),
        seconds=seconds,
        backends=bindings.backends(),
        placement=plan.shown() if plan is not None else None,
        sampling=stated_sampling(lambda key: _meta(model, key)),
    )
