"""Cohere's Command: R7B and later (sections between tokens), R+ (``Action:`` and fenced JSON)."""

from app.formats.calls.json_calls import JsonCalls
from app.formats.family import Family, Thinking

_ENDS = ("<|END_OF_TURN_TOKEN|>",)

COMMAND_R7B = Family(
    name="command-r7b",
    needs=("<|START_ACTION|>",),
    think_open=("<|START_THINKING|>",),
    think_close=("<|END_THINKING|>",),
    calls=JsonCalls(
        opens=("<|START_ACTION|>",),
        closes=("<|END_ACTION|>",),
        name_keys=("tool_name", "name"),
        argument_keys=("parameters", "arguments"),
    ),
    noise=("<|START_RESPONSE|>", "<|END_RESPONSE|>", "<|START_TEXT|>", "<|END_TEXT|>"),
    ends=_ENDS,
    thinking=Thinking(
        on={"reasoning": True, "enable_thinking": True}, off={"reasoning": False, "enable_thinking": False}
    ),
)
COMMAND_R_PLUS = Family(
    name="command-r-plus",
    needs=("<|CHATBOT_TOKEN|>", "Action:"),
    calls=JsonCalls(
        opens=("Action:\n```json\n", "Action: ```json\n"),
        name_keys=("tool_name", "name"),
        argument_keys=("parameters", "arguments"),
        soft_opens=("Action:\n```json\n", "Action: ```json\n"),
        tail=("```",),
    ),
    ends=_ENDS,
)

FAMILIES = (COMMAND_R7B, COMMAND_R_PLUS)
