"""Markers as rules: control tokens by their ids, everything else as text."""

import re
from collections.abc import Mapping, Sequence

from app.formats.grammar.gbnf import Rules, either, joined, literal, without


class Spelling:
    """How one vocabulary writes markers.

    ``markers``: the tokens that were named so far. ``ends_text``: those of them that end raw text.
    """

    def __init__(self, vocabulary: Mapping[str, int]) -> None:
        self._vocabulary = vocabulary
        known = sorted((text for text in vocabulary if len(text) > 2), key=len, reverse=True)
        self._tokens = re.compile("|".join(map(re.escape, known)) or "(?!)")
        self.markers: set[int] = set()
        self.ends_text: set[int] = set()

    def parts(self, marker: str) -> list[tuple[str, int | None]]:
        """A marker cut into control tokens (with their ids) and ordinary text."""
        found: list[tuple[str, int | None]] = []
        done = 0
        for match in self._tokens.finditer(marker):
            if match.start() > done:
                found.append((marker[done : match.start()], None))
            found.append((match.group(), self._vocabulary[match.group()]))
            done = match.end()
        return [*found, (marker[done:], None)] if done < len(marker) else found

    def token(self, marker: str) -> int | None:
        """The id of a marker that is one token."""
        return self._vocabulary.get(marker)

    def marked(self, marker: str) -> str:
        """A marker with a NUL before each control token in it."""
        return "".join(text if token is None else f"\0{text}" for text, token in self.parts(marker))

    def spell(self, *markers: str) -> str:
        """The expression for one of ``markers``; "" where there is none."""
        options: list[str] = []
        for marker in markers:
            parts = self.parts(marker)
            self.markers.update(token for _, token in parts if token is not None)
            options.append(joined(*(literal(text) if token is None else f"<[{token}]>" for text, token in parts)))
        return options[0] if len(options) == 1 else either(f"({option})" for option in options) if options else ""

    def text_before(self, rules: Rules, close: str) -> str:
        """The expression for raw text that ``close`` ends."""
        token = next(((text, token) for text, token in self.parts(close) if token is not None), None)
        if token is not None and token[1] is not None:
            self.ends_text.add(token[1])
        return without(rules, token[0] if token else close)

    def apart(self, closes: Sequence[str]) -> list[str]:
        """The pairs of characters with which begin what ends raw text."""
        firsts = [next((text for text, token in self.parts(close) if token is not None), close) for close in closes]
        return list(dict.fromkeys(text[:2] for text in (*firsts, *closes)))
