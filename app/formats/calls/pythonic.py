"""Calls as Python writes them: ``[f(a='x', n=1), g()]`` (LFM2, Llama), or a line each (OLMo 3, MiniCPM 3 and 4)."""

import re
from contextlib import suppress
from dataclasses import dataclass

from app.formats.family import CallSink
from app.formats.text.cursor import CONTROL, MAX_NAME, Cursor, CutOff, Malformed, NoCall, Steps
from app.formats.text.jsontext import object_text
from app.formats.text.literals import LiteralReader
from app.formats.text.schema import ToolTypes

MAX_HEAD = 2 * MAX_NAME
MAX_TRIES = 32  # how many closing markers inside of strings are believed
_NAME = re.compile(r"\s*([^\W\d][\w.\-]*)\s*\(")


@dataclass(frozen=True, slots=True)
class PythonicCalls:
    """``open [calls] close``. A list that is cut off keeps its whole calls.

    Without ``open`` the list ends with its bracket and must name known tools. ``fence``: what may stand around it.
    ``prose``: what does not begin with the bracket of a list is text.
    """

    open: str = ""
    close: str = ""
    fence: tuple[str, str] = ("", "")
    prose: bool = False

    @property
    def openers(self) -> tuple[str, ...]:
        return (self.open or "[",)

    @property
    def markers(self) -> tuple[str, ...]:
        return (self.close,) if self.close else ()

    @property
    def soft(self) -> tuple[str, ...]:
        return ()

    @property
    def spelt(self) -> tuple[str, ...]:
        return ()

    def read(self, opener: str, cursor: Cursor, calls: CallSink, tools: ToolTypes) -> Steps[None]:  # noqa: ARG002 - protocol
        if self.prose and (yield from cursor.peek()) not in ("[", "", self.close[0]):
            yield from cursor.up_to(self.close)
            raise NoCall("no list")
        reader = _ListReader(calls, None if self.close else tools.names, self.fence[1])
        if self.fence[0]:
            yield from cursor.accept(self.fence[0])
        yield from (self._marked(cursor, reader) if self.close else self._bracketed(cursor, reader))

    def _marked(self, cursor: Cursor, reader: "_ListReader") -> Steps[None]:
        """Up to the closing marker that makes sense of what stands before it."""
        for _ in range(MAX_TRIES):
            while (place := cursor.text.find(self.close, cursor.at)) < 0:
                stop = len(cursor.text) if cursor.ended else max(cursor.at, len(cursor.text) - len(self.close) + 1)
                reader.feed(cursor, stop)
                if reader.ended or cursor.ended:
                    break
                yield
            else:
                reader.feed(cursor, place)
            if reader.ended:
                yield from cursor.accept(self.close)
                return
            if place < 0:
                if not reader.whole:
                    reader.cut_off()
                return
            if reader.finish(sure=cursor.flag(len(self.close)) == CONTROL):
                cursor.take(len(self.close))
                return
            reader.feed(cursor, place + len(self.close))
        raise Malformed("not a list of calls")

    def _bracketed(self, cursor: Cursor, reader: "_ListReader") -> Steps[None]:
        while True:
            reader.feed(cursor, len(cursor.text))
            if reader.ended:
                reader.finish(sure=True)
                return
            if cursor.ended:
                if not reader.whole:
                    reader.cut_off()
                return
            yield


