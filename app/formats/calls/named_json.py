"""Calls as a name and a JSON object between markers: Kimi K2, DeepSeek V3 to V3.1, Mistral, Solar, Functionary."""

import re
from dataclasses import dataclass

from app.formats.family import CallSink
from app.formats.text.cursor import MAX_NAME, Cursor, CutOff, Malformed, Steps
from app.formats.text.jsontext import JsonValue
from app.formats.text.schema import ToolTypes


@dataclass(frozen=True, slots=True)
class NamedJsonCalls:
    """``[section] (call name ends JSON [close])+ [section_close]``.

    ``name``: a pattern whose first group is the tool's name in what stands before ``name_ends``. ``fence``: what may
    stand around the JSON. ``written``: how a model writes the name (``{index}``: a number).
    """

    call: str
    name_ends: tuple[str, ...]
    close: tuple[str, ...] = ()
    section: str = ""
    section_close: tuple[str, ...] = ()
    name: str = r"\s*([^\s{}\[\]\"]+)\s*"
    fence: tuple[str, str] | None = None
    skip_to: str = ""
    soft_opens: tuple[str, ...] = ()
    written: str = "{name}"

    @property
    def openers(self) -> tuple[str, ...]:
        return (self.section, self.call) if self.section else (self.call,)

    @property
    def markers(self) -> tuple[str, ...]:
        ends = tuple(end for end in self.name_ends if end.strip() and end not in ("{", ">"))
        skip = (self.skip_to,) if self.skip_to else ()
        return (*ends, *skip, *self.close, *self.section_close)

    @property
    def soft(self) -> tuple[str, ...]:
        return self.soft_opens

    @property
    def spelt(self) -> tuple[str, ...]:
        return ()

    def read(self, opener: str, cursor: Cursor, calls: CallSink, tools: ToolTypes) -> Steps[None]:  # noqa: ARG002 - protocol
        if opener == self.section and self.section:
            if self.section_close and (yield from cursor.accept(*self.section_close)):
                return
            yield from cursor.require(self.call)
        while True:
            yield from self._one(cursor, calls)
            if not (yield from cursor.accept(self.call)):
                break
        if self.section_close:
            yield from cursor.accept(*self.section_close)

    def _one(self, cursor: Cursor, calls: CallSink) -> Steps[None]:
        if self.skip_to:
            yield from cursor.until(self.skip_to, limit=MAX_NAME)
        head, _ = yield from cursor.until(*self.name_ends, limit=MAX_NAME)
        match = re.fullmatch(self.name, head)
        if match is None:
            raise Malformed("not the name of a tool")
        fenced = False
        if self.fence:
            fenced = bool((yield from cursor.accept(self.fence[0])))
        empty = (*self.close, self.fence[1]) if fenced and self.fence else self.close
        yield from read_named_json(match.group(1), cursor, calls, empty=empty)
        if fenced and self.fence:
            yield from cursor.accept(self.fence[1])
        if self.close:
            yield from cursor.accept(*self.close)


def read_named_json(name: str, cursor: Cursor, calls: CallSink, *, empty: tuple[str, ...] = ()) -> Steps[None]:
    """Read the JSON object that stands here as the arguments of ``name``; nothing before one of ``empty`` is ``{}``."""
    calls.open(name)
    yield from cursor.skip_space()
    if empty and (yield from cursor.follows(*empty)):
        calls.close("{}")
        return
    value = JsonValue()
    while not value.done:
        try:
            value.step(cursor)
        finally:
            calls.arguments(value.fresh()[1])
        if not value.done:
            if cursor.ended:
                raise CutOff
            yield
    calls.close(value.checked_object())
