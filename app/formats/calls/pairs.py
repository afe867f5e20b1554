"""Calls as pairs of tags: ``<tool_call>N<arg_key>k</arg_key><arg_value>v</arg_value></tool_call>`` (GLM and others)."""

from dataclasses import dataclass

from app.formats.family import CallSink
from app.formats.text.cursor import MAX_NAME, Cursor, Malformed, Steps
from app.formats.text.jsontext import object_text
from app.formats.text.schema import ToolTypes, typed_value


@dataclass(frozen=True, slots=True)
class PairCalls:
    """``prefix`` and ``suffix`` are part of every tag (``<longcat_arg_key>``, ``<arg_key:opensource>``);
    ``sections``: calls stand in ``<tool_calls>``; ``separator`` ends the name."""

    suffix: str = ""
    prefix: str = ""
    sections: bool = False
    separator: str = ""

    def tag(self, name: str) -> str:
        slash = "/" if name.startswith("/") else ""
        return f"<{slash}{self.prefix}{name[len(slash) :]}{self.suffix}>"

    @property
    def openers(self) -> tuple[str, ...]:
        call = self.tag("tool_call")
        return (self.tag("tool_calls"), call) if self.sections else (call,)

    @property
    def markers(self) -> tuple[str, ...]:
        names = [
            "arg_key",
            "/arg_key",
            "arg_value",
            "/arg_value",
            "/tool_call",
            *(["/tool_calls"] if self.sections else []),
        ]
        return (*map(self.tag, names), *([self.tag(self.separator)] if self.separator else []))

    @property
    def soft(self) -> tuple[str, ...]:
        return ()

    @property
    def spelt(self) -> tuple[str, ...]:
        return ()

    def read(self, opener: str, cursor: Cursor, calls: CallSink, tools: ToolTypes) -> Steps[None]:
        call = self.tag("tool_call")
        if opener != call:
            yield from cursor.require(call)
        while True:
            yield from self._one(cursor, calls, tools)
            if not self.sections or not (yield from cursor.accept(call)):
                break
        if self.sections:
            yield from cursor.accept(self.tag("/tool_calls"))

    def _one(self, cursor: Cursor, calls: CallSink, tools: ToolTypes) -> Steps[None]:
        key_tag, close = self.tag("arg_key"), self.tag("/tool_call")
        name = yield from self._name(cursor, key_tag, close)
        calls.open(name)
        members: list[tuple[str, str]] = []
        while (yield from cursor.require(key_tag, close)) == key_tag:
            key, _ = yield from cursor.until(self.tag("/arg_key"), limit=MAX_NAME, forbid="<")
            yield from cursor.require(self.tag("arg_value"))
            value_close = self.tag("/arg_value")
            token = not cursor.spelt  # tags that are no tokens of the model open and close alike
            raw = yield from cursor.raw_value(value_close, key_tag, close, *self.openers, token=token)
            key = key.strip()
            members.append((key, typed_value(raw, tools.parameter(name, key).types())))
        calls.close(object_text(members))

    def _name(self, cursor: Cursor, key_tag: str, close: str) -> Steps[str]:
        """The name ends at its separator, a newline, or where another tag begins."""
        name = (yield from cursor.before("<{")).strip()
        if (not name and not cursor.empty) or any(char.isspace() for char in name):
            raise Malformed("not the name of a tool")
        ends = [self.tag(self.separator)] if self.separator else []
        found = yield from cursor.follows(*ends, key_tag, close)
        if not found:
            raise cursor.verdict(*ends, key_tag, close)
        if ends:
            yield from cursor.accept(*ends)
        return name
