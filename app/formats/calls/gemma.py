"""Gemma 4: ``<|tool_call>call:N{k:<|"|>text<|"|>,n:1,o:{...}}<tool_call|>``, and FunctionGemma with other markers."""

import re
from dataclasses import dataclass

from app.formats.family import CallSink
from app.formats.text.cursor import MAX_NAME, Cursor, Malformed, Steps
from app.formats.text.jsontext import MAX_DEPTH, is_number, object_text, quote, strict_loads
from app.formats.text.schema import ToolTypes

_WORD = re.compile(r"[\w.+\-]+")
_KEY = re.compile(r"[^:{}\[\],<\"]+")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_NAMES = {"true": "true", "True": "true", "false": "false", "False": "false", "null": "null", "None": "null"}


@dataclass(frozen=True, slots=True)
class GemmaCalls:
    """``quote`` stands on both sides of a text."""

    open: str = "<|tool_call>"
    close: str = "<tool_call|>"
    quote: str = '<|"|>'

    @property
    def openers(self) -> tuple[str, ...]:
        return (self.open,)

    @property
    def markers(self) -> tuple[str, ...]:
        return (self.close, self.quote)

    @property
    def soft(self) -> tuple[str, ...]:
        return ()

    @property
    def spelt(self) -> tuple[str, ...]:
        return ()

    def read(self, opener: str, cursor: Cursor, calls: CallSink, tools: ToolTypes) -> Steps[None]:  # noqa: ARG002 - protocol
        yield from cursor.require("call:")
        name, _ = yield from cursor.until("{", limit=MAX_NAME, forbid="<\n")
        calls.open(name.strip())
        text = yield from self._braces(cursor)
        value = _Values(text, self.quote)
        arguments = value.read()
        value.end()
        calls.close(arguments)
        yield from cursor.accept(self.close)

    def _braces(self, cursor: Cursor) -> Steps[str]:
        """Up to the brace that closes the one that is taken, with both."""
        text, depth = "{", 1
        while depth:
            piece, end = yield from cursor.until("<", "{", "}", '"')
            text += piece + end
            if end == "<":
                tag = yield from self._tag(cursor)
                if tag == self.close:
                    raise Malformed("the arguments do not end")
                if tag:
                    inside, _ = yield from cursor.until(self.quote)
                    text += tag[1:] + inside + self.quote
            elif end == '"':
                text += yield from self._json_string(cursor)
            else:
                depth += 1 if end == "{" else -1
        return text

    def _tag(self, cursor: Cursor) -> Steps[str]:
        """The marker whose first character is taken; takes the rest of it."""
        for marker in (self.quote, self.close):
            while (here := cursor.starts(marker[1:])) is None:
                yield
            if here:
                cursor.take(len(marker) - 1)
                return marker
        return ""

    def _json_string(self, cursor: Cursor) -> Steps[str]:
        text = ""
        while True:
            piece, _ = yield from cursor.until('"')
            text += piece + '"'
            if (len(piece) - len(piece.rstrip("\\"))) % 2 == 0:
                return text


class _Values:
    """Recursive descent over the whole text of the arguments."""

    def __init__(self, text: str, mark: str) -> None:
        self.text = text
        self.at = 0
        self._mark = mark
        self._depth = 0

    def _space(self) -> None:
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1

    def _take(self, literal: str) -> bool:
        self._space()
        if not self.text.startswith(literal, self.at):
            return False
        self.at += len(literal)
        return True

    def end(self) -> None:
        self._space()
        if self.at < len(self.text):
            raise Malformed("text after the end")

    def read(self) -> str:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise Malformed("nested too deeply")
        if self._take("{"):
            found = self._object()
        elif self._take("["):
            found = self._list()
        elif self._take(self._mark):
            found = quote(self._quoted())
        elif match := _STRING.match(self.text, self.at):
            self.at = match.end()
            strict_loads(match.group())
            found = match.group()
        else:
            found = self._word()
        self._depth -= 1
        return found

    def _quoted(self) -> str:
        end = self.text.find(self._mark, self.at)
        if end < 0:
            raise Malformed("a string does not end")
        found = self.text[self.at : end]
        self.at = end + len(self._mark)
        return found

    def _word(self) -> str:
        match = _WORD.match(self.text, self.at)
        word = match.group() if match else ""
        if word not in _NAMES and not is_number(word):
            raise Malformed("not a value")
        self.at += len(word)
        return _NAMES.get(word, word)

    def _key(self) -> str:
        self._space()
        if match := _STRING.match(self.text, self.at):
            key = str(strict_loads(match.group()))
        elif match := _KEY.match(self.text, self.at):
            key = match.group().strip()
        else:
            raise Malformed("no key")
        self.at = match.end()
        return key

    def _object(self) -> str:
        members: list[tuple[str, str]] = []
        while not self._take("}"):
            key = self._quoted() if self._take(self._mark) else self._key()
            if not self._take(":"):
                raise Malformed("no value")
            members.append((key, self.read()))
            if not self._take(","):
                if not self._take("}"):
                    raise Malformed("an object does not end")
                break
        return object_text(members)

    def _list(self) -> str:
        items: list[str] = []
        while not self._take("]"):
            items.append(self.read())
            if not self._take(","):
                if not self._take("]"):
                    raise Malformed("a list does not end")
                break
        return f"[{', '.join(items)}]"
