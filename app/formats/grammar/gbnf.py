"""Rules of a grammar in llama.cpp's notation (GBNF), collected one by one.

An expression is a piece of a rule's body. What may be empty is "" or ends in a question mark; there are no empty
alternatives, because in GBNF a bar at the end of a line goes on with the next line.
"""

from collections.abc import Iterable

MAX_RULES = 3000
MAX_CHARACTERS = 120_000


class TooLarge(Exception):
    """The grammar would cost more than it is worth."""


class Rules:
    def __init__(self) -> None:
        self._bodies: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._size = 0

    def add(self, body: str) -> str:
        """The name of a rule with this body, an old one where there is one."""
        name = self._names.get(body)
        if name is None:
            name = self._names[body] = self.reserve()
            self.define(name, body)
        return name

    def reserve(self, name: str = "") -> str:
        """A name for a rule that is defined later, because it refers to itself."""
        name = name or f"r{len(self._bodies)}"
        self._bodies[name] = ""
        return name

    def define(self, name: str, body: str) -> None:
        """Raises TooLarge."""
        self._bodies[name] = body
        self._size += len(name) + len(body) + 6
        if self._size > MAX_CHARACTERS or len(self._bodies) > MAX_RULES:
            raise TooLarge

    def text(self) -> str:
        """All of them."""
        return "".join(f"{name} ::= {body}\n" for name, body in self._bodies.items())


def literal(text: str) -> str:
    """Exactly this text, which is not empty and has no NUL."""
    return '"' + "".join(map(_escaped, text)) + '"'


def one_of(characters: str, *, but: bool = False) -> str:
    """One of these characters (``but``: any other)."""
    return "[" + ("^" if but else "") + "".join(map(_escaped, characters)) + "]"


def either(expressions: Iterable[str]) -> str:
    """One of them, none of which is empty."""
    options = list(dict.fromkeys(expressions))
    return options[0] if len(options) == 1 else f"({' | '.join(options)})"


def joined(*expressions: str) -> str:
    """One after the other; those that are "" are left out."""
    return " ".join(expression for expression in expressions if expression)


def without(rules: Rules, pattern: str) -> str:
    """Any text in which ``pattern`` does not occur: Knuth, Morris and Pratt's automaton, a rule for each state."""
    names = [rules.reserve() for _ in pattern]
    for state, name in enumerate(names):
        ways = {char: _longest(pattern, pattern[:state] + char) for char in dict.fromkeys(pattern)}
        known = "".join(char for char, to in ways.items() if to)
        options = [f"{one_of(char)} {names[to]}" for char, to in ways.items() if 0 < to < len(pattern)]
        options.append(f"{one_of(known + chr(0), but=True)} {names[0]}")
        rules.define(name, f"({' | '.join(options)})?")
    return names[0]


def _longest(pattern: str, text: str) -> int:
    """How much of the beginning of ``pattern`` ends ``text``."""
    return next((length for length in range(len(text), 0, -1) if text.endswith(pattern[:length])), 0)


def _escaped(char: str) -> str:
    if char in '"\\[]-^':
        return f"\\x{ord(char):02X}"
    if " " <= char <= "~":
        return char
    code = ord(char)
    return f"\\x{code:02X}" if code < 0x100 else f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"
