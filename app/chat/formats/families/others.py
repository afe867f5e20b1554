"""Families of one wire each: ByteDance Seed, IBM granite, NVIDIA Nemotron Nano 2, ServiceNow Apriel, Apertus, GigaChat,
MiniCPM 5, Hunyuan A13B and ERNIE 4.5 Thinking. What the last two rest on, having no template here: docs/formats.md."""

from dataclasses import replace

from app.chat.formats.calls.json_calls import JsonCalls
from app.chat.formats.calls.xml_calls import XmlCalls
from app.chat.formats.families.qwen import HERMES, TAG_TIDY, TAGS
from app.chat.formats.family import Family

SEED = Family(
    name="seed-oss",
    needs=("<seed:tool_call>",),
    think_open=("<seed:think>",),
    think_close=("</seed:think>",),
    calls=replace(TAGS, block=("<seed:tool_call>",), block_close=("</seed:tool_call>",), newlines=False, loose=False),
    quiet=("<seed:cot_budget_reflect>", "</seed:cot_budget_reflect>"),
    tidy=TAG_TIDY,
    ends=("<seed:eos>",),
)
_GRANITE_ENDS = ("<|end_of_text|>", "<|start_of_role|>", "<|end_of_role|>")
GRANITE3 = Family(
    name="granite-3",
    needs=("<|start_of_role|>", "<|tool_call|>"),
    calls=JsonCalls(opens=("<|tool_call|>",)),
    noise=("<response>", "</response>"),
    ends=_GRANITE_ENDS,
)
GRANITE4 = Family(
    name="granite-4",
    needs=("<|start_of_role|>", "<tool_call>"),
    calls=HERMES,
    ends=_GRANITE_ENDS,
    raw_arguments=True,
)
NEMOTRON2 = Family(
    name="nemotron-2",
    needs=("<TOOLCALL>",),
    calls=JsonCalls(opens=("<TOOLCALL>",), closes=("</TOOLCALL>",)),
    ends=("<SPECIAL_12>",),
    raw_arguments=True,
)
APRIEL = Family(
    name="apriel",
    needs=("[BEGIN FINAL RESPONSE]",),
    think_open=("Here are my reasoning steps:\n", "<thinking>"),
    think_close=("[BEGIN FINAL RESPONSE]", "</thinking>"),
    calls=JsonCalls(opens=("<tool_calls>", "<tool_call>"), closes=("</tool_calls>", "</tool_call>")),
    noise=("[END FINAL RESPONSE]",),
    spelt=(
        "Here are my reasoning steps:\n",
        "[BEGIN FINAL RESPONSE]",
        "[END FINAL RESPONSE]",
        "<thinking>",
        "</thinking>",
    ),
    ends=("<|end|>",),
)
APERTUS = Family(
    name="apertus",
    needs=("<|tools_prefix|>",),
    think_open=("<|inner_prefix|>",),
    think_close=("<|inner_suffix|>",),
    calls=JsonCalls(opens=("<|tools_prefix|>",), closes=("<|tools_suffix|>",), keyed=True),
    ends=("<|assistant_end|>",),
)
GIGACHAT31 = Family(
    name="gigachat-3.1",
    needs=("<|role_sep|>", "<|function_call|>"),
    calls=JsonCalls(opens=("<|function_call|>",)),
    ends=("<|message_sep|>",),
    single=True,
)
GIGACHAT3 = Family(
    name="gigachat-3",
    needs=("<|role_sep|>", "function call"),
    calls=JsonCalls(opens=("function call<|role_sep|>",)),
    ends=("<|message_sep|>",),
    single=True,
)
MINICPM5 = Family(
    name="minicpm-5",
    needs=('<function name="', '<param name="'),
    calls=XmlCalls(
        call='<function name="',
        call_end='">',
        close="</function>",
        parameter='<param name="',
        parameter_end='">',
        value_close="</param>",
        loose=True,
        cdata=True,
    ),
    ends=("<|im_end|>",),
)
ERNIE = Family(
    name="ernie-4.5",
    needs=("</think>", "<response>", "<tool_call>"),
    calls=HERMES,
    noise=("<response>", "</response>"),
    ends=("<|im_end|>", "</s>"),
)
HUNYUAN = Family(
    name="hunyuan-a13b",
    needs=("<answer>",),
    any_of=("</think>", "<tool_calls>"),
    calls=JsonCalls(opens=("<tool_calls>",), closes=("</tool_calls>",)),
    noise=("<answer>", "</answer>"),
    ends=("<|eos|>", "<|extra_0|>"),
)

FAMILIES = (
    SEED,
    GRANITE3,
    GRANITE4,
    NEMOTRON2,
    APRIEL,
    APERTUS,
    GIGACHAT31,
    GIGACHAT3,
    MINICPM5,
    ERNIE,
    HUNYUAN,
)
