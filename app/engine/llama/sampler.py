"""The sampler chain, built in C."""

import ctypes
import secrets
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from app.domain.models import Sampling
from app.engine.llama import bindings
from app.engine.llama.bindings import lib
from app.engine.protocol import Constrained

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PENALTY_WINDOW = 64  # tokens that repeat_penalty looks back
# Nucleus sampling over a whole vocabulary sorts it (milliseconds a token). Where nothing else cuts first, tokens this
# much less likely than the best one are dropped before; together they weigh less than any nucleus leaves out.
FLOOR = 1e-5


class SamplerChain:
    """llama.cpp's samplers in a row: penalties, top_k, top_p, min_p, temperature, draw.

    Without top_k min_p comes first, because it needs no sorting. At temperature 0 the best token is taken.
    ``greedy``: it does nothing else.
    ``close`` frees the chain, which owns its samplers.
    """

    def __init__(self, sampling: Sampling, vocabulary_size: int) -> None:
        self.handle: Any = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params())
        self.greedy = False
        if sampling.repeat_penalty not in (0.0, 1.0):
            self._add(
                lib.llama_sampler_init_penalties(vocabulary_size, PENALTY_WINDOW, sampling.repeat_penalty, 0.0, 0.0)
            )
        if sampling.temperature <= 0:
            self.greedy = sampling.repeat_penalty in (0.0, 1.0)
            self._add(lib.llama_sampler_init_greedy())
            return
        nucleus = sampling.top_p < 1
        if sampling.top_k > 0:
            self._add(lib.llama_sampler_init_top_k(sampling.top_k))
            if nucleus:
                self._add(lib.llama_sampler_init_top_p(sampling.top_p, 1))
            if sampling.min_p > 0:
                self._add(lib.llama_sampler_init_min_p(sampling.min_p, 1))
        else:
            cut = max(sampling.min_p, FLOOR if nucleus else 0.0)
            if cut > 0:
                self._add(lib.llama_sampler_init_min_p(cut, 1))
            if nucleus:
                self._add(lib.llama_sampler_init_top_p(sampling.top_p, 1))
        self._add(lib.llama_sampler_init_temp(sampling.temperature))
        seed = (
            secrets.randbits(32) if sampling.seed is None else sampling.seed % 0xFFFFFFFF
        )  # the largest number means a random seed
        self._add(lib.llama_sampler_init_dist(seed))

    def _add(self, sampler: Any) -> None:
        lib.llama_sampler_chain_add(self.handle, sampler)

    def close(self) -> None:
        if self.handle is not None:
            lib.llama_sampler_free(self.handle)
            self.handle = None


class Logits:
    """Of a context's last token, seen where llama.cpp keeps them."""

    def __init__(self, context: Any, size: int) -> None:
        self._context = context
        self._size = size
        self._address = 0
        self._seen: NDArray[np.float32] | None = None

    def now(self) -> "NDArray[np.float32]":
        """f32, one for each token of the vocabulary; good until the next token is computed."""
        address = bindings.logits(self._context)
        if self._seen is None or address != self._address:  # the buffer grew
            import numpy as np  # the child imports it after the load

            self._address = address
            self._seen = np.frombuffer(memoryview((ctypes.c_float * self._size).from_address(address)), np.float32)
        return self._seen


class Sampler:
    """Draws the next token after the context's last one. ``close`` frees the chain, which is its own."""

    def __init__(self, chain: SamplerChain, context: Any, size: int) -> None:
        """``size``: tokens of the vocabulary."""
        self._chain = chain
        logits = Logits(context, size)
        self._draw: Callable[[], int] = partial(lib.llama_sampler_sample, chain.handle, context, -1)
        if chain.greedy:  # without a candidate for each token of the vocabulary: 20 microseconds instead of 70
            self._draw = lambda: int(logits.now().argmax())

    def sample(self) -> int:
        return self._draw()

    @property
    def report(self) -> Constrained | None:
        return None

    def close(self) -> None:
        self._chain.close()
