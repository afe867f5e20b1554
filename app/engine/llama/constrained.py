"""Keeps tool calls to a grammar, from their opener on; everything else is free and costs nothing.

A token is drawn as usual and kept if the grammar takes it. Otherwise, where the grammar is at an end, the call is over;
and where it is not, another token is drawn among those that it takes. Looking at them all costs milliseconds; trying
one costs microseconds.
"""

import ctypes
import math
from collections import deque
from collections.abc import Sequence
from typing import Any

from app.domain.models import CallGrammar, PromptText
from app.engine.llama.bindings import lib
from app.engine.llama.openers import PhraseWatch
from app.engine.llama.rules import CallRules
from app.engine.llama.sampler import Logits, Sampler, SamplerChain
from app.engine.llama.vocabulary import Vocabulary
from app.engine.protocol import Constrained

MAX_TOKENS = 8192  # of one call
MAX_REPLACED = 256  # tokens replaced in a row: the model wants something else altogether
LOOK_BACK, MAX_PERIOD = 192, 24  # as many tokens that repeat after at most so many are a loop
TRIES = 4  # draws among the tokens that the grammar takes, before it is given up


class ConstrainedSampler(Sampler):
    def __init__(self, chain: SamplerChain, context: Any, vocabulary: Vocabulary, grammar: CallGrammar) -> None:
        super().__init__(chain, context, vocabulary.size)
        self._grammar = grammar
        self._vocabulary = vocabulary
        self._watch = PhraseWatch(grammar) if grammar.phrases else None
        self._rules = CallRules(vocabulary, grammar)
        self._candidates: _Candidates | None = None
        self._context = context
        self._armed = False
        self._recent: deque[int] = deque(maxlen=LOOK_BACK)
        self._calls = self._replaced = self._in_a_row = self._count = 0
        self._dropped = ""

    def went_on(self, prompt: Sequence[int]) -> None:
        """Follow the prompt's last tokens, where the model wrote them."""
        for token in prompt[len(prompt) - self._grammar.begun :] if self._grammar.begun else ():
            if not self._armed:
                self._look(token)
            elif self._rules.takes(token):
                self._rules.accept(token)
            else:
                self._armed = False

    @property
    def report(self) -> Constrained | None:
        return Constrained(self._calls, self._replaced, self._dropped)

    def close(self) -> None:
        self._rules.close()
        if self._candidates is not None:
            self._candidates.close()
        super().close()

    def sample(self) -> int:
        token = self._kept() if self._armed else self._draw()
        if not self._armed:
            self._look(token)
        return token

    # -- free text

    def _look(self, token: int) -> None:
        """Whether a call opens with this token."""
        if self._dropped:
            return
        if token in self._grammar.openers:
            self._arm((token,))
        elif self._watch is not None:
            piece = self._vocabulary.piece(token)
            if opened := self._watch.feed(b"\0" + piece if token in self._vocabulary.control else piece):
                self._arm(self._tokens(opened.replace(b"\0", b"")))

    def _tokens(self, data: bytes) -> Sequence[int]:
        """Tokens of this text, for the grammar, which sees their characters only. None where they cannot be had."""
        try:
            tokens = self._vocabulary.tokenize(PromptText(data.decode()))
        except UnicodeDecodeError:
            return ()
        return tokens if b"".join(map(self._vocabulary.piece, tokens)) == data else ()

    def _arm(self, opened: Sequence[int]) -> None:
        if not opened:
            return
        if not self._rules.restart():
            self._drop("invalid")
            return
        for token in opened:
            if not self._rules.takes(token):
                return
            self._rules.accept(token)
        self._armed = True
        self._calls += 1
        self._count = self._in_a_row = 0
        self._recent.clear()

    # -- inside a call

    def _kept(self) -> int:
        """The next token of a call."""
        if self._candidates is None:
            self._candidates = _Candidates(self._context, self._vocabulary.size)
        handle = self._chain.handle
        token = wished = self._candidates.draw(handle)
        if not self._rules.takes(token):
            if self._rules.complete:
                self._armed = False
                if self._watch is not None:
                    self._watch.after_call()
            else:
                token = self._replacement(wished)
        else:
            self._in_a_row = 0
        lib.llama_sampler_accept(handle, token)
        if self._armed:
            self._rules.accept(token)
            self._count += 1
            self._recent.append(token)
            if self._count >= MAX_TOKENS or (self._count % 32 == 0 and self._repeats()):
                self._drop("loop")
        return token

    def _replacement(self, wished: int) -> int:
        """Another token, which the grammar takes; ``wished`` where it is given up."""
        self._in_a_row += 1
        if self._in_a_row > MAX_REPLACED:
            self._drop("loop")
            return wished
        assert self._candidates is not None
        barred: list[int] = []
        for _ in range(TRIES):
            token = self._candidates.draw_allowed(self._chain.handle, self._rules, barred)
            if token is None:
                break
            if self._rules.takes(token):
                self._replaced += 1
                return token
            barred.append(token)
        self._drop("stuck")
        return wished

    def _repeats(self) -> bool:
        recent = list(self._recent)
        if len(recent) < LOOK_BACK:
            return False
        return any(recent[period:] == recent[:-period] for period in range(1, MAX_PERIOD + 1))

    def _drop(self, why: str) -> None:
        self._dropped = why
        self._armed = False


class _Candidates:
    """All tokens with their logits, as llama.cpp's samplers take them."""

    def __init__(self, context: Any, size: int) -> None:
        import numpy as np  # the child imports it after the load

        self._source = Logits(context, size)
        self._size = size
        self._data = (lib.llama_token_data * size)()
        self._array = lib.llama_token_data_array(self._data, size, -1, False)
        fields = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])
        seen = np.frombuffer(memoryview(self._data), fields)
        self._ids, self._logits = seen["id"], seen["logit"]
        self._all = np.arange(size, dtype=np.int32)
        self._best = lib.llama_sampler_init_greedy()

    def draw(self, chain: Any) -> int:
        """A token as the chain draws it."""
        self._fill()
        return self._drawn(chain)

    def draw_allowed(self, chain: Any, rules: CallRules, barred: Sequence[int]) -> int | None:
        """One of those that the rules take; None where they take none."""
        self._fill()
        rules.apply(self._array)
        logits = self._logits
        rules.bar(logits)
        for token in barred:
            logits[token] = -math.inf
        lib.llama_sampler_apply(self._best, ctypes.byref(self._array))
        if self._array.data[self._array.selected].logit == -math.inf:
            return None
        self._array.selected = -1
        return self._drawn(chain)

    def _fill(self) -> None:
        self._ids[:] = self._all
        self._logits[:] = self._source.now()
        self._array.size, self._array.selected, self._array.sorted = self._size, -1, False

    def _drawn(self, chain: Any) -> int:
        lib.llama_sampler_apply(chain, ctypes.byref(self._array))
        return int(self._array.data[self._array.selected].id)

    def close(self) -> None:
        lib.llama_sampler_free(self._best)
