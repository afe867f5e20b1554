"""Moonshot's Kimi: K2, K2 Thinking, K2.5 to K2.7 (sections of calls, ids counted through the conversation), and K3."""

from app.formats.calls.named_json import NamedJsonCalls
from app.formats.calls.xtml import XtmlCalls
from app.formats.family import Family, Thinking

K2 = Family(
    name="kimi-k2",
    needs=("<|tool_calls_section_begin|>",),
    calls=NamedJsonCalls(
        section="<|tool_calls_section_begin|>",
        call="<|tool_call_begin|>",
        name=r"\s*(?:functions\.)?([^\s:]\S*?)(?::\d+)?\s*",
        name_ends=("<|tool_call_argument_begin|>",),
        close=("<|tool_call_end|>",),
        section_close=("<|tool_calls_section_end|>",),
        written="functions.{name}:{index}",
    ),
    ends=("<|im_end|>", "[EOS]", "[EOT]"),
    call_id=lambda name, index: f"functions.{name}:{index}",
    raw_arguments=True,
    thinking=Thinking(on={"thinking": True}, off={"thinking": False}),
)

K3 = Family(
    thinks=True,
    name="kimi-k3",
    needs=("<|open|>", "<|sep|>"),
    think_open=("<|open|>think<|sep|>",),
    think_close=("<|close|>think<|sep|>",),
    calls=XtmlCalls(),
    noise=(
        "<|open|>response<|sep|>",
        "<|close|>response<|sep|>",
    ),
    tidy=r"<\|(?:open|close)\|>[^\n<]*<\|sep\|>",
    ends=("<|close|>message<|sep|>", "<|end_of_msg|>"),
    thinking=Thinking(
        on={"thinking": True}, off={"thinking": False}, effort="thinking_effort", efforts=("low", "high", "max")
    ),
)

FAMILIES = (K3, K2)
