"""JSON as models write it: found to its end while it streams, then judged strictly, and kept byte for byte."""

import json
import re
from typing import NoReturn

from app.formats.text.cursor import Cursor, Malformed, Unexpected

_PLAIN = re.compile(r'[^"\\]+')
_STRUCTURE = frozenset('[]{}",:')
_OUTSIDE = re.compile(r"[\s\w.+\-]*")  # what may stand between structure characters: numbers, true, false, null
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")
_PAIRS = {"}": "{", "]": "["}
MAX_DEPTH = 200


def strict_loads(text: str) -> object:
    """The value. Raises Malformed for what JSON does not allow, for NaN and Infinity and for duplicate keys."""
    try:
        return json.loads(text, object_pairs_hook=_no_duplicates, parse_constant=_no_constant, parse_int=float)
    except (ValueError, RecursionError) as error:
        raise Malformed(str(error)) from None


def _no_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Malformed("duplicate key")
    return found


def _no_constant(name: str) -> NoReturn:
    raise Malformed(f"{name} is not JSON")


def is_number(text: str) -> bool:
    """Whether ``text`` is a JSON number."""
    return _NUMBER.fullmatch(text) is not None


def quote(text: str) -> str:
    """``text`` as a JSON string."""
    return json.dumps(text, ensure_ascii=False)


def object_text(members: list[tuple[str, str]]) -> str:
    """A JSON object of keys and values that are JSON texts already. Raises Malformed for a key that comes twice."""
    if len({key for key, _ in members}) != len(members):
        raise Malformed("duplicate argument")
    return "{" + ", ".join(f"{quote(key)}: {value}" for key, value in members) + "}"


class JsonValue:
    """One object or array, read as it arrives.

    ``text`` is what was read; ``members`` maps the keys of the outermost object to the place of their value in it.
    A member whose end is None is still being read.
    """

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._shown = 0
        self._size = 0
        self._stack: list[str] = []
        self._in_quotes = False
        self._key_pieces: list[str] | None = None  # of a key of the outermost object that is being read
        self._escaped = False
        self._key: str | None = None
        self._await_value = False
        self.members: dict[str, tuple[int, int | None]] = {}
        self._open_member: str | None = None
        self.done = False

    @property
    def text(self) -> str:
        return "".join(self._pieces)

    def checked_object(self) -> str:
        """The text, which must be an object. Raises Malformed."""
        text = self.text
        if not isinstance(strict_loads(text), dict):
            raise Malformed("not an object")
        return text

    def step(self, cursor: Cursor) -> None:
        """Use what is there, up to the end of the value."""
        while not self.done and cursor.at < len(cursor.text):
            if self._in_quotes:
                self._in_string(cursor)
            else:
                self._outside(cursor)

    def fresh(self) -> tuple[int, str]:
        """What was read since the last call of this, and where it begins in ``text``."""
        pieces = self._pieces[self._shown :]
        text = pieces[0] if len(pieces) == 1 else "".join(pieces)
        self._shown = len(self._pieces)
        return self._size - len(text), text

    def _keep(self, text: str) -> None:
        self._pieces.append(text)
        self._size += len(text)

    def _outside(self, cursor: Cursor) -> None:
        between = _OUTSIDE.match(cursor.text, cursor.at)
        assert between is not None
        if plain := between.group():
            if begins := plain.strip():
                if not self._stack:
                    raise Malformed("not an object or a list")
                if self._await_value:
                    self._begin_value(self._size + plain.index(begins))
            self._keep(cursor.take(len(plain)))
            if cursor.at >= len(cursor.text):
                return
        if cursor.text[cursor.at] not in _STRUCTURE:
            raise Unexpected("not JSON")
        self._structure(cursor.take(1))

    def _in_string(self, cursor: Cursor) -> None:
        plain = None if self._escaped else _PLAIN.match(cursor.text, cursor.at)
        piece = cursor.take(plain.end() - cursor.at if plain else 1)
        self._keep(piece)
        if plain or self._escaped:
            self._escaped = False
        elif piece == "\\":
            self._escaped = True
        else:
            self._in_quotes = False
            if self._key_pieces is not None:
                self._key, self._key_pieces = "".join(self._key_pieces), None
            return
        if self._key_pieces is not None:
            self._key_pieces.append(piece)

    def _structure(self, char: str) -> None:
        outermost = len(self._stack) == 1 and self._stack[0] == "{"
        if self._await_value and char not in ",:}]":
            self._begin_value(self._size)
        if outermost and char in ",}":
            self._end_value()
        if char == ":" and outermost and self._open_member is None:
            self._await_value = True
        if char in "{[":
            self._stack.append(char)
            if len(self._stack) > MAX_DEPTH:
                raise Malformed("nested too deeply")
        elif char in "}]":
            if not self._stack or self._stack.pop() != _PAIRS[char]:
                raise Malformed("brackets do not match")
        elif char == '"':
            self._in_quotes = True
            self._key_pieces = [] if outermost and self._open_member is None else None
        if not self._stack and char in ',:"':
            raise Malformed("not an object or a list")
        self._keep(char)
        self.done = not self._stack

    def _begin_value(self, place: int) -> None:
        self._await_value = False
        if self._key is not None:
            self._open_member = self._unescaped(self._key)
            self.members[self._open_member] = (place, None)

    def _end_value(self) -> None:
        if self._open_member is not None:
            self.members[self._open_member] = (self.members[self._open_member][0], self._size)
        self._open_member = self._key = None

    @staticmethod
    def _unescaped(key: str) -> str:
        if "\\" not in key:
            return key
        try:
            value = strict_loads(f'"{key}"')
        except Malformed:
            return key  # the whole is judged at its end
        assert isinstance(value, str)
        return value
