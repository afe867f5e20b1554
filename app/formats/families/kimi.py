"""Moonshot's Kimi: K2, K2 Thinking, K2.5 to K2.7 (sections of calls, ids counted through the conversation), and K3."""

from app.formats.calls.named_json import NamedJsonCalls
from app.formats.calls.xtml import XtmlCalls
from app.formats.family import GREEDY, Family, Preset, Thinking, drawn

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
    presets=(
        Preset("trained here, for greedy decoding", GREEDY, models=("alcove-tiny",)),
        Preset(
            "Kimi K2 Instruct, model card; min_p: Unsloth's guide",
            drawn(0.6, min_p=0.01),
            models=("kimi-k2-instruct", "kimi-k2-0905"),
        ),
        Preset(
            "Kimi K2 Thinking, model card; min_p: Unsloth's guide", drawn(1.0, min_p=0.01), models=("kimi-k2-thinking",)
        ),
        Preset(
            "Kimi K2.5, model card; min_p: Unsloth's guide",
            drawn(1.0, 0.95, min_p=0.01),
            at_once=drawn(0.6, 0.95, min_p=0.01),
        ),
    ),
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
    presets=(Preset("Moonshot's service, which takes nothing else", drawn(1.0, 0.95)),),
)

FAMILIES = (K3, K2)
