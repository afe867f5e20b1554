"""Literals as Python and JSON write them, turned into JSON text: ``{'a': True, "b": [1e5, null]}``."""

import math
import re

from app.formats.text.cursor import Malformed
from app.formats.text.jsontext import MAX_DEPTH, is_number, object_text, quote

_WORD = re.compile(r"[\w.+\-]+")
_NAMES = {"True": "true", "true": "true", "False": "false", "false": "false", "None": "null", "null": "null"}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "a": "\a", "0": "\0"}
_HEX = {"x": 2, "u": 4, "U": 8}
_AFTER_STRING = re.compile(r"\s*(?:[,:)\]}]|$)")
_NAME = re.compile(r"[^\W\d][\w.\-]*")
_STRING = re.compile(r"""([rRuU]?)('\''|\"""|'|")""")
_ZEROS = re.compile(r"[+-]?0[0-9_]")  # octal once, an error now


def literal_json(text: str) -> str:
    """JSON text of one literal. Raises Malformed."""
    reader = LiteralReader(text)
    value = reader.value()
    reader.end()
    return value


class LiteralReader:
    """Recursive descent over a whole text. ``loose``: a quote ends a string only where a string may end, because a
    template wrote the text between quotes without escaping it."""

    def __init__(self, text: str, *, loose: bool = False) -> None:
        self.text = text
        self.at = 0
        self._loose = loose
        self._depth = 0

    def space(self) -> None:
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1

    def peek(self) -> str:
        self.space()
        return self.text[self.at : self.at + 1]

    def take(self, char: str) -> bool:
        """Take ``char`` if it comes next, after whitespace."""
        if self.peek() != char:
            return False
        self.at += 1
        return True

    def need(self, char: str) -> None:
        if not self.take(char):
            raise Malformed(f"expected {char}")

    def end(self) -> None:
        if self.peek():
            raise Malformed("text after the end")

    def name(self) -> str:
        """An identifier, with dots."""
        self.space()
        match = _NAME.match(self.text, self.at)
        if not match:
            raise Malformed("expected a name")
        self.at = match.end()
        return match.group()

    def value(self) -> str:
        """JSON text of the literal that stands here."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise Malformed("nested too deeply")
        char = self.peek()
        if _STRING.match(self.text, self.at):
            found = quote(self._strings())
        elif char == "{":
            found = self._dict()
        elif char in ("[", "("):
            found = self._list("]" if char == "[" else ")")
        else:
            found = self._word()
        self._depth -= 1
        return found

    def _word(self) -> str:
        match = _WORD.match(self.text, self.at)
        word = match.group() if match else ""
        found = _NAMES.get(word) or (word if is_number(word) else _python_number(word))
        self.at += len(word)
        return found

    def _list(self, end: str) -> str:
        self.at += 1
        items: list[str] = []
        while not self.take(end):
            items.append(self.value())
            if not self.take(","):
                self.need(end)
                break
        return f"[{', '.join(items)}]"

    def _dict(self) -> str:
        self.at += 1
        members: list[tuple[str, str]] = []
        while not self.take("}"):
            self.space()
            if not _STRING.match(self.text, self.at):
                raise Malformed("a key is not a string")
            key = self.string()
            self.need(":")
            members.append((key, self.value()))
            if not self.take(","):
                self.need("}")
                break
        return object_text(members)

    def _strings(self) -> str:
        """One string, or neighbours that Python takes for one (not where a quote may be part of the text)."""
        text = self.string()
        while not self._loose and self.peek() and _STRING.match(self.text, self.at):
            text += self.string()
        return text

    def string(self) -> str:
        """The text between quotes."""
        begin = _STRING.match(self.text, self.at)
        assert begin is not None
        raw, mark = begin.group(1) in ("r", "R"), begin.group(2)
        self.at = begin.end()
        pieces: list[str] = []
        while self.at < len(self.text):
            if self.text.startswith(mark, self.at) and not (
                self._loose and not _AFTER_STRING.match(self.text, self.at + len(mark))
            ):
                self.at += len(mark)
                return "".join(pieces)
            char = self.text[self.at]
            self.at += 1
            if char != "\\":
                pieces.append(char)
            elif raw:
                pieces.append(char + self.text[self.at : self.at + 1])
                self.at += 1
            else:
                pieces.append(self._escape())
        raise Malformed("a string does not end")

    def _escape(self) -> str:
        char = self.text[self.at : self.at + 1]
        self.at += 1
        if char in _HEX:
            digits = self.text[self.at : self.at + _HEX[char]]
            try:
                code = int(digits, 16)
                self.at += len(digits)
                low = re.match(r"\\u([dD][c-fC-F][0-9a-fA-F]{2})", self.text[self.at : self.at + 6])
                if 0xD800 <= code < 0xDC00 and low:
                    self.at += 6
                    code = 0x10000 + ((code - 0xD800) << 10) + (int(low.group(1), 16) - 0xDC00)
                return chr(code)
            except (ValueError, OverflowError):
                raise Malformed("not an escape") from None
        if char in ("\\", "'", '"', "/"):
            return char
        if char == "\n":
            return ""
        return _ESCAPES.get(char, "\\" + char)


def _python_number(word: str) -> str:
    """JSON text of a number as only Python writes it: ``+5``, ``.5``, ``5.``, ``1_000``, ``0xff``. Raises Malformed."""
    if not word.isascii() or _ZEROS.match(word):
        raise Malformed("not a literal")
    try:
        return str(int(word, 0))
    except ValueError:
        pass
    try:
        number = float(word)
    except ValueError:
        raise Malformed("not a literal") from None
    if not math.isfinite(number):
        raise Malformed(f"{word} is not JSON")
    return repr(number)
