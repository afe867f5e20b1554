"""Families of one wire each: ByteDance Seed, IBM granite, NVIDIA Nemotron Nano 2, ServiceNow Apriel, Apertus, GigaChat,
MiniCPM 5, Hunyuan A13B and ERNIE 4.5 Thinking. What the last two rest on, having no template here: docs/formats.md."""

from dataclasses import replace

from app.formats.calls.json_calls import JsonCalls
from app.formats.calls.pythonic import PythonicCalls
from app.formats.calls.xml_calls import XmlCalls
from app.formats.families.qwen import HERMES, TAG_TIDY, TAGS
from app.formats.family import GREEDY, Family, Preset, Thinking, drawn

SEED = Family(
    name="seed-oss",
    needs=("<seed:tool_call>",),
    think_open=("<seed:think>",),
    think_close=("</seed:think>",),
    calls=replace(
        TAGS,
        block=("<seed:tool_call>",),
        block_close=("</seed:tool_call>",),
        newlines=False,
        loose=False,
        unclosed=("<seed:eos>",),
    ),
    quiet=("<seed:cot_budget_reflect>", "</seed:cot_budget_reflect>"),
    tidy=TAG_TIDY,
    ends=("<seed:eos>",),
    thinking=Thinking(on={}, off={"thinking_budget": 0}),
    presets=(Preset("Seed-OSS 36B, README", drawn(1.1, 0.95)),),
)
_GRANITE_ENDS = ("<|end_of_text|>", "<|start_of_role|>", "<|end_of_role|>")
GRANITE3 = Family(
    name="granite-3",
    needs=("<|start_of_role|>", "<|tool_call|>"),
    calls=JsonCalls(opens=("<|tool_call|>",)),
    noise=("<response>", "</response>"),
    spelt=("<think>", "</think>", "<response>", "</response>"),
    ends=_GRANITE_ENDS,
)
_THOUGHT, _RESPONSE = "Here is my thought process:", "Here is my response:"
GRANITE32 = replace(
    GRANITE3,
    name="granite-3.2",
    needs=("<|start_of_role|>", _THOUGHT),
    think_open=(_THOUGHT,),
    think_close=(_RESPONSE,),
    noise=(),
    spelt=(_THOUGHT, _RESPONSE),
    leads=(_THOUGHT,),
)
GRANITE4 = Family(
    name="granite-4",
    needs=("<|start_of_role|>", "<tool_call>"),
    calls=HERMES,
    ends=_GRANITE_ENDS,
    raw_arguments=True,
    presets=(Preset("IBM for Granite 4, in Unsloth's guide", GREEDY),),
)
NEMOTRON2 = Family(
    name="nemotron-2",
    needs=("<TOOLCALL>",),
    calls=JsonCalls(opens=("<TOOLCALL>",), closes=("</TOOLCALL>",)),
    closing="\n",
    ends=("<SPECIAL_12>", "<|eot_id|>", "<|im_end|>"),
    raw_arguments=True,
    thinking=Thinking(on={}, off={}, said=("/think", "/no_think")),
    presets=(Preset("Nemotron Nano 2, model card", drawn(0.6, 0.95), at_once=GREEDY),),
)
APRIEL = Family(
    name="apriel",
    needs=("[BEGIN FINAL RESPONSE]",),
    think_open=("Here are my reasoning steps:\n", "<thinking>"),
    think_close=("[BEGIN FINAL RESPONSE]", "</thinking>"),
    calls=JsonCalls(opens=("<tool_calls>", "<tool_call>"), closes=("</tool_calls>", "</tool_call>")),
    noise=("[END FINAL RESPONSE]",),
    leads=("Here are my reasoning steps:\n",),
    closing="\n",
    spelt=(
        "Here are my reasoning steps:\n",
        "[BEGIN FINAL RESPONSE]",
        "[END FINAL RESPONSE]",
        "<thinking>",
        "</thinking>",
    ),
    ends=("<|end|>",),
    presets=(Preset("Apriel 1.5 15B Thinker, model card", drawn(0.6)),),
)
APERTUS = Family(
    name="apertus",
    needs=("<|tools_prefix|>",),
    think_open=("<|inner_prefix|>",),
    think_close=("<|inner_suffix|>",),
    calls=JsonCalls(opens=("<|tools_prefix|>",), closes=("<|tools_suffix|>",), keyed=True),
    ends=("<|assistant_end|>",),
    presets=(Preset("Apertus, model card", drawn(0.8, 0.9)),),
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
    presets=(Preset("MiniCPM5 1B, model card", drawn(0.9, 0.95), at_once=drawn(0.7, 0.95)),),
)
ERNIE = Family(
    name="ernie-4.5",
    needs=("</think>", "<response>", "<tool_call>"),
    calls=HERMES,
    noise=("<response>", "</response>"),
    closing="\n",
    ends=("<|im_end|>", "</s>"),
)
_ASSISTANT = "助手："  # its template has it before every answer when there are tools
HUNYUAN = Family(
    name="hunyuan-a13b",
    needs=("<|extra_0|>",),
    any_of=("<answer>", "<tool_calls>"),
    calls=JsonCalls(opens=("<tool_calls>",), closes=("</tool_calls>",)),
    noise=("<answer>", "</answer>", _ASSISTANT),
    spelt=("<think>", "</think>", "<answer>", "</answer>", "<tool_calls>", "</tool_calls>", _ASSISTANT),
    leads=(_ASSISTANT,),
    closing="\n",
    ends=("<|eos|>", "<|extra_0|>"),
    presets=(Preset("Hunyuan A13B and dense, READMEs", drawn(0.7, 0.8, top_k=20, repeat_penalty=1.05)),),
)
HUNYUAN_DENSE = replace(HUNYUAN, needs=("<answer>",), any_of=("</think>", "<tool_calls>"))
PHI4 = Family(
    name="phi-4-mini",
    needs=("<|tool|>", "<|/tool|>"),
    calls=JsonCalls(opens=("<|tool_call|>", "functools["), closes=("<|/tool_call|>",), soft_opens=("functools[",)),
    ends=("<|end|>", "<|endoftext|>"),
)
INTERNLM = Family(
    name="internlm",
    needs=("<|action_start|>", "<|plugin|>"),
    calls=JsonCalls(
        opens=("<|action_start|><|plugin|>",), closes=("<|action_end|>",), argument_keys=("parameters", "arguments")
    ),
    ends=("<|im_end|>",),
)
JAMBA = Family(
    name="jamba",
    needs=("<|bom|>", "<tool_calls>"),
    calls=JsonCalls(opens=("<tool_calls>",), closes=("</tool_calls>",)),
    ends=("<|eom|>", "<|endoftext|>"),
)
OLMO3 = Family(
    name="olmo-3",
    needs=("<function_calls>",),
    lacks=("<invoke",),
    calls=PythonicCalls(open="<function_calls>", close="</function_calls>"),
    ends=("<|im_end|>", "<|endoftext|>"),
    presets=(Preset("OLMo 3, model cards", drawn(0.6, 0.95)),),
)
MINICPM4 = Family(
    name="minicpm-4",
    needs=("<|tool_call_start|>", "```python"),
    think_open=("<|thought_start|>", "<think>"),
    think_close=("<|thought_end|>", "</think>"),
    calls=PythonicCalls(open="<|tool_call_start|>", close="<|tool_call_end|>", fence=("```python", "```")),
    ends=("<|im_end|>",),
    presets=(
        Preset("MiniCPM4.1, model card", drawn(0.9, 0.95), models=("minicpm4.1",)),
        Preset("MiniCPM4, model card", drawn(0.7, 0.7), models=("minicpm4",)),
    ),
)
_EXAONE_ENDS = ("[|endofturn|]",)
_EXAONE_PRESETS = (Preset("EXAONE 4 with reasoning and EXAONE Deep, model cards", drawn(0.6, 0.95)),)
EXAONE4 = Family(
    name="exaone-4",
    needs=("[|assistant|]", "<tool_call>"),
    calls=HERMES,
    ends=_EXAONE_ENDS,
    presets=_EXAONE_PRESETS,
)
EXAONE_DEEP = Family(
    name="exaone-deep",
    needs=("[|assistant|]", "<thought>"),
    think_open=("<thought>",),
    think_close=("</thought>",),
    ends=_EXAONE_ENDS,
    presets=_EXAONE_PRESETS,
)

FAMILIES = (
    SEED,
    GRANITE32,
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
    HUNYUAN_DENSE,
    PHI4,
    INTERNLM,
    JAMBA,
    OLMO3,
    MINICPM4,
    EXAONE4,
    EXAONE_DEEP,
)