class _ListReader:
    """Hands over each call as soon as it is whole.

    Strings are followed strictly. A template may have put a text between quotes without escaping it; then the strict
    reading finds no end, and the rest is read loosely once the list is over.
    """

    def __init__(self, calls: CallSink, known: frozenset[str] | None, fence: str = "") -> None:
        self._calls = calls
        self._fence = fence  # what may close the list before its marker
        self._known = known  # None: any name
        self._pieces: list[str] = []  # of the call that is being read
        self._head = ""  # how the call begins, as far as its name needs it
        self._seen = 0  # pieces in that
        self._listed: bool | None = None
        self._depth = 0
        self._quote = ""
        self._escaped = False
        self._count = 0
        self.ended = False

    def feed(self, cursor: Cursor, stop: int) -> None:
        """Use the text up to ``stop``, or up to the end of a list that has no closing marker or is whole."""
        place = cursor.at
        while place < stop and not self.ended:
            place += 1
            if self._whole(cursor.text[place - 1]):
                self._pieces.append(cursor.take(place - cursor.at))
                self._call()
            elif self._depth < 0 and self._listed and cursor.text[place - 1] == "]" and self._known is None:
                self._pieces.append(cursor.take(place - cursor.at))
                self.ended = self.whole
        self._pieces.append(cursor.take(place - cursor.at))
        if self._known is not None and not self.ended:
            self._check_name(self._known)

    def _whole(self, char: str) -> bool:
        """Follow one character; whether it seems to end a call."""
        if self._quote:
            self._quote = "" if char == self._quote and not self._escaped else self._quote
            self._escaped = char == "\\" and not self._escaped
        elif self._listed is None:
            self._listed = None if char.isspace() else char == "["
        elif char in "'\"":
            self._quote = char
        elif char in "([{":
            self._depth += 1
        elif char in ")]}":
            self._depth -= 1
            self.ended = self._known is not None and self._depth < 0
            return self._depth == 0 and char == ")"
        return False

    def _call(self) -> None:
        """A call seems to be whole."""
        with suppress(Malformed):
            text = "".join(self._pieces)
            reader = LiteralReader(text)
            if not self._count:
                reader.take("[")
            elif not reader.take(",") and self._listed:
                return
            name, arguments = read_call(reader)
            reader.end()
            self._hand_over(name, arguments)
            self._pieces.clear()
            self._head, self._seen = "", 0

    def _hand_over(self, name: str, arguments: str) -> None:
        if self._known is not None and name not in self._known:
            raise Malformed("not the name of a tool")
        self._calls.open(name)
        self._calls.arguments(arguments)
        self._calls.close(arguments)
        self._count += 1

    def finish(self, *, sure: bool) -> bool:
        """The list is over. False where it cannot be over here and that is not ``sure``."""
        rest = self._rest()
        if self._listed:
            rest = rest.removeprefix("[" if not self._count else "").removesuffix("]").rstrip()
        reader = LiteralReader(rest, loose=True)
        found: list[tuple[str, str]] = []
        try:
            while reader.peek():
                if (found or self._count) and not reader.take(",") and self._listed:
                    raise Malformed("no comma")
                if reader.peek():
                    found.append(read_call(reader))
            for name, _ in found:
                if self._known is not None and name not in self._known:
                    raise Malformed("not the name of a tool")
        except Malformed:
            if sure or (not self._quote and self._depth <= 0):
                raise
            return False
        for name, arguments in found:
            self._hand_over(name, arguments)
        return True

    def _rest(self) -> str:
        """What stands after the last whole call."""
        rest = "".join(self._pieces).strip()
        return rest.removesuffix(self._fence).rstrip() if self._fence else rest

    @property
    def whole(self) -> bool:
        """Nothing is missing but what closes the list."""
        return bool(self._count) and self._rest() in ("", "]")

    def cut_off(self) -> None:
        """The output ended inside of the list."""
        name = _NAME.match("".join(self._pieces).lstrip("[, \n"))
        if name and (self._known is None or name.group(1) in self._known):
            self._calls.open(name.group(1))
        elif self._known is not None and not self._count:
            raise Malformed("not a list of calls")
        raise CutOff

    def _check_name(self, known: frozenset[str]) -> None:
        """Give up early on what names no known tool."""
        while self._seen < len(self._pieces) and len(self._head) < MAX_HEAD:
            self._head += self._pieces[self._seen][:MAX_HEAD]
            self._seen += 1
        name, bracket, _ = self._head.lstrip("[, \n").partition("(")
        name = name.strip()
        if name not in known if bracket else not any(tool.startswith(name) for tool in known):
            raise Malformed("not the name of a tool")


def read_call(reader: LiteralReader) -> tuple[str, str]:
    """Name and arguments (JSON text) of the call that stands here."""
    name = reader.name()
    reader.need("(")
    members: list[tuple[str, str]] = []
    while not reader.take(")"):
        key = reader.name()
        reader.need("=")
        members.append((key, reader.value()))
        if not reader.take(","):
            reader.need(")")
            break
    return name, object_text(members)
