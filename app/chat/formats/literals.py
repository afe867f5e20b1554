"""Literals as Python and JSON write them, turned into JSON text: ``{'a': True, "b": [1e5, null]}``."""

import re

from app.chat.formats.jsontext import MAX_DEPTH, is_number, object_text, quote
from app.chat.formats.source import Malformed

_WORD = re.compile(r"[\w.+\-]+")
_NAMES = {"True": "true", "true": "true", "False": "false", "false": "false", "None": "null", "null": "null"}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "a": "\a", "0": "\0"}
_HEX = {"x": 2, "u": 4, "U": 8}
_AFTER_STRING = re.compile(r"\s*(?:[,:)\]}]|$)")
_NAME = re.compile(r"[^\W\d][\w.\-]*")


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
        if char in ("'", '"'):
            found = quote(self.string())
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
        if word in _NAMES:
            found = _NAMES[word]
        elif is_number(word):
            found = word
        else:
            raise Malformed("not a literal")
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
            if self.peek() not in ("'", '"'):
                raise Malformed("a key is not a string")
            key = self.string()
            self.need(":")
            members.append((key, self.value()))
            if not self.take(","):
                self.need("}")
                break
        return object_text(members)

    def string(self) -> str:
        """The text between quotes."""
        mark = self.text[self.at]
        self.at += 1
        pieces: list[str] = []
        while self.at < len(self.text):
            char = self.text[self.at]
            self.at += 1
            if char == "\\":
                pieces.append(self._escape())
            elif char != mark or (self._loose and not _AFTER_STRING.match(self.text, self.at)):
                pieces.append(char)
            else:
                return "".join(pieces)
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
