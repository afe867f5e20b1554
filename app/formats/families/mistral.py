"""Mistral: ``[TOOL_CALLS]`` before a list of objects (v3 to v7) or before each ``N[ARGS]{...}`` (v11 on; some put
``[CALL_ID]``); reasoning in ``[THINK]``."""

from dataclasses import dataclass, replace

from app.formats.calls.json_calls import JsonCalls
from app.formats.calls.named_json import read_named_json
from app.formats.family import CallSink, Family, Preset, Thinking, drawn
from app.formats.text.cursor import Cursor, Malformed, Steps
from app.formats.text.schema import ToolTypes

_LIST = JsonCalls(opens=("[TOOL_CALLS]",))


@dataclass(frozen=True, slots=True)
class MistralCalls:
    @property
    def openers(self) -> tuple[str, ...]:
        return ("[TOOL_CALLS]",)

    @property
    def markers(self) -> tuple[str, ...]:
        return ("[ARGS]", "[CALL_ID]")

    @property
    def soft(self) -> tuple[str, ...]:
        return ()

    @property
    def spelt(self) -> tuple[str, ...]:
        return ()

    def read(self, opener: str, cursor: Cursor, calls: CallSink, tools: ToolTypes) -> Steps[None]:
        if (yield from cursor.peek()) in ("[", "{"):
            yield from _LIST.read(opener, cursor, calls, tools)
            return
        while True:
            name = (yield from cursor.before("[{")).strip()
            if any(char.isspace() for char in name) or (not name and not cursor.empty):
                raise Malformed("not the name of a tool")
            named = (yield from cursor.peek()) == "{"
            if not named and (yield from cursor.require("[CALL_ID]", "[ARGS]")) == "[CALL_ID]":
                yield from cursor.before("[{")
                if (yield from cursor.peek()) != "{":
                    yield from cursor.require("[ARGS]")
            yield from read_named_json(name, cursor, calls, empty=("[TOOL_CALLS]", "</s>"))
            if not (yield from cursor.accept("[TOOL_CALLS]")):
                return


MISTRAL = Family(
    name="mistral",
    any_of=("[TOOL_CALLS]", "[THINK]"),
    think_open=("[THINK]", "<think>"),
    think_close=("[/THINK]", "</think>"),
    calls=MistralCalls(),
    ends=("</s>",),
    raw_arguments=True,
    thinking=Thinking(on={"reasoning_effort": "high"}, off={"reasoning_effort": "none"}, efforts=("high",)),
    presets=(
        Preset("Mistral Nemo, model card", drawn(0.3), models=("nemo",)),
        Preset(
            "Ministral 3, model cards: Reasoning 0.7 and 0.95, Instruct below 0.1",
            drawn(0.7, 0.95),
            at_once=drawn(0.05),
            models=("ministral",),
        ),
        Preset(
            "Magistral and Mistral Small 4 with reasoning; Mistral Small 3.2 and Devstral: model cards",
            drawn(0.7, 0.95),
            at_once=drawn(0.15),
        ),
    ),
)

# The first Magistral, whose tags are no tokens.
MAGISTRAL = replace(MISTRAL, needs=("<think>",), spelt=("<think>", "</think>"))

FAMILIES = (MAGISTRAL, MISTRAL)
