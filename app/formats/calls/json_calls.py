"""Calls as JSON objects: ``<tool_call>{"name": N, "arguments": {...}}</tool_call>``, alone or in a list."""

from collections.abc import Collection
from dataclasses import dataclass

from app.formats.family import CallSink
from app.formats.text.cursor import Cursor, CutOff, Malformed, Steps
from app.formats.text.jsontext import JsonValue, strict_loads
from app.formats.text.schema import ToolTypes


@dataclass(frozen=True, slots=True)
class JsonCalls:
    """``opens`` begin a block, ``closes`` end it. ``keyed``: the only key of an object is the tool, its value the
    arguments. ``known_only``: an object that names no known tool is no call; ``invented``: it is one if it has a name
    and arguments and nothing else. ``tail``: text after the block that
    belongs to it. ``soft_opens``: openers that are also ordinary text. ``separators`` may stand between objects.
    ``lines``: models write several objects without a list."""

    opens: tuple[str, ...]
    closes: tuple[str, ...] = ()
    name_keys: tuple[str, ...] = ("name",)
    argument_keys: tuple[str, ...] = ("arguments",)
    keyed: bool = False
    known_only: bool = False
    invented: bool = False
    soft_opens: tuple[str, ...] = ()
    separators: tuple[str, ...] = (";",)
    tail: tuple[str, ...] = ()
    lines: bool = False

    @property
    def openers(self) -> tuple[str, ...]:
        return self.opens

    @property
    def markers(self) -> tuple[str, ...]:
        return self.closes

    @property
    def soft(self) -> tuple[str, ...]:
        return self.soft_opens

    @property
    def spelt(self) -> tuple[str, ...]:
        return ()

    def read(self, opener: str, cursor: Cursor, calls: CallSink, tools: ToolTypes) -> Steps[None]:
        bare = opener == ""
        if bare and (yield from cursor.peek()) == "[":
            opener = "["
            yield from cursor.require("[")
        listed = opener.endswith("[") or bool((yield from cursor.accept("[")))
        if listed and (yield from cursor.accept("]")):
            yield from cursor.accept(*self.closes, *self.tail)
            return
        while True:
            yield from cursor.skip_space()
            if cursor.empty:
                raise CutOff
            yield from self._object(cursor, calls, tools)
            if listed and (yield from self._list_ends(cursor)):
                break
            if not listed:
                yield from cursor.accept(*self.separators)
                if (yield from cursor.peek()) != "{":
                    break
        if self.closes or self.tail:
            yield from cursor.accept(*self.closes, *self.tail)

    def _list_ends(self, cursor: Cursor) -> Steps[bool]:
        """Whether the list is over; its bracket may be missing where nothing follows but what ends the block."""
        found = yield from cursor.accept(",", "]")
        missing = not found and not (yield from cursor.follows(*self.closes))
        if missing and (yield from cursor.peek()):
            raise cursor.verdict(",", "]")
        return found != ","

    def _object(self, cursor: Cursor, calls: CallSink, tools: ToolTypes) -> Steps[None]:
        if cursor.text[cursor.at] != "{":
            raise Malformed("a call is not an object")
        value = JsonValue()
        while not value.done:
            try:
                value.step(cursor)
            finally:
                if calls.name is None:
                    self._announce(value, calls, tools)
                if calls.name is not None:
                    self._show(value, calls)
            if not value.done:
                if cursor.ended:
                    raise CutOff
                yield
        self._close(value, calls)

    def _announce(self, value: JsonValue, calls: CallSink, tools: ToolTypes) -> None:
        """Open the call as soon as its name is whole."""
        for key in self.name_keys:
            begin, end = value.members.get(key, (0, None))
            if end is not None:
                name = strict_loads(value.text[begin:end])
                unknown = self.known_only and name not in tools.names
                if unknown and self.invented and tools.names and self._only_call(value.members):
                    return  # its end decides
                if not isinstance(name, str) or not name or unknown:
                    raise Malformed("not the name of a tool")
                calls.open(name)
                return

    def _only_call(self, keys: Collection[str]) -> bool:
        return set(keys) <= {*self.name_keys, *self.argument_keys}

    def _show(self, value: JsonValue, calls: CallSink) -> None:
        """Pass on what came of the arguments, so that a person sees them grow."""
        start, text = value.fresh()
        for key in self.argument_keys:
            if place := value.members.get(key):
                begin, end = place
                if begin > start or end is not None:
                    text = text[max(0, begin - start) : None if end is None else max(0, end - start)]
                calls.arguments(text)
                return

    def _close(self, value: JsonValue, calls: CallSink) -> None:
        text = value.text
        decoded = strict_loads(text)
        if not isinstance(decoded, dict):
            raise Malformed("a call is not an object")
        key = next((key for key in self.argument_keys if key in decoded), None)
        if self.keyed:
            if len(decoded) != 1:
                raise Malformed("not one tool")
            key = next(iter(decoded))
            calls.open(key)
        elif calls.name is None:
            name = next((decoded[one] for one in self.name_keys if one in decoded), None)
            arguments = key and isinstance(decoded[key], dict)
            if not (self.invented and isinstance(name, str) and name and arguments and self._only_call(decoded)):
                raise Malformed("a call without a name")
            calls.open(name)
        if key is None or decoded[key] is None:
            calls.close("{}")
            return
        if not isinstance(decoded[key], dict):
            raise Malformed("the arguments are not an object")
        begin, end = value.members[key]
        calls.close(text[begin:end].strip())
