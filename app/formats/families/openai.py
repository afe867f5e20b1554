"""Formats whose output is a row of messages with headers: OpenAI's harmony (gpt-oss), Muse Glimmer, Solar Open.

Harmony: a header names a channel (``analysis`` is reasoning) and may name a recipient (a call). See the maker's
``openai-harmony`` for the format.
"""

import re

from app.formats.calls.named_json import NamedJsonCalls
from app.formats.calls.xml_calls import XmlCalls
from app.formats.family import Family, Header, HeaderSyntax, Preset, Thinking, drawn
from app.formats.text.schema import ToolTypes

_RECIPIENT = re.compile(r"\bto=([^\s<]+)")
_ROLE = re.compile(r"\s*(?:assistant|user|system|developer|tool|functions\.\S+)?\s*(?:<.*)?")
_CHANNEL = re.compile(r"(?:<\|channel\|>|^)\s*(analysis|commentary|final)\b")


def _harmony_header(text: str, tools: ToolTypes) -> Header | None:  # noqa: ARG001 - one shape for all families
    recipient, channel = _RECIPIENT.search(text), _CHANNEL.search(text)
    if not recipient and not channel and not _ROLE.fullmatch(text):
        return None
    if recipient and recipient.group(1) not in ("all", "user", "assistant"):
        return Header("call", recipient.group(1).removeprefix("functions."))
    return Header("reasoning" if channel and channel.group(1) == "analysis" else "content")


def _muse_header(text: str, tools: ToolTypes) -> Header:  # noqa: ARG001 - as above
    recipient = _RECIPIENT.search(text)
    return Header("reasoning" if recipient and recipient.group(1) == "self" else "content")


GPT_OSS = Family(
    thinks=True,
    name="gpt-oss",
    needs=("<|channel|>", "<|start|>"),
    think_open=(),
    think_close=(),
    headers=HeaderSyntax(
        openers=("<|start|>", "<|channel|>"),
        end="<|message|>",
        classify=_harmony_header,
        first=("<|channel|>", "to=", "<|message|>", "<|constrain|>"),
        between=("<|end|>",),
    ),
    noise=("<|constrain|>", "<|message|>"),
    ends=("<|end|>", "<|return|>", "<|call|>", "<|endoftext|>"),
    single=True,
    thinking=Thinking(on={}, off={}, efforts=("low", "medium", "high")),
    presets=(Preset("gpt-oss, README: temperature 1, top_p 1; min_p: Unsloth's guide", drawn(1.0, min_p=0.01)),),
)

MUSE = Family(
    thinks=True,
    name="muse",
    needs=("<atem:function_calls>",),
    think_open=(),
    think_close=(),
    headers=HeaderSyntax(
        openers=("<|start|>",),
        end="<|message|>",
        classify=_muse_header,
        first=("to=", "<|message|>"),
        between=("<|eom|>",),
    ),
    calls=XmlCalls(
        block=("<atem:function_calls>",),
        block_close=("</atem:function_calls>",),
        call='<atem:invoke name="',
        call_end='">',
        close="</atem:invoke>",
        parameter='<atem:parameter name="',
        parameter_end='">',
        value_close="</atem:parameter>",
    ),
    tidy=r'<atem:(?:invoke|parameter) name="[^>\n]*>',
    spelt=("<atem:function_calls>", "</atem:function_calls>"),
    noise=("<|message|>",),
    ends=("<|eom|>", "<|eot|>"),
    thinking=Thinking(on={}, off={}, effort="reasoning_strength"),
)

SOLAR = Family(
    name="solar",
    needs=("<|tool_call:begin|>",),
    think_open=("<|think|>",),
    think_close=("<|end|>",),
    calls=NamedJsonCalls(
        section="<|tool_calls|>",
        call="<|tool_call:begin|>",
        skip_to="<|tool_call:name|>",
        name_ends=("<|tool_call:args|>",),
        close=("<|tool_call:end|>",),
        section_close=("<|calls|>",),
    ),
    noise=("<|begin|>assistant", "<|content|>"),
    ends=("<|end|>", "<|flush|>"),
    thinking=Thinking(on={}, off={"reasoning_effort": "minimal"}),
    presets=(Preset("Solar Open 100B, generation_config.json", drawn(0.8, 0.95)),),
)

FAMILIES = (MUSE, GPT_OSS, SOLAR)
