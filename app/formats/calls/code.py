"""Llama's python tag: ``<|python_tag|>name.call(k="v")``, or the code of a tool that runs code."""

import re
from dataclasses import dataclass

from app.formats.calls.pythonic import read_call
from app.formats.family import CallSink
from app.formats.text.cursor import Cursor, CutOff, Malformed, Steps
from app.formats.text.jsontext import object_text, quote
from app.formats.text.literals import LiteralReader
from app.formats.text.schema import ToolTypes

_CALL = re.compile(r"[\w.\-]+\.call\(")
_RUNNERS = ("python", "ipython", "code_interpreter")


@dataclass(frozen=True, slots=True)
class CodeCalls:
    """``ends`` end the code and are not part of it."""

    open: str
    ends: tuple[str, ...]

    @property
    def openers(self) -> tuple[str, ...]:
        return (self.open,)

    @property
    def markers(self) -> tuple[str, ...]:
        return ()

    @property
    def soft(self) -> tuple[str, ...]:
        return ()

    @property
    def spelt(self) -> tuple[str, ...]:
        return ()

    def read(self, opener: str, cursor: Cursor, calls: CallSink, tools: ToolTypes) -> Steps[None]:  # noqa: ARG002 - protocol
        text = (yield from cursor.up_to(*self.ends)).strip()
        if cursor.empty and (cursor.truncated or not text):
            raise CutOff
        if _CALL.match(text):
            name, arguments = _call(text)
        else:
            name = next((name for name in _RUNNERS if name in tools.names), "")
            if not name or not text:
                raise Malformed("no code, or no tool that runs it")
            arguments = object_text([("code", quote(text))])
        calls.open(name)
        calls.arguments(arguments)
        calls.close(arguments)


def _call(text: str) -> tuple[str, str]:
    """Templates put the values between quotes as they are."""
    try:
        return _strictly(LiteralReader(text))
    except Malformed:
        return _strictly(LiteralReader(text, loose=True))


def _strictly(reader: LiteralReader) -> tuple[str, str]:
    name, arguments = read_call(reader)
    reader.end()
    return name.removesuffix(".call"), arguments
