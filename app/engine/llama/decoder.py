"""The loop: prompt in, tokens out, with what the memory already holds kept."""

import contextlib
import ctypes
import time
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from app.domain.errors import AppError
from app.domain.messages import GenerationStats, StopReason
from app.engine.learned.saved_states import Blob, StateFolder
from app.engine.llama import bindings
from app.engine.llama.answer import AnswerWriter
from app.engine.llama.bindings import lib
from app.engine.llama.cache import SEQUENCE, Cache
from app.engine.llama.constrained import ConstrainedSampler
from app.engine.llama.failures import prompt_too_long
from app.engine.llama.load import LoadedModel
from app.engine.llama.pinning import Pinning
from app.engine.llama.sampler import Sampler, SamplerChain
from app.engine.llama.saver import SavedCache
from app.engine.messages import Made
from app.engine.protocol import Finished, GenerationRequest, Prefill
from app.machine.cores import cores
from app.machine.threads import ThreadControl

# Return codes of llama_decode (llama.h); below DECODE_INVALID the memory may be in any state.
DECODE_OK, DECODE_NO_ROOM, DECODE_ABORTED, DECODE_INVALID = 0, 1, 2, -1
# Tokens at a prompt's end that the next prompt may spell otherwise: where the template opens the answer.
OPENING = 16
LONG = 4096  # tokens of a prompt after which its way is marked, too

Emit = Callable[[Prefill | Made], None]


class ContextFull(Exception):
    """No cell of the KV cache is free for the next token."""


class Stopped(Exception):
    """The shared byte is set."""


class Decoder:
    """Owns the context of one model. One generation at a time, all on one thread.

    ``stop`` is the two-byte buffer that another process writes to: the first byte stops, the second stays 0.
    """

    def __init__(self, loaded: LoadedModel, stop: Any, states: StateFolder | None = None) -> None:
        self._context = loaded.context
        self._vocabulary = loaded.vocabulary
        self._cache = Cache(loaded.context, loaded.model)
        self.saved = SavedCache(self._cache, states, loaded.state_key)
        self._threads = loaded.threads
        threads = loaded.threads
        self._pinning = Pinning(loaded.context, cores(), max(threads.decode, threads.prompt))
        pinned = self._pinning.possible and threads.decode == cores()
        self._control = ThreadControl(threads.decode, fixed=threads.fixed, pinned=pinned)
        self._step = int(lib.llama_n_batch(loaded.context))
        self._batch = _Batch(self._step)
        self._stop = stop
        self._callback = bindings.abort_callback()  # C keeps it
        self._break_off(True)

    def generate(self, request: GenerationRequest, emit: Emit) -> Finished:
        """Raises AppError where the prompt does not fit or the computation fails."""
        started = time.perf_counter()
        prompt = request.prompt
        if len(prompt) >= self._cache.size:
            raise prompt_too_long(len(prompt), self._cache.size)
        reuse = self.saved.make_ready(prompt, request.conversation, goes_on=request.round > 0)
        answer = AnswerWriter(request, self._vocabulary, emit)
        chain = SamplerChain(request.sampling, self._vocabulary.size)
        sampler = self._sampler(chain, request)
        read = 0.0
        reason, eog = StopReason.CANCELLED, None
        try:
            self._read_prompt(prompt, reuse.kept, emit, passing=request.round > 0)
            read = time.perf_counter()
            reason, eog = self._write(sampler, answer)
        except ContextFull:
            reason = StopReason.CONTEXT_FULL
        except Stopped:
            reason = StopReason.CANCELLED
        finally:
            self._pinning.release()
            sampler.close()
        answer.flush()
        ended = time.perf_counter()
        stats = GenerationStats(
            prompt_tokens=len(prompt),
            cached_tokens=reuse.kept,
            generated_tokens=answer.count,
            prefill_s=(read or ended) - started,
            decode_s=ended - read if read else 0.0,
            ttft_s=answer.first - started if answer.first else 0.0,
            cached_from=reuse.source,
            known_tokens=reuse.known,
            restore_s=reuse.seconds,
        )
        return Finished(reason, stats, eog, sampler.report)

    def _sampler(self, chain: SamplerChain, request: GenerationRequest) -> Sampler:
        if request.grammar is None:
            return Sampler(chain, self._context, self._vocabulary.size)
        sampler = ConstrainedSampler(chain, self._context, self._vocabulary, request.grammar)
        sampler.went_on(request.prompt)
        return sampler

    def read_ahead(self, prompt: Sequence[int], conversation: str) -> None:
        """Evaluate what the conversation's next prompt begins with, until it is done or stopped."""
        kept = self.saved.begin_reading_ahead(prompt, conversation)
        if kept is not None:
            try:
                with contextlib.suppress(Stopped, ContextFull):
                    self._read_prompt(prompt, kept, lambda _: None, opening=0)
            finally:
                self._pinning.release()

    def _break_off(self, wanted: bool) -> None:
        """Whether Stop ends an evaluation in its middle; between two of them it always does."""
        callback = self._callback if wanted else lib.ggml_abort_callback(0)
        lib.llama_set_abort_callback(self._context, callback, ctypes.addressof(self._stop))

    def _set_threads(self, decode: int, prompt: int) -> None:
        self._pinning.use(max(decode, prompt))
        lib.llama_set_n_threads(self._context, decode, prompt)

    def _read_prompt(
        self, prompt: Sequence[int], cached: int, emit: Emit, *, opening: int = OPENING, passing: bool = False
    ) -> None:
        total = len(prompt)
        emit(Prefill(cached, total, cached))
        # A memory that cannot be cut everywhere comes back to where the question ends: other answers part there.
        turn = total - opening if self._cache.forgets else 0
        self._break_off(True)
        start = cached
        self._control.arrive(time.perf_counter())
        while start < total:
            end = min(start + self._step, total)
            if start < turn < end:  # a piece may not cross the place that is to be remembered
                end = turn
            threads = self._control.piece(time.perf_counter())
            most = self._threads.prompt  # a person may have wished for fewer
            self._set_threads(self._control.threads, most if self._threads.fixed else min(most, threads))
            self._evaluate(prompt[start:end], last=end == total, way_back=self._cache.way_back())
            if end == turn or end - self._cache.last_checkpoint >= LONG:
                self._cache.checkpoint(passing=passing and end >= turn)
            emit(Prefill(end, total, cached))
            start = end

    def _write(self, sampler: Sampler, answer: AnswerWriter) -> tuple[StopReason, int | None]:
        """Write the answer. Returns why it ended, and the token that ended it.

        May raise ContextFull, Stopped. Between two tokens there is only what the next one needs: every cache is cold
        then.
        """
        # Local names: each look-up of an attribute touches a cache line more.
        sample, keep, decode, place = sampler.sample, answer.pending.append, lib.llama_decode, self._batch.place
        eog, room, limit = self._vocabulary.eog, self._cache.size, answer.limit
        context, tokens, batch, stop = self._context, self._cache.tokens, self._batch.struct, self._stop
        clock, control = time.perf_counter, self._control
        last = clock()
        threads = control.begin(last)
        self._set_threads(threads, threads)
        self._break_off(not self._cache.recurrent)  # a token is soon done, and its memory would be lost
        if limit <= 0:
            return StopReason.LENGTH, None
        count, due, patience = 0, answer.due, control.patience
        times: list[float] = []
        while True:
            token = sample()
            now = clock()
            if token in eog:
                answer.first = answer.first or now
                return StopReason.STOP, token
            keep(token)  # its text waits for a batch
            times.append(now)
            count += 1
            if now >= due or now - last > patience:  # a batch is due, or a token took suspiciously long
                if answer.take(now):
                    return StopReason.STOP, None
                if (wanted := control.tokens(times)) != threads:
                    threads = wanted
                    self._set_threads(threads, threads)
                times.clear()
                due, patience = answer.due, control.patience
            last = now
            if count >= limit:
                return StopReason.LENGTH, None
            if len(tokens) >= room:
                return StopReason.CONTEXT_FULL, None
            if stop[0] != b"\0":
                raise Stopped
            place(token, len(tokens))
            code = decode(context, batch)
            if code != DECODE_OK:
                self._give_up(code, (token,))
            tokens.append(token)

    def _evaluate(self, tokens: Sequence[int], *, last: bool, way_back: Blob | None) -> None:
        """Put tokens behind what is in the cache.

        ``last``: logits of the last one are wanted.
        ``way_back``: of the cache as it is now.
        """
        if self._stop[0] != b"\0":
            raise Stopped
        self._batch.fill(tokens, len(self._cache.tokens), logits=last)
        code = lib.llama_decode(self._context, self._batch.struct)
        if code != DECODE_OK:
            self._give_up(code, tokens, way_back)
        self._cache.tokens.extend(tokens)

    def _give_up(self, code: int, tokens: Sequence[int], way_back: Blob | None = None) -> NoReturn:
        """Says why these tokens were not computed. Raises Stopped, ContextFull, AppError."""
        if code == DECODE_ABORTED:  # the callback of ``_break_off`` said so
            self._cache.resync(tokens, way_back)
            raise Stopped
        if code == DECODE_NO_ROOM:
            raise ContextFull
        if code < DECODE_INVALID:  # an error in the middle of the graph, unlike a batch that was refused
            self._cache.clear()
        raise AppError(
            "decode-failed",
            "The model could not compute the next token.",
            "Try again; if it happens again, load the model with a smaller context.",
            detail="\n".join([f"llama_decode returned {code}", *bindings.take_log()]),
        )


