"""MiniMax M3: arguments as nested tags, each announced by a token: ``NS<invoke name="N">NS<k>v NS</k>NS</invoke>``.

Items of a list are ``<item>``. Scalars are raw text whose type the tool's schema says.
"""

from dataclasses import dataclass

from app.formats.family import CallSink
from app.formats.text.cursor import MAX_NAME, Cursor, Malformed, Steps
from app.formats.text.jsontext import MAX_DEPTH, object_text
from app.formats.text.schema import ToolTypes, Typed, typed_value


@dataclass(frozen=True, slots=True)
class NestedXmlCalls:
    mark: str  # the token before every tag

    @property
    def openers(self) -> tuple[str, ...]:
        return (f"{self.mark}<tool_call>",)

    @property
    def markers(self) -> tuple[str, ...]:
        return (f"{self.mark}</tool_call>", f'{self.mark}<invoke name="', f"{self.mark}</invoke>")

    @property
    def soft(self) -> tuple[str, ...]:
        return ()

    @property
    def spelt(self) -> tuple[str, ...]:
        return ()

    def read(self, opener: str, cursor: Cursor, calls: CallSink, tools: ToolTypes) -> Steps[None]:  # noqa: ARG002 - protocol
        invoke = f'{self.mark}<invoke name="'
        yield from cursor.require(invoke)
        while True:
            name, _ = yield from cursor.until('">', limit=MAX_NAME, forbid="\n<")
            calls.open(name)
            arguments = yield from self._members("invoke", _Arguments(name, tools), cursor, 0)
            calls.close(arguments)
            if not (yield from cursor.accept(invoke)):
                break
        yield from cursor.accept(f"{self.mark}</tool_call>")

    def _members(self, tag: str, types: "Typed | _Arguments", cursor: Cursor, depth: int) -> Steps[str]:
        """``<k>..</k>`` up to ``</tag>``, as a JSON object."""
        members: list[tuple[str, str]] = []
        while True:
            yield from cursor.require(f"{self.mark}<")
            name, _ = yield from cursor.until(">", limit=MAX_NAME, forbid="\n<")
            if name == f"/{tag}":
                return object_text(members)
            members.append((name, (yield from self._value(name, types.member(name), cursor, depth + 1))))

    def _value(self, tag: str, types: Typed, cursor: Cursor, depth: int) -> Steps[str]:
        if depth > MAX_DEPTH:
            raise Malformed("nested too deeply")
        text, _ = yield from cursor.until(f"{self.mark}<")
        name, _ = yield from cursor.until(">", limit=MAX_NAME, forbid="\n<")
        if name == f"/{tag}":
            return self._leaf(text, types.types())
        if text.strip() or name.startswith("/"):
            raise Malformed("text beside tags")
        allowed = types.types()
        as_list = name == "item" and ("array" in allowed or "object" not in allowed)
        members: list[tuple[str, str]] = []
        while True:
            member = types.item() if as_list else types.member(name)
            members.append((name, (yield from self._value(name, member, cursor, depth + 1))))
            yield from cursor.require(f"{self.mark}<")
            name, _ = yield from cursor.until(">", limit=MAX_NAME, forbid="\n<")
            if name == f"/{tag}":
                break
            if as_list and name != "item":
                raise Malformed("a list with names")
        return f"[{', '.join(value for _, value in members)}]" if as_list else object_text(members)

    @staticmethod
    def _leaf(text: str, types: frozenset[str]) -> str:
        if not text.strip() and "string" not in types:
            if "object" in types:
                return "{}"
            if "array" in types:
                return "[]"
        return typed_value(text, types)


class _Arguments:
    """A tool's parameters, asked like a schema."""

    def __init__(self, tool: str, tools: ToolTypes) -> None:
        self._tool = tool
        self._tools = tools

    def member(self, key: str) -> Typed:
        return self._tools.parameter(self._tool, key)
