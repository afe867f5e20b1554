"""A family's markers, what each is for, and a search that knows what could still become one."""

import re
from collections.abc import Collection

from app.formats.family import Family
from app.formats.text.cursor import Cursor, Steps


class Markers:
    """``vocabulary``: spellings of the model's control and user-defined tokens, where somebody knows them. A marker
    that is no token there is recognised in ordinary text too."""

    def __init__(self, family: Family, vocabulary: Collection[str] | None) -> None:
        calls, headers = family.calls, family.headers
        self.think_open = frozenset(family.think_open)
        self.think_close = frozenset(family.think_close)
        self.calls = frozenset(calls.openers if calls else ())
        self.soft = frozenset(calls.soft if calls else ()) | frozenset(
            headers.openers if headers and headers.soft else ()
        )
        self.headers = frozenset(headers.openers if headers else ())
        self.inner = frozenset(calls.markers if calls else ()) - self.calls
        self.ends = frozenset(family.ends)
        self.quiet = frozenset(family.quiet)
        self.leads = frozenset(family.leads)
        outer = (
            self.think_open
            | self.think_close
            | self.calls
            | self.headers
            | self.ends
            | self.quiet
            | frozenset(family.noise)
        )
        self.all = sorted(outer | self.inner, key=lambda marker: (-len(marker), marker))
        spelt = {*family.spelt, *self.soft, *(calls.spelt if calls else ())}
        if vocabulary is not None:
            spelt |= {marker for marker in self.all if not _token(marker, vocabulary)}
        self.spelt = frozenset(spelt)
        self._pattern = re.compile("|".join(map(re.escape, self.all)) or r"(?!)")
        self._tidy = re.compile("|".join(part for part in (family.tidy, self._pattern.pattern) if part))
        self._longest = max(map(len, self.all), default=1)
        self._firsts = frozenset(marker[0] for marker in self.all)

    def search(self, text: str, start: int) -> re.Match[str] | None:
        return self._pattern.search(text, start)

    def held(self, text: str, start: int) -> int:
        """Where the part of ``text`` begins that could still become a marker."""
        for place in range(max(start, len(text) - self._longest + 1), len(text)):
            if text[place] in self._firsts and any(marker.startswith(text[place:]) for marker in self.all):
                return place
        return len(text)

    def nothing_else(self, cursor: Cursor) -> Steps[bool]:
        """Whether the output or the message ends here, apart from closing markers. Takes nothing."""
        closing, skip = sorted((self.inner - self.spelt) | self.think_close), 0
        while not (yield from cursor.over(*self.ends, skip=skip)):
            for marker in closing:
                if (yield from cursor.follows(marker, skip=skip)):
                    skip = cursor.text.index(marker, cursor.at + skip) + len(marker) - cursor.at
                    break
            else:
                return False
        return True

    def strip(self, text: str) -> str:
        """``text`` without any marker and what belongs to one."""
        return self._tidy.sub("", text)


def _token(marker: str, vocabulary: Collection[str]) -> bool:
    """Whether ``marker`` is a token or holds one (``<|open|>think<|sep|>``)."""
    return marker in vocabulary or any(len(token) > 2 and token in marker for token in vocabulary)
