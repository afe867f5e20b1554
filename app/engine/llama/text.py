"""Bytes of tokens to text, when characters are split between tokens."""

import codecs
from collections.abc import Callable, Sequence

_LONGEST = 4  # bytes of a UTF-8 character


class TextStream:
    """Incremental UTF-8. A token that ends inside a character gives "" or less; the next one gives the whole character.

    Bytes that are no UTF-8 become replacement characters.
    """

    def __init__(self, before: bytes = b"") -> None:
        """``before``: the last bytes of the prompt; a character that is cut off at its end continues in the answer."""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._decoder.decode(before)

    def feed(self, data: bytes) -> str:
        return self._decoder.decode(data)

    def reset(self) -> None:
        """Forget half a character: a control token came instead of its rest."""
        self._decoder.reset()


def open_end(tokens: Sequence[int], piece: Callable[[int], bytes]) -> bytes:
    """The bytes of the last tokens: enough to know whether the prompt ends inside a character."""
    tail = b""
    for token in reversed(tokens[-_LONGEST:]):
        tail = piece(token) + tail
        if len(tail) >= _LONGEST:
            break
    return tail  # its first bytes may be the rest of a character; what they decode to is thrown away
