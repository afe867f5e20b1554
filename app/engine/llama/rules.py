"""A grammar as llama.cpp follows it, asked with care.

llama.cpp ends the process where its grammar is given a token that it forbids, or an end of the answer before its own.
So it is never given a token that was not tried on it before, alone.
"""

import codecs
import ctypes
import math
from typing import TYPE_CHECKING, Any

from app.domain.models import CallGrammar, PromptText
from app.engine.llama.bindings import lib
from app.engine.llama.vocabulary import Vocabulary

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class CallRules:
    """Stands somewhere in a grammar. Call ``restart`` first; ``accept`` only what ``takes`` took."""

    def __init__(self, vocabulary: Vocabulary, grammar: CallGrammar) -> None:
        self._vocabulary = vocabulary
        self._grammar = grammar
        self._handle: Any = None
        self._decoder = codecs.getincrementaldecoder("utf-8")("strict")
        self._one = (lib.llama_token_data * 1)()
        self._alone = lib.llama_token_data_array(self._one, 1, -1, False)
        self._eog = next(iter(vocabulary.eog), None)
        self._barred = [token for token in vocabulary.control if token not in grammar.markers]
        self._doubtful = grammar.markers - grammar.ends_text
        self._anything = _anything(vocabulary)

    def restart(self) -> bool:
        """Stand at the beginning. False where llama.cpp does not take the rules."""
        if self._handle is None:
            self._handle = lib.llama_sampler_init_grammar(self._vocabulary.handle, self._grammar.text.encode(), b"root")
        else:
            lib.llama_sampler_reset(self._handle)
        self._decoder.reset()
        return bool(self._handle)

    @property
    def complete(self) -> bool:
        """Whether the answer could end here."""
        return self._eog is not None and self._try(self._eog)

    def takes(self, token: int) -> bool:
        if token in self._vocabulary.eog:
            return False  # where it may stand, the call is over
        if token in self._vocabulary.control and not self._is_marker(token):
            return False
        return self._is_text(token) and self._try(token)

    def accept(self, token: int) -> None:
        self._decoder.decode(self._vocabulary.piece(token))
        lib.llama_sampler_accept(self._handle, token)

    def apply(self, candidates: Any) -> None:
        lib.llama_sampler_apply(self._handle, ctypes.byref(candidates))

    def bar(self, logits: "NDArray[np.float32]") -> None:
        """Take what is no part of a call from candidates that ``apply`` has seen."""
        in_text = self._anything is not None and logits[self._anything] != -math.inf
        for token in (*self._barred, *(self._doubtful if in_text else ())):
            logits[token] = -math.inf

    def close(self) -> None:
        if self._handle is not None:
            lib.llama_sampler_free(self._handle)
            self._handle = None

    def _is_marker(self, token: int) -> bool:
        """Whether a control token stands for itself here.

        The rules for text take its spelling, too, but those take anything.
        """
        if token not in self._doubtful or self._anything is None:
            return token in self._grammar.markers
        return not self._try(self._anything)

    def _is_text(self, token: int) -> bool:
        """Whether UTF-8 goes on with this token.

        llama.cpp is not strict with overlong forms and zeros, and then tries something else than it accepts.
        """
        state = self._decoder.getstate()
        try:
            return "\0" not in self._decoder.decode(self._vocabulary.piece(token))
        except UnicodeDecodeError:
            return False
        finally:
            self._decoder.setstate(state)

    def _try(self, token: int) -> bool:
        self._one[0].id, self._one[0].logit = token, 1.0
        self._alone.size, self._alone.selected = 1, -1
        self.apply(self._alone)
        return bool(self._one[0].logit != -math.inf)


def _anything(vocabulary: Vocabulary) -> int | None:
    """A token for a character that stands in no syntax and no name, so that only rules for text take it."""
    for before in ("", "\n", "a"):
        for token in vocabulary.tokenize(PromptText(f"{before}~", special=False))[-1:]:
            if vocabulary.piece(token) == b"~":
                return token
    return None
