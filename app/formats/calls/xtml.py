"""Kimi K3: tags between tokens, each argument with its type.

``<|open|>call tool="N" index="1"<|sep|><|open|>argument key="k" type="string"<|sep|>V<|close|>argument<|sep|>``
"""

import re
from dataclasses import dataclass

from app.formats.family import CallSink
from app.formats.text.cursor import MAX_NAME, Cursor, Malformed, Steps
from app.formats.text.jsontext import object_text, quote, strict_loads
from app.formats.text.schema import ToolTypes, json_type

_SECTION, _CALL = "<|open|>tools<|sep|>", "<|open|>call "
_ATTRIBUTE = re.compile(r'\s*([\w-]+)="([^"]*)"')


@dataclass(frozen=True, slots=True)
class XtmlCalls:
    @property
    def openers(self) -> tuple[str, ...]:
        return (_SECTION, _CALL)

    @property
    def markers(self) -> tuple[str, ...]:
        return (
            "<|close|>tools<|sep|>",
            "<|close|>call<|sep|>",
            "<|close|>argument<|sep|>",
            "<|close|>json<|sep|>",
            "<|open|>argument ",
            "<|open|>json",
        )

    @property
    def soft(self) -> tuple[str, ...]:
        return ()

    @property
    def spelt(self) -> tuple[str, ...]:
        return ()

    def read(self, opener: str, cursor: Cursor, calls: CallSink, tools: ToolTypes) -> Steps[None]:  # noqa: ARG002 - protocol
        if opener == _SECTION:
            yield from cursor.require(_CALL)
        yield from self._one(cursor, calls)
        while (yield from cursor.accept(_CALL)):
            yield from self._one(cursor, calls)
        if opener == _SECTION:
            yield from cursor.accept("<|close|>tools<|sep|>")

    def _one(self, cursor: Cursor, calls: CallSink) -> Steps[None]:
        call = yield from _attributes(cursor)
        if not call.get("tool"):
            raise Malformed("a call without a name")
        calls.open(call["tool"])
        members: list[tuple[str, str]] = []
        whole: str | None = None
        while True:
            found = yield from cursor.require("<|open|>argument ", "<|open|>json", "<|close|>call<|sep|>")
            if found == "<|close|>call<|sep|>":
                break
            if found == "<|open|>json":
                yield from cursor.until("<|sep|>", limit=MAX_NAME)
                raw = yield from cursor.raw_value(
                    "<|close|>json<|sep|>", "<|close|>call", "<|open|>argument ", token=True
                )
                whole = _object(raw)
            else:
                members.append((yield from _argument(cursor)))
        if whole is not None and members:
            raise Malformed("arguments in two forms")
        calls.close(object_text(members) if whole is None else whole)


def _argument(cursor: Cursor) -> Steps[tuple[str, str]]:
    attributes = yield from _attributes(cursor)
    if "key" not in attributes:
        raise Malformed("an argument without a name")
    raw = yield from cursor.raw_value(
        "<|close|>argument<|sep|>", "<|open|>argument ", "<|open|>json", "<|close|>call", token=True
    )
    kind = attributes.get("type", "string")
    if kind == "string":
        return attributes["key"], quote(raw)
    if json_type(strict_loads(raw)) != ("number" if kind == "integer" else kind):
        raise Malformed("another type than it says")
    return attributes["key"], raw.strip()


def _object(raw: str) -> str:
    if not isinstance(strict_loads(raw), dict):
        raise Malformed("not an object")
    return raw.strip()


def _attributes(cursor: Cursor) -> Steps[dict[str, str]]:
    """Attributes up to the end of the tag."""
    text, _ = yield from cursor.until("<|sep|>", limit=4 * MAX_NAME, forbid="\n")
    found = dict(_ATTRIBUTE.findall(text))
    if _ATTRIBUTE.sub("", text).strip():
        raise Malformed("not attributes")
    return {key: value.replace("&quot;", '"').replace("&amp;", "&") for key, value in found.items()}