class _Batch:
    """A ``llama_batch`` over arrays of our own, filled in place."""

    def __init__(self, size: int) -> None:
        self._token = (lib.llama_token * size)()
        self._position = (lib.llama_pos * size)()
        self._logits = (ctypes.c_int8 * size)()
        self._sequence = (lib.llama_seq_id * 1)(SEQUENCE)
        one = ctypes.POINTER(lib.llama_seq_id)
        self._sequences = (one * size)(*[ctypes.cast(self._sequence, one)] * size)
        self._sequence_counts = (ctypes.c_int32 * size)(*[1] * size)
        self.struct = lib.llama_batch()
        self.struct.token = ctypes.cast(self._token, ctypes.POINTER(lib.llama_token))
        self.struct.pos = ctypes.cast(self._position, ctypes.POINTER(lib.llama_pos))
        self.struct.n_seq_id = ctypes.cast(self._sequence_counts, ctypes.POINTER(ctypes.c_int32))
        self.struct.seq_id = ctypes.cast(self._sequences, ctypes.POINTER(one))
        self.struct.logits = ctypes.cast(self._logits, ctypes.POINTER(ctypes.c_int8))

    def fill(self, tokens: Sequence[int], position: int, *, logits: bool) -> None:
        """``logits``: of the last one."""
        count = len(tokens)
        self._token[:count] = tokens
        self._position[:count] = range(position, position + count)
        ctypes.memset(self._logits, 0, count)
        self._logits[count - 1] = logits
        self.struct.n_tokens = count

    def place(self, token: int, position: int) -> None:
        """One token, and its logits."""
        self._token[0] = token
        self._position[0] = position
        self._logits[0] = True
        self.struct.n_tokens = 1
