"""Qwen and everyone who calls tools its ways: JSON (Hermes) or tags (Coder, 3.5 and later) inside ``<tool_call>``."""

from dataclasses import replace

from app.formats.calls.choice import Choice
from app.formats.calls.json_calls import JsonCalls
from app.formats.calls.pairs import PairCalls
from app.formats.calls.xml_calls import XmlCalls
from app.formats.family import Family, Preset, drawn

ENDS = ("<|im_end|>", "<|endoftext|>", "<|im_start|>")
HERMES = JsonCalls(opens=("<tool_call>",), closes=("</tool_call>",), argument_keys=("arguments", "parameters"))
TAGS = XmlCalls(
    block=("<tool_call>",),
    block_close=("</tool_call>",),
    call="<function=",
    call_end=">",
    close="</function>",
    parameter="<parameter=",
    parameter_end=">",
    value_close="</parameter>",
    newlines=True,
    loose=True,
    unclosed=ENDS,
)
TAGS_OR_JSON = Choice(when=(("{", HERMES), ("[", HERMES)), otherwise=TAGS)
TAG_TIDY = r"<(?:function|parameter)=[^>\n]*>"
_TAG_NEEDS = ("<function=", "<parameter=")

_AT_ONCE = drawn(0.7, 0.8, top_k=20)

NEMOTRON3 = Family(
    name="nemotron-3",
    needs=(*_TAG_NEEDS, "truncate_history_thinking"),
    calls=TAGS_OR_JSON,
    ends=ENDS,
    tidy=TAG_TIDY,
    presets=(Preset("Nemotron 3 Nano, model card", drawn(1.0)),),
)
STEP = Family(
    name="step-3.5", needs=(*_TAG_NEEDS, "<|im_start|>tool_response"), calls=TAGS_OR_JSON, ends=ENDS, tidy=TAG_TIDY
)
QWEN35 = Family(
    name="qwen3.5",
    needs=(*_TAG_NEEDS, "<think>"),
    calls=TAGS_OR_JSON,
    ends=ENDS,
    tidy=TAG_TIDY,
    presets=(
        Preset(
            "Qwen3.5, model card; its presence penalty is not applied", drawn(1.0, 0.95, top_k=20), at_once=_AT_ONCE
        ),
    ),
)
CODER = Family(
    name="qwen3-coder",
    needs=_TAG_NEEDS,
    calls=TAGS_OR_JSON,
    ends=ENDS,
    tidy=TAG_TIDY,
    presets=(Preset("Qwen3-Coder, model card", replace(_AT_ONCE, repeat_penalty=1.05)),),
)

REKA = Family(
    name="reka",
    needs=("<tool_call>", "<sep>", "human: "),
    calls=HERMES,
    closing="\n\n",
    ends=("<sep>", *ENDS),
    raw_arguments=True,
)
QWEN3 = Family(
    name="qwen3",
    needs=("<tool_call>", "arguments", "<think>"),
    calls=HERMES,
    ends=ENDS,
    raw_arguments=True,
    presets=(
        Preset("Qwen3 Instruct 2507, Qwen3 Next Instruct, model cards", _AT_ONCE, models=("-instruct",)),
        Preset("Qwen3 and QwQ, model cards", drawn(0.6, 0.95, top_k=20), at_once=_AT_ONCE),
    ),
)
_ALL_ENDS = (*ENDS, "<|end|>", "<|eot_id|>", "<|end_of_text|>", "<end_of_turn>")  # many makers took this way over
PLAIN_HERMES = Family(
    name="hermes",
    needs=("<tool_call>", "arguments"),
    calls=HERMES,
    ends=_ALL_ENDS,
    raw_arguments=True,
    presets=(
        Preset("Qwen2.5, generation_config.json", replace(_AT_ONCE, repeat_penalty=1.05), models=("qwen2.5",)),
        Preset("MiMo, model cards", drawn(0.6, 0.95), models=("mimo",)),
    ),
)
SMOL = Family(
    name="smollm3",
    needs=("reasoning_mode", "/no_think"),
    calls=HERMES,
    ends=ENDS,
    presets=(Preset("SmolLM3, model card", drawn(0.6, 0.95)),),
)

GENERIC = Family(
    name="generic",
    needs=("<tool_call>",),
    calls=Choice(when=(("{", HERMES), ("[", HERMES), ("<", TAGS)), otherwise=PairCalls()),
    spelt=("<think>", "</think>", "<tool_call>", "</tool_call>"),  # nobody knows its tokens
    ends=_ALL_ENDS,
    tidy=TAG_TIDY,
    known=False,
)

FAMILIES = (NEMOTRON3, STEP, QWEN35, CODER)
HERMES_FAMILIES = (SMOL, REKA, QWEN3, PLAIN_HERMES, GENERIC)
