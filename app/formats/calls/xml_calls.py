"""Calls as tags: ``<function=N><parameter=K>raw</parameter></function>`` and its relatives.

Values are raw text whose type the tool's schema says, or an attribute of the tag.
"""

import re
from dataclasses import dataclass

from app.formats.family import CallSink
from app.formats.text.cursor import MAX_NAME, Cursor, Malformed, Steps
from app.formats.text.jsontext import object_text, quote, strict_loads
from app.formats.text.schema import ToolTypes, typed_value

_CDATA = re.compile(r"\s*<!\[CDATA\[(.*?)\]\]>\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class XmlCalls:
    """``[block] (call NAME call_end (parameter KEY parameter_end VALUE value_close)* close)+ [block_close]``.

    ``loose``: ``call`` may also stand without its block, and the block's end may stand for that of the call.
    ``newlines``: one newline on each side of a value belongs to the wire. ``flag``: KEY is followed by an attribute
    ``string="true|false"``. ``cdata``: a value may be wrapped. ``text_tags``: the tags inside the block are no tokens
    but ordinary text. ``unclosed``: models leave out ``value_close``; a value then ends before another parameter that
    the tool has, or before the end of a call that one of these markers, another call or the end of the block follows.
    """

    call: str
    call_end: str
    close: str
    parameter: str
    parameter_end: str
    value_close: str
    block: tuple[str, ...] = ()
    block_close: tuple[str, ...] = ()
    loose: bool = False
    newlines: bool = False
    flag: str = ""
    cdata: bool = False
    text_tags: bool = True
    unclosed: tuple[str, ...] = ()

    @property
    def openers(self) -> tuple[str, ...]:
        return (*self.block, self.call) if self.loose else self.block

    @property
    def markers(self) -> tuple[str, ...]:
        inner = (self.close, self.parameter, self.value_close)
        return (*inner, *self.block_close) if self.loose else (*inner, self.call, *self.block_close)

    @property
    def soft(self) -> tuple[str, ...]:
        return (self.call,) if self.loose else ()

    @property
    def spelt(self) -> tuple[str, ...]:
        return (self.call, self.close, self.parameter, self.value_close) if self.text_tags else ()

    def read(self, opener: str, cursor: Cursor, calls: CallSink, tools: ToolTypes) -> Steps[None]:
        alone = opener == self.call
        if not alone:
            yield from cursor.require(self.call)
        while True:
            over = yield from self._one(cursor, calls, tools, alone=alone)
            if over or not (yield from cursor.accept(self.call)):
                break
        if self.block_close and not over:
            yield from cursor.accept(*self.block_close)

    def _ends(self) -> tuple[str, ...]:
        return (self.close, *self.block_close) if self.loose else (self.close,)

    def _one(self, cursor: Cursor, calls: CallSink, tools: ToolTypes, *, alone: bool) -> Steps[bool]:
        """Read a call; whether its block is over with it."""
        name, _ = yield from cursor.until(self.call_end, limit=MAX_NAME, forbid="\n<")
        name = name.strip()
        if not name or (alone and tools.names and name not in tools.names):
            raise Malformed("not the name of a tool")
        calls.open(name)
        members: list[tuple[str, str]] = []
        end = yield from cursor.require(self.parameter, *self._ends())
        while end == self.parameter:
            key, value, end = yield from self._parameter(name, cursor, tools)
            members.append((key, value))
            end = end or (yield from cursor.require(self.parameter, *self._ends()))
        calls.close(object_text(members))
        return end != self.close

    def _parameter(self, tool: str, cursor: Cursor, tools: ToolTypes) -> Steps[tuple[str, str, str]]:
        """Key, value and which tag was taken with them because the value had no closing one."""
        key, _ = yield from cursor.until(self.parameter_end, limit=MAX_NAME, forbid="\n<")
        is_string: str | None = None
        if self.flag:
            key, found, is_string = key.partition(self.flag)
            if not found or is_string not in ("true", "false"):
                raise Malformed("no type")
        key = key.strip()
        taken = ""
        if self.unclosed:
            raw, taken = yield from self._value(cursor, tools.keys(tool) - {key})
        else:
            raw = yield from cursor.raw_value(self.value_close, self.parameter, *self._ends())
        if self.cdata and (wrapped := _CDATA.fullmatch(raw)):
            raw = wrapped.group(1)
        if self.newlines:
            raw = raw[raw.startswith("\n") :]
            raw = raw[: len(raw) - raw.endswith("\n")]
        if is_string is None:
            return key, typed_value(raw, tools.parameter(tool, key).types()), taken
        if is_string == "true":
            return key, quote(raw), taken
        strict_loads(raw)
        return key, raw.strip(), taken

    def _value(self, cursor: Cursor, others: frozenset[str]) -> Steps[tuple[str, str]]:
        """A value and the tag that ended it in place of ``value_close``."""
        pieces: list[str] = []
        while True:
            piece, tag = yield from cursor.until(self.value_close, self.parameter, self.close)
            pieces.append(piece)
            if tag == self.value_close:
                if (yield from cursor.follows(self.parameter, *self._ends())):
                    return "".join(pieces), ""
            elif tag == self.parameter:
                if others and (yield from cursor.follows(*(f"{key}{self.parameter_end}" for key in sorted(others)))):
                    return "".join(pieces), tag
            elif (yield from self._called(cursor)):
                return "".join(pieces), tag
            pieces.append(tag)

    def _called(self, cursor: Cursor) -> Steps[bool]:
        """Whether what follows shows that a call was over here."""
        for close in self.block_close:
            if (yield from cursor.follows(close)):
                after = cursor.text.index(close, cursor.at) + len(close) - cursor.at
                return (yield from cursor.over(*self.openers, *self.unclosed, skip=after))
        return (yield from cursor.follows(*self.openers, *self.unclosed))
