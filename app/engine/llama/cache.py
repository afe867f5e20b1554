"""What the model remembers: the tokens in its memory (KV cache, recurrent state), cut, copied out and put back.

Most memories can be cut anywhere. Those of hybrid and recurrent models, and a sliding window that forgets, cannot; for
them copies of the part that forgets are kept at places where prompts are likely to part again (``checkpoint``), as
llama.cpp's server does (tools/server/server-context.cpp).

A recurrent state (hybrid models have one, too) is written over in place, layer by layer. Where llama.cpp breaks off a
micro-batch, it is neither the old nor the new one, and llama.cpp, which cannot take its end away, counts that
micro-batch as done. Only a copy leads back (``way_back``).
"""

import ctypes
from collections.abc import Sequence
from typing import Any

from app.engine.learned.saved_states import Blob, SavedState
from app.engine.llama import bindings
from app.engine.llama.bindings import lib
from app.engine.prefix import common_prefix

SEQUENCE = 0
MOST_CHECKPOINTS = 8
CHECKPOINT_BYTES = 1 << 30  # of all together
CHECKPOINT_APART = 64  # tokens


class Cache:
    """Sequence 0 of a context, and which tokens are in it.

    ``tokens``: those whose keys and values are there.
    ``recurrent``: an evaluation that is broken off leaves it in pieces.
    ``forgets``: it may be one that cannot be cut everywhere.
    """

    def __init__(self, context: Any, model: Any) -> None:
        self._context = context
        self._memory = lib.llama_get_memory(context)
        self._window = max(1, int(lib.llama_model_n_swa(model)))
        self._checkpoints: list[Blob] = []
        self._passing = 0  # the place of one that the next of its kind replaces
        self.recurrent = bool(lib.llama_model_is_recurrent(model) or lib.llama_model_is_hybrid(model))
        self.forgets = self._window > 1 or self.recurrent
        self.size = int(lib.llama_n_ctx(context))
        self.tokens: list[int] = []

    @property
    def last_checkpoint(self) -> int:
        """Its place, 0 where there is none."""
        return self._checkpoints[-1].at if self._checkpoints else 0

    def reach(self, prompt: Sequence[int]) -> int:
        """How many of the prompt's tokens need no evaluation. The last one always does, for its logits."""
        shared = common_prefix(self.tokens, prompt[:-1])
        if shared == len(self.tokens) or self._can_cut(shared):
            return shared
        return max((blob.at for blob in self._checkpoints if blob.at <= shared), default=0)

    def keep(self, prompt: Sequence[int]) -> int:
        """Forget what the prompt does not start with. Returns how many tokens are left."""
        shared = common_prefix(self.tokens, prompt[:-1])
        if shared < len(self.tokens):
            if not (self._can_cut(shared) and lib.llama_memory_seq_rm(self._memory, SEQUENCE, shared, -1)):
                shared = self._go_back(shared)
            del self.tokens[shared:]
            self._checkpoints = [blob for blob in self._checkpoints if blob.at <= shared]
        return shared

    def checkpoint(self, *, passing: bool = False) -> None:
        """Remember this place, where the memory may not come back to it by itself.

        A window may, but a copy of it holds only what the next token looks back at.
        ``passing``: until the next such place, so that an answer of many rounds does not push out the place where it
        began.
        """
        here = len(self.tokens)
        if not self.forgets or here - self.last_checkpoint < CHECKPOINT_APART:
            return
        data = self._copy(lib.LLAMA_STATE_SEQ_FLAGS_PARTIAL_ONLY)
        if data is not None and len(data) * 2 <= CHECKPOINT_BYTES:
            if passing:
                if self._passing and self._passing == self.last_checkpoint:
                    del self._checkpoints[-1]
                self._passing = here
            self._checkpoints.append(Blob(here, data))
            while len(self._checkpoints) > min(MOST_CHECKPOINTS, CHECKPOINT_BYTES // len(data)):
                del self._checkpoints[0]

    def way_back(self) -> Blob | None:
        """For ``resync``: what an evaluation that is broken off would spoil, where no checkpoint holds it."""
        here = len(self.tokens)
        if not self.recurrent or here == self.last_checkpoint:
            return None
        data = self._copy(lib.LLAMA_STATE_SEQ_FLAGS_PARTIAL_ONLY)
        return Blob(here, data) if data is not None else None

    def copy_bytes(self) -> int:
        """Of a copy, as ``copy`` makes it."""
        whole = int(lib.llama_state_seq_get_size_ext(self._context, SEQUENCE, lib.LLAMA_STATE_SEQ_FLAGS_NONE))
        return whole + sum(len(blob.data) for blob in self._checkpoints)

    def copy(self) -> SavedState | None:
        """Everything, to be put back later. None where llama.cpp cannot."""
        data = self._copy(lib.LLAMA_STATE_SEQ_FLAGS_NONE)
        whole = not self.forgets
        return None if data is None else SavedState(tuple(self.tokens), data, whole, tuple(self._checkpoints))

    def restore(self, saved: SavedState) -> bool:
        """Put a copy in place of what is there.

        False where it is of other tokens or none at all; the memory is empty then.
        """
        self.clear()
        if not self._put(saved.state, lib.LLAMA_STATE_SEQ_FLAGS_NONE) or self._length() != len(saved.tokens):
            self.clear()
            bindings.take_log()
            return False
        self.tokens = list(saved.tokens)
        self._checkpoints = list(saved.checkpoints)
        return True

    def clear(self) -> None:
        lib.llama_memory_clear(self._memory, True)
        self.tokens.clear()
        self._checkpoints.clear()

    def resync(self, tokens: Sequence[int], way_back: Blob | None) -> None:
        """Find out what is there after an abort in evaluating ``tokens``.

        Micro-batches that were finished stay in the memory. A recurrent one goes ``way_back``, or to a checkpoint.
        """
        known = len(self.tokens)
        there = self._go_back(known, way_back) if self.recurrent else self._length()
        self.tokens.extend(tokens[: max(0, there - known)])
        del self.tokens[max(0, there) :]

    def _length(self) -> int:
        """How many tokens llama.cpp holds."""
        return int(lib.llama_memory_seq_pos_max(self._memory, SEQUENCE)) + 1

    def _can_cut(self, place: int) -> bool:
        """Whether everything that the token at ``place`` looks back at is there.

        A recurrent state is of the last token only; a window that forgets begins late.
        """
        first = int(lib.llama_memory_seq_pos_min(self._memory, SEQUENCE))
        return first <= 0 or first < place - self._window

    def _go_back(self, place: int, way_back: Blob | None = None) -> int:
        for blob in reversed([*self._checkpoints, *([way_back] if way_back is not None else [])]):
            if blob.at > place or not self._put(blob.data, lib.LLAMA_STATE_SEQ_FLAGS_PARTIAL_ONLY):
                continue
            if lib.llama_memory_seq_rm(self._memory, SEQUENCE, blob.at, -1) and self._length() == blob.at:
                return blob.at
        lib.llama_memory_clear(self._memory, True)
        return 0

    def _copy(self, flags: int) -> memoryview | None:
        size = int(lib.llama_state_seq_get_size_ext(self._context, SEQUENCE, flags))
        try:
            data = (ctypes.c_uint8 * size)()
        except MemoryError:
            return None
        written = int(lib.llama_state_seq_get_data_ext(self._context, data, size, SEQUENCE, flags))
        return memoryview(data).cast("B")[:written] if 0 < written <= size else None

    def _put(self, data: bytes | bytearray | memoryview, flags: int) -> bool:
        whole = (ctypes.c_uint8 * len(data)).from_buffer(data)
        return int(lib.llama_state_seq_set_data_ext(self._context, whole, len(data), SEQUENCE, flags)) == len(data)
