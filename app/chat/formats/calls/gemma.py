"""Gemma 4: ``<|tool_call>call:N{k:<|"|>text<|"|>,n:1,o:{...}}<tool_call|>``."""

import re
from dataclasses import dataclass

from app.chat.formats.family import CallSink
from app.chat.formats.jsontext import MAX_DEPTH, is_number, object_text, quote, strict_loads
from app.chat.formats.schema import ToolTypes
from app.chat.formats.source import MAX_NAME, Malformed, Source, Steps

QUOTE = '<|"|>'
_WORD = re.compile(r"[\w.+\-]+")
_KEY = re.compile(r"[^\s:{}\[\],<\"]+")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_NAMES = {"true": "true", "false": "false", "null": "null", "None": "null"}


@dataclass(frozen=True, slots=True)
class GemmaCalls:
    @property
    def openers(self) -> tuple[str, ...]:
        return ("<|tool_call>",)

    @property
    def markers(self) -> tuple[str, ...]:
        return ("<tool_call|>", QUOTE)

    @property
    def soft(self) -> tuple[str, ...]:
        return ()

    @property
    def spelt(self) -> tuple[str, ...]:
        return ()

    def read(self, opener: str, source: Source, calls: CallSink, tools: ToolTypes) -> Steps[None]:  # noqa: ARG002 - protocol
        yield from source.require("call:")
        name, _ = yield from source.until("{", limit=MAX_NAME, forbid="<\n")
        calls.open(name.strip())
        text = "{"
        while True:
            piece, end = yield from source.until(QUOTE, "<tool_call|>")
            text += piece + end
            if end != QUOTE:
                break
            inside, _ = yield from source.until(QUOTE)
            text += inside + QUOTE
        value = _Values(text.removesuffix("<tool_call|>").rstrip())
        arguments = value.read()
        value.end()
        calls.close(arguments)


class _Values:
    """Recursive descent over the whole text of the arguments."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
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
        elif self._take(QUOTE):
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
        end = self.text.find(QUOTE, self.at)
        if end < 0:
            raise Malformed("a string does not end")
        found = self.text[self.at : end]
        self.at = end + len(QUOTE)
        return found

    def _word(self) -> str:
        match = _WORD.match(self.text, self.at)
        word = match.group() if match else ""
        if word not in _NAMES and not is_number(word):
            raise Malformed("not a value")
        self.at += len(word)
        return _NAMES.get(word, word)

    def _object(self) -> str:
        members: list[tuple[str, str]] = []
        while not self._take("}"):
            if self._take(QUOTE):
                key = self._quoted()
            else:
                self._space()
                match = _KEY.match(self.text, self.at)
                if not match:
                    raise Malformed("no key")
                key = match.group()
                self.at = match.end()
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
