"""Text to tokens and back, exactly."""

import array
import ctypes
import hashlib
from typing import Any

from app.domain.models import PromptText
from app.engine.llama.bindings import lib

_ATTR_UNKNOWN, _ATTR_CONTROL, _ATTR_USER_DEFINED = 1 << 0, 1 << 3, 1 << 4  # enum llama_token_attr
_FIRST_BUFFER = 64


def has_vocabulary(model: Any) -> bool:
    """Some files have none. Asking llama.cpp for their tokens ends the process."""
    return bool(lib.llama_vocab_type(lib.llama_model_get_vocab(model)) != lib.LLAMA_VOCAB_TYPE_NONE)


class Vocabulary:
    """The tokens of one model. ``tokenize`` may be called from any thread, the rest from the thread that made it."""

    def __init__(self, model: Any) -> None:
        self.handle = lib.llama_model_get_vocab(model)
        self.size: int = lib.llama_vocab_n_tokens(self.handle)
        self.add_bos: bool = lib.llama_vocab_get_add_bos(self.handle)
        self.bos: int = lib.llama_vocab_bos(self.handle)  # -1 where there is none
        self.eos: int = lib.llama_vocab_eos(self.handle)
        self._buffer = ctypes.create_string_buffer(_FIRST_BUFFER)
        self._pieces: dict[int, bytes] = {}
        texts = [lib.llama_vocab_get_text(self.handle, token) or b"" for token in range(self.size)]
        attrs = [lib.llama_vocab_get_attr(self.handle, token) for token in range(self.size)]
        self.fingerprint = _fingerprint(texts, attrs)
        marked = _ATTR_UNKNOWN | _ATTR_CONTROL | _ATTR_USER_DEFINED
        special = {token for token, attr in enumerate(attrs) if attr & marked} | {self.eos, self.bos} - {-1}
        self.eog = frozenset(token for token in special if lib.llama_vocab_is_eog(self.handle, token))
        self.control = frozenset(t for t in special if attrs[t] & (_ATTR_CONTROL | _ATTR_USER_DEFINED))

    def piece(self, token: int) -> bytes:
        """The token's bytes as they stand in the text; a control token's spelling."""
        known = self._pieces.get(token)
        if known is not None:
            return known
        length = lib.llama_token_to_piece(self.handle, token, self._buffer, len(self._buffer), 0, True)
        if length < 0:  # minus the length it needs
            self._buffer = ctypes.create_string_buffer(-length)
            length = lib.llama_token_to_piece(self.handle, token, self._buffer, len(self._buffer), 0, True)
        piece: bytes = ctypes.string_at(self._buffer, max(length, 0))
        self._pieces[token] = piece
        return piece

    def spelling(self, token: int) -> str:
        """``piece`` as text, "" for no token (-1)."""
        return self.piece(token).decode("utf-8", "replace") if token >= 0 else ""

    def tokenize(self, text: PromptText) -> tuple[int, ...]:
        """Without BOS. A lone surrogate becomes a question mark."""
        return tokenize(self.handle, text.text, special=text.special)


def tokenize(vocabulary: Any, text: str, *, special: bool, frame: bool = False) -> tuple[int, ...]:
    """Tokens of a llama_vocab.

    ``special``: markers in the text are control tokens.
    ``frame``: with the tokens that the model wants before and after a text.
    """
    data = text.encode("utf-8", "replace")
    room = len(data) + 16  # a token has at least one byte, besides what a tokenizer puts in front
    tokens = (lib.llama_token * room)()
    count = lib.llama_tokenize(vocabulary, data, len(data), tokens, room, frame, special)
    if count < 0:
        tokens = (lib.llama_token * -count)()
        count = lib.llama_tokenize(vocabulary, data, len(data), tokens, -count, frame, special)
    return tuple(tokens[: max(count, 0)])


def _fingerprint(texts: list[bytes], attrs: list[int]) -> str:
    digest = hashlib.sha256()
    digest.update(array.array("i", map(len, texts)).tobytes())
    digest.update(array.array("i", attrs).tobytes())
    digest.update(b"".join(texts))
    return digest.hexdigest()
