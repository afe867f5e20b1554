"""Finds where a call opens by a text: in families whose opener is no token of its own."""

import re

from app.domain.models import CallGrammar

_FENCE = b"```"


class PhraseWatch:
    """Reads the answer piece by piece. A NUL stands before a control token's spelling, as in the grammar's texts."""

    def __init__(self, grammar: CallGrammar) -> None:
        self._phrases = _bytes(grammar.phrases)
        self._quiet = _bytes(grammar.quiet)
        self._prose = grammar.prose
        self._is_quiet = grammar.is_quiet
        self._fenced = False
        self._tail = b"\n"  # what may still become one of the texts, with what of its line stands before it
        marks = {*self._phrases, *self._quiet, *_bytes(grammar.loud), *([_FENCE] if self._prose else [])}
        self._pattern = re.compile(b"|".join(map(re.escape, sorted(marks, key=len, reverse=True))))
        self._longest = max(map(len, marks))

    def after_call(self) -> None:
        """Another one may follow on the same line."""
        self._tail = b"\n"

    def feed(self, data: bytes) -> bytes:
        """The phrase that opens a call and what came after it in the same piece, or nothing."""
        text = self._tail + data
        done = 0
        for match in self._pattern.finditer(text):
            mark, done = match.group(), match.end()
            begins_line = not text[text.rfind(b"\n", 0, match.start()) + 1 : match.start()].strip()
            if mark in self._phrases:
                if b"\0" in mark or not (self._is_quiet or self._fenced or (self._prose and not begins_line)):
                    self._tail = b"-"
                    return text[match.start() :]
            elif mark == _FENCE:
                self._fenced ^= begins_line
            else:
                self._is_quiet = mark in self._quiet
        keep = max(done, len(text) - self._longest + 1)
        line = text[text.rfind(b"\n", 0, keep) + 1 : keep]
        self._tail = (b"\n" if not line.strip() else b"-") + text[keep:]
        return b""


def _bytes(texts: tuple[str, ...]) -> frozenset[bytes]:
    return frozenset(text.encode() for text in texts)
