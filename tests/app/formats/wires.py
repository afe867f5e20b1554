"""How every family writes a message, composed from its template or its maker's documentation.

A wire turns reasoning, text and calls into pieces of (text, is it a control token). It knows nothing of the parser.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

Piece = tuple[str, bool]
Pieces = list[Piece]
Call = tuple[str, dict[str, Any]]

TOOLS: list[dict[str, object]] = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "Weather of a city",
            "parameters": {
                "type": "object",
                "properties": {
                    "city": {"type": "string", "description": "City"},
                    "days": {"type": "integer", "description": "Days"},
                },
                "required": ["city"],
            },
        },
    },
    {
        "type": "function",
        "function": {
            "name": "make_note",
            "description": "Keep a note",
            "parameters": {
                "type": "object",
                "properties": {
                    "text": {"type": "string", "description": "Text"},
                    "tags": {"type": "array", "items": {"type": "string"}, "description": "Tags"},
                    "meta": {
                        "type": "object",
                        "properties": {
                            "depth": {"type": "integer"},
                            "list": {"type": "array", "items": {"type": "integer"}},
                            "inner": {
                                "type": "object",
                                "properties": {"on": {"type": "boolean"}, "s": {"type": "string"}},
                            },
                        },
                        "description": "More",
                    },
                    "urgent": {"type": "boolean", "description": "Urgent"},
                    "ratio": {"type": "number", "description": "Ratio"},
                },
                "required": ["text"],
            },
        },
    },
    {
        "type": "function",
        "function": {
            "name": "ping",
            "description": "Nothing to say",
            "parameters": {"type": "object", "properties": {}},
        },
    },
]


def c(text: str) -> Pieces:
    return [(text, True)] if text else []


def t(text: str) -> Pieces:
    return [(text, False)] if text else []


def dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


@dataclass(frozen=True)
class Wire:
    """``template``: a file of the llama.cpp collection, or the source itself where it has none.

    ``prompt``: the generation prompt; ``opens``: it pre-opens reasoning. ``think``: pieces around reasoning (None: the
    family does not reason). ``calls``: pieces of several calls. ``text``: pieces of visible text. ``before_calls``:
    what the template puts between text and calls. ``bare``: a call has no marker and stands alone. ``single``: one call
    a message. ``kinds``: which argument texts survive ("json": any).
    """

    name: str
    format: str
    template: str
    prompt: str
    calls: Callable[[Sequence[Call]], Pieces] | None = None
    think: tuple[Pieces, Pieces] | None = None
    opens: bool = False
    text: Callable[[str], Pieces] = t
    before_calls: str = ""
    bare: bool = False
    single: bool = False
    after: bool = True
    lenient_strings: bool = False
    markers: tuple[str, ...] = field(default=())

    def compose(self, reasoning: str = "", before: str = "", calls: Sequence[Call] = (), after: str = "") -> Pieces:
        pieces: Pieces = []
        if self.think:
            opened, closed = self.think
            if reasoning or self.opens:
                pieces += ([] if self.opens else opened) + t(reasoning) + closed
        if before:
            pieces += self.text(before)
        if calls and self.calls:
            pieces += t(self.before_calls if before else "") + self.calls(calls)
        if after:
            pieces += self.text(after)
        return pieces


THINK: tuple[Pieces, Pieces] = (c("<think>") + t("\n"), t("\n") + c("</think>") + t("\n\n"))
THINK_TIGHT: tuple[Pieces, Pieces] = (c("<think>"), c("</think>"))


def hermes(calls: Sequence[Call]) -> Pieces:
    pieces: Pieces = []
    for number, (name, arguments) in enumerate(calls):
        pieces += t("\n" if number else "") + c("<tool_call>")
        pieces += t(f'\n{{"name": "{name}", "arguments": {dump(arguments)}}}\n') + c("</tool_call>")
    return pieces


def kimi(calls: Sequence[Call]) -> Pieces:
    pieces = c("<|tool_calls_section_begin|>")
    for number, (name, arguments) in enumerate(calls):
        pieces += c("<|tool_call_begin|>") + t(f"functions.{name}:{number}") + c("<|tool_call_argument_begin|>")
        pieces += t(dump(arguments)) + c("<|tool_call_end|>")
    return pieces + c("<|tool_calls_section_end|>")


def python_string(value: Any) -> str:
    return value if isinstance(value, str) else dump(value) if isinstance(value, dict | list) else str(value)


def tags(
    block: str,
    block_close: str,
    *,
    newline: str = "\n",
    call: str = "<function={}>\n",
    close: str = "</function>",
    parameter: str = "<parameter={}>",
    parameter_close: str = "</parameter>\n",
    after_close: str = "\n",
    each: bool = True,
    value: Callable[[Any], str] = python_string,
) -> Callable[[Sequence[Call]], Pieces]:
    def one(name: str, arguments: dict[str, Any]) -> Pieces:
        text = call.format(name)
        for key, item in arguments.items():
            text += parameter.format(key) + newline + value(item) + newline + parameter_close
        return t(text + close)

    def compose(calls: Sequence[Call]) -> Pieces:
        pieces: Pieces = []
        if not each:
            pieces += c(block) + t("\n")
        for number, (name, arguments) in enumerate(calls):
            if each:
                pieces += t("\n" if number else "") + c(block) + t("\n" if block else "")
            pieces += one(name, arguments) + t(after_close)
            if each:
                pieces += c(block_close)
        return pieces if each else pieces + c(block_close)

    return compose


def scalar(value: Any) -> str:
    return value if isinstance(value, str) else dump(value)


def dsml(block: str) -> Callable[[Sequence[Call]], Pieces]:
    d = c("｜DSML｜")

    def compose(calls: Sequence[Call]) -> Pieces:
        pieces = t("<") + d + t(f"{block}>\n")
        for name, arguments in calls:
            pieces += t("<") + d + t(f'invoke name="{name}">\n')
            for key, item in arguments.items():
                kind = "true" if isinstance(item, str) else "false"
                pieces += (
                    t("<") + d + t(f'parameter name="{key}" string="{kind}">{scalar(item)}</') + d + t("parameter>\n")
                )
            pieces += t("</") + d + t("invoke>\n")
        return pieces + t("</") + d + t(f"{block}>")

    return compose


def pairs(
    *, newline: str = "\n", between: str = "\n", suffix: str = "", section: bool = False, sep: str = ""
) -> Callable:
    def tag(name: str) -> Pieces:
        return c(f"<{name}{suffix}>")

    def compose(calls: Sequence[Call]) -> Pieces:
        pieces = tag("tool_calls") + t("\n") if section else []
        for number, (name, arguments) in enumerate(calls):
            pieces += t(between if number else "") + tag("tool_call") + t(name) + (tag(sep) if sep else []) + t(newline)
            for key, item in arguments.items():
                pieces += tag("arg_key") + t(key) + tag("/arg_key") + t(newline)
                pieces += tag("arg_value") + t(scalar(item)) + tag("/arg_value") + t(newline)
            pieces += tag("/tool_call")
        return pieces + (t("\n") + tag("/tool_calls") if section else [])

    return compose


def deepseek_v3(calls: Sequence[Call]) -> Pieces:
    pieces = c("<｜tool▁calls▁begin｜>")
    for number, (name, arguments) in enumerate(calls):
        pieces += t("\n" if number else "") + c("<｜tool▁call▁begin｜>") + t("function") + c("<｜tool▁sep｜>")
        pieces += t(f"{name}\n```json\n{dump(arguments)}\n```") + c("<｜tool▁call▁end｜>")
    return pieces + c("<｜tool▁calls▁end｜>")


def deepseek_v31(calls: Sequence[Call]) -> Pieces:
    pieces = c("<｜tool▁calls▁begin｜>")
    for name, arguments in calls:
        pieces += (
            c("<｜tool▁call▁begin｜>") + t(name) + c("<｜tool▁sep｜>") + t(dump(arguments)) + c("<｜tool▁call▁end｜>")
        )
    return pieces + c("<｜tool▁calls▁end｜>")


def json_list(
    opened: str, closed: str = "", name: str = "name", arguments: str = "arguments", control: bool = True
) -> Callable[[Sequence[Call]], Pieces]:
    def compose(calls: Sequence[Call]) -> Pieces:
        text = ", ".join(f'{{"{name}": "{called}", "{arguments}": {dump(given)}}}' for called, given in calls)
        mark = c if control else t
        return mark(opened) + t(f"[{text}]") + mark(closed)

    return compose


def mistral(calls: Sequence[Call]) -> Pieces:
    pieces: Pieces = []
    for name, arguments in calls:
        pieces += c("[TOOL_CALLS]") + t(name) + c("[ARGS]") + t(dump(arguments))
    return pieces


def mistral_ids(calls: Sequence[Call]) -> Pieces:
    pieces: Pieces = []
    for name, arguments in calls:
        pieces += c("[TOOL_CALLS]") + t(name) + c("[CALL_ID]") + t("call00001") + c("[ARGS]") + t(dump(arguments))
    return pieces


def python_literal(value: Any) -> str:
    return repr(value)


def pythonic(opened: str, closed: str) -> Callable[[Sequence[Call]], Pieces]:
    def compose(calls: Sequence[Call]) -> Pieces:
        shown = [f"{name}({', '.join(f'{key}={value!r}' for key, value in given.items())})" for name, given in calls]
        return c(opened) + t(f"[{', '.join(shown)}]") + c(closed)

    return compose


def harmony(calls: Sequence[Call]) -> Pieces:
    pieces: Pieces = []
    for name, arguments in calls:
        pieces += c("<|start|>") + t("assistant")
        pieces += c("<|channel|>") + t(f"commentary to=functions.{name} ") + c("<|constrain|>") + t("json")
        pieces += c("<|message|>") + t(dump(arguments)) + c("<|call|>")
    return pieces


def harmony_text(text: str) -> Pieces:
    return c("<|start|>") + t("assistant") + c("<|channel|>") + t("final") + c("<|message|>") + t(text) + c("<|end|>")


def xtml(calls: Sequence[Call]) -> Pieces:
    def opened(text: str) -> Pieces:
        return c("<|open|>") + t(text) + c("<|sep|>")

    def closed(text: str) -> Pieces:
        return c("<|close|>") + t(text) + c("<|sep|>")

    def kind(value: Any) -> str:
        if isinstance(value, bool):
            return "boolean"
        if value is None:
            return "null"
        return {str: "string", dict: "object", list: "array"}.get(type(value), "number")

    pieces = opened("tools")
    for number, (name, arguments) in enumerate(calls):
        pieces += opened(f'call tool="{name}" index="{number + 1}"')
        for key, value in arguments.items():
            pieces += opened(f'argument key="{key}" type="{kind(value)}"') + t(scalar(value)) + closed("argument")
        pieces += closed("call")
    return pieces + closed("tools")


def xtml_text(text: str) -> Pieces:
    close = c("<|close|>") + t("response") + c("<|sep|>")
    return c("<|open|>") + t("response") + c("<|sep|>") + t(text) + close


def gemma(calls: Sequence[Call]) -> Pieces:
    quote = '<|"|>'

    def value(item: Any) -> Pieces:
        if isinstance(item, str):
            return c(quote) + t(item) + c(quote)
        if isinstance(item, dict):
            pieces = t("{")
            for number, (key, inner) in enumerate(sorted(item.items())):
                pieces += t(("," if number else "") + key + ":") + value(inner)
            return pieces + t("}")
        if isinstance(item, list):
            pieces = t("[")
            for number, inner in enumerate(item):
                pieces += t("," if number else "") + value(inner)
            return pieces + t("]")
        return t(dump(item))

    pieces: Pieces = []
    for name, arguments in calls:
        pieces += c("<|tool_call>") + t(f"call:{name}") + value(arguments) + c("<tool_call|>")
    return pieces


NS = "]<]minimax[>["


def minimax_m3(calls: Sequence[Call]) -> Pieces:
    def value(item: Any) -> Pieces:
        pieces: Pieces = []
        if isinstance(item, dict):
            for key, inner in item.items():
                pieces += c(NS) + t(f"<{key}>") + value(inner) + c(NS) + t(f"</{key}>")
        elif isinstance(item, list):
            for inner in item:
                pieces += c(NS) + t("<item>") + value(inner) + c(NS) + t("</item>")
        else:
            pieces += t(scalar(item))
        return pieces

    pieces = c(NS) + t("<tool_call>\n")
    for name, arguments in calls:
        pieces += c(NS) + t(f'<invoke name="{name}">') + value(arguments) + c(NS) + t("</invoke>\n")
    return pieces + c(NS) + t("</tool_call>")


def solar(calls: Sequence[Call]) -> Pieces:
    pieces = c("<|begin|>") + t("assistant") + c("<|tool_calls|>")
    for name, arguments in calls:
        pieces += c("<|tool_call:begin|>") + t("a1b2c3d4e5") + c("<|tool_call:name|>") + t(name)
        pieces += c("<|tool_call:args|>") + t(dump(arguments)) + c("<|tool_call:end|>")
    return pieces + c("<|calls|>")


def apertus(calls: Sequence[Call]) -> Pieces:
    text = ", ".join(f'{{"{name}": {dump(arguments)}}}' for name, arguments in calls)
    return c("<|tools_prefix|>") + t(f"[{text}]") + c("<|tools_suffix|>")


def json_lines(calls: Sequence[Call]) -> Pieces:
    lines = "".join(f'{{"name": "{name}", "arguments": {dump(given)}}}\n' for name, given in calls)
    return c("<tool_calls>") + t("\n" + lines) + c("</tool_calls>")


def one_object(opened: Pieces, arguments: str = "arguments") -> Callable[[Sequence[Call]], Pieces]:
    def compose(calls: Sequence[Call]) -> Pieces:
        name, given = calls[0]
        return opened + t(f'{{"name": "{name}", "{arguments}": {dump(given)}}}')

    return compose


def functionary31(calls: Sequence[Call]) -> Pieces:
    return t("".join(f"<function={name}>{dump(given)}</function>" for name, given in calls))


def functionary32(calls: Sequence[Call]) -> Pieces:
    return t(">>>".join(f"{name}\n{dump(given)}" for name, given in calls))


def muse(calls: Sequence[Call]) -> Pieces:
    pieces: Pieces = []
    for name, given in calls:
        text = f'<atem:function_calls>\n<atem:invoke name="{name}">\n'
        for key, value in given.items():
            text += f'<atem:parameter name="{key}">{scalar(value)}</atem:parameter>\n'
        pieces += c("<|start|>") + t(f"assistant to={name}") + c("<|message|>")
        pieces += t(text + "</atem:invoke>\n</atem:function_calls>") + c("<|eom|>")
    return pieces


def muse_text(text: str) -> Pieces:
    return c("<|start|>") + t("assistant to=user") + c("<|message|>") + t(text) + c("<|eot|>")


def wrapped(opened: str, closed: str, *, control: bool = True) -> Callable[[str], Pieces]:
    mark = c if control else t
    return lambda text: mark(opened) + t(text) + mark(closed)


QWEN_TAGS = tags("<tool_call>", "</tool_call>", newline="\n")
CHATML = "<|im_start|>assistant\n"
MINICPM = tags(
    "", "", newline="", call='<function name="{}">', parameter='<param name="{}">', parameter_close="</param>",
    after_close="", value=scalar,
)  # fmt: skip
MINIMAX_M2 = tags(
    "<minimax:tool_call>", "</minimax:tool_call>", newline="", call='<invoke name="{}">\n', close="</invoke>",
    parameter='<parameter name="{}">', each=False, value=scalar,
)  # fmt: skip
SEED = tags("<seed:tool_call>", "</seed:tool_call>", newline="")

LLAMA4 = (
    """{{ '<|header_start|>system<|header_end|>' }}{% if tools %}[func_name1(params_name1=params_value1)]{% endif %}"""
)
ERNIE = """{% if tools %}<tool_list>{{ tools | tojson }}</tool_list>{% endif %}<think>
</think> <response> </response> <tool_call> </tool_call>"""
HUNYUAN = """{% if tools %}<tool_calls>[{"name": 1, "arguments": 2}]</tool_calls>{% endif %}<think></think><answer></answer>"""
LONGCAT = (
    """{% if tools %}<longcat_tool_call>{"name": 1, "arguments": 2}</longcat_tool_call>{% endif %}<longcat_think>"""
)

WIRES: tuple[Wire, ...] = (
    Wire("kimi-k2-instruct", "kimi-k2", "Kimi-K2-Instruct.jinja", "<|im_assistant|>assistant<|im_middle|>", kimi),
    Wire("kimi-k2-thinking", "kimi-k2", "Kimi-K2-Thinking.jinja", "<|im_assistant|>assistant<|im_middle|>", kimi, THINK_TIGHT),
    Wire("kimi-k2.5", "kimi-k2", "Kimi-K2-Thinking.jinja", "<|im_assistant|>assistant<|im_middle|><think>", kimi, THINK_TIGHT, opens=True),
    Wire(
        "kimi-k3", "kimi-k3", "Kimi-K3.jinja", '<|open|>message role="assistant"<|sep|><|open|>think<|sep|>', xtml,
        ([], c("<|close|>") + t("think") + c("<|sep|>")), opens=True, text=xtml_text,
    ),
    Wire("qwen2.5", "hermes", "Qwen-Qwen2.5-7B-Instruct.jinja", CHATML, hermes, before_calls="\n"),
    Wire("qwen3", "qwen3", "Qwen-Qwen3-0.6B.jinja", CHATML, hermes, THINK, before_calls="\n"),
    Wire("qwen3-2507", "qwen3", "Qwen-Qwen3-0.6B.jinja", CHATML + "<think>\n", hermes, THINK, opens=True, before_calls="\n"),
    Wire("qwq", "qwen3", "Qwen-QwQ-32B.jinja", CHATML + "<think>\n", hermes, THINK, opens=True, before_calls="\n"),
    Wire("hermes-2", "hermes", "NousResearch-Hermes-2-Pro-Llama-3-8B-tool_use.jinja", CHATML, hermes, before_calls="\n"),
    Wire("mimo", "hermes", "MiMo-VL.jinja", CHATML, hermes, before_calls="\n"),
    Wire("bielik", "qwen3", "Bielik-11B-v3.0-Instruct.jinja", CHATML + "<think>\n", hermes, THINK, opens=True, before_calls="\n"),
    Wire("reka", "reka", "Reka-Edge.jinja", "assistant: <think>\n", hermes, THINK, opens=True, before_calls="\n"),
    Wire("smollm3", "smollm3", "HuggingFaceTB-SmolLM3-3B.jinja", CHATML, hermes, THINK, before_calls="\n"),
    Wire("qwen3-coder", "qwen3-coder", "Qwen3-Coder.jinja", CHATML, QWEN_TAGS, before_calls="\n\n"),
    Wire("qwen3.5", "qwen3.5", "Qwen3.5-4B.jinja", CHATML + "<think>\n", QWEN_TAGS, THINK, opens=True, before_calls="\n\n"),
    Wire("nemotron-3", "nemotron-3", "NVIDIA-Nemotron-3-Nano-30B-A3B-BF16.jinja", CHATML + "<think>\n", QWEN_TAGS, THINK, opens=True, before_calls="\n"),
    Wire("step-3.5", "step-3.5", "StepFun3.5-Flash.jinja", CHATML + "<think>\n", QWEN_TAGS, THINK, opens=True),
    Wire("deepseek-r1", "deepseek-v3", "deepseek-ai-DeepSeek-R1-Distill-Qwen-32B.jinja", "<｜Assistant｜><think>\n", deepseek_v3, THINK, opens=True),
    Wire("deepseek-r1-llama", "deepseek-v3", "deepseek-ai-DeepSeek-R1-Distill-Llama-8B.jinja", "<｜Assistant｜><think>\n", deepseek_v3, THINK, opens=True),
    Wire("deepseek-v3", "deepseek-v3", "llama-cpp-deepseek-r1.jinja", "<｜Assistant｜>", deepseek_v3),
    Wire("deepseek-v3.1", "deepseek-v3.1", "deepseek-ai-DeepSeek-V3.1.jinja", "<｜Assistant｜><think>", deepseek_v31, THINK_TIGHT, opens=True),
    Wire("deepseek-v3.1-off", "deepseek-v3.1", "deepseek-ai-DeepSeek-V3.1.jinja", "<｜Assistant｜></think>", deepseek_v31),
    Wire("deepseek-v3.2", "deepseek-v3.2", "deepseek-ai-DeepSeek-V3.2.jinja", "<｜Assistant｜><think>", dsml("function_calls"), THINK_TIGHT, opens=True, before_calls="\n\n"),
    Wire("deepseek-v4", "deepseek-v4", "deepseek-ai-DeepSeek-V4.jinja", "<｜Assistant｜><think>", dsml("tool_calls"), THINK_TIGHT, opens=True, before_calls="\n\n"),
    Wire("deepseek-v4-flash", "deepseek-v4", "deepseek-ai-DeepSeek-V4-Flash-0731.jinja", "<｜Assistant｜></think>", dsml("tool_calls"), before_calls="\n\n"),
    Wire("glm-4.6", "glm-4.5", "GLM-4.6.jinja", "<|assistant|>", pairs(), (t("\n") + c("<think>"), c("</think>") + t("\n")), before_calls="\n"),
    Wire("glm-4.7", "glm-4.7", "GLM-4.7-Flash.jinja", "<|assistant|><think>", pairs(newline="", between=""), THINK_TIGHT, opens=True),
    Wire("ling-3", "ling-3", "inclusionai-ling-3.0-flash.jinja", "<role>ASSISTANT</role>\n<think>", pairs(), THINK_TIGHT, opens=True, before_calls="\n"),
    Wire("laguna-s", "laguna", "poolside-Laguna-S-2.1.jinja", "<assistant><think>", pairs(newline="", between=""), THINK_TIGHT, opens=True),
    Wire("laguna-xs-2.1", "laguna", "poolside-Laguna-XS-2.1.jinja", "<assistant>\n<think>", pairs(), THINK, opens=True, before_calls="\n"),
    Wire("laguna-xs.2", "laguna", "poolside-Laguna-XS.2.jinja", "<assistant>\n</think>", pairs(), before_calls="\n"),
    Wire("spark", "spark", "Spark2.5.jinja", "<|Bot|><think>", pairs(newline="", between=""), THINK_TIGHT, opens=True),
    Wire(
        "hy3", "hy3", "tencent-Hy3.jinja", "<｜hy_Assistant:opensource｜><think:opensource>",
        pairs(suffix=":opensource", section=True, sep="tool_sep"), (c("<think:opensource>"), c("</think:opensource>")), opens=True,
    ),
    Wire("longcat", "longcat", LONGCAT, "<longcat_assistant>", one_object(c("<longcat_tool_call>")), (c("<longcat_think>") + t("\n"), t("\n") + c("</longcat_think>") + t("\n")), single=True, before_calls="\n"),
    Wire(
        "gpt-oss", "gpt-oss", "openai-gpt-oss-120b.jinja", "<|start|>assistant", harmony,
        (c("<|channel|>") + t("analysis") + c("<|message|>"), c("<|end|>")), text=harmony_text,
    ),
    Wire(
        "muse", "muse", "muse-glimmer.jinja", "<|start|>assistant", muse,
        (t(" to=self") + c("<|message|>"), c("<|eom|>")), text=muse_text,
    ),
    Wire(
        "solar", "solar", "upstage-Solar-Open-100B.jinja", "<|begin|>assistant", solar,
        (c("<|think|>"), c("<|end|>")), text=lambda text: c("<|begin|>") + t("assistant") + c("<|content|>") + t(text) + c("<|end|>"),
    ),
    Wire("minimax-m1", "minimax-m1", "MiniMax-M1.jinja", "<beginning_of_sentence>ai name=assistant\n", json_lines, THINK, before_calls="\n"),
    Wire("minimax-m2", "minimax-m2", "MiniMax-M2.jinja", "]~b]ai\n<think>\n", MINIMAX_M2, THINK, opens=True, before_calls="\n"),
    Wire("minimax-m3", "minimax-m3", "MiniMax-M3.jinja", "]~b]ai\n<mm:think>", minimax_m3, (c("<mm:think>"), c("</mm:think>")), opens=True),
    Wire("seed-oss", "seed-oss", "ByteDance-Seed-OSS.jinja", "<seed:bos>assistant\n", SEED, (c("<seed:think>"), c("</seed:think>") + t("\n")), before_calls="\n"),
    Wire("lfm2", "lfm2", "LFM2-8B-A1B.jinja", CHATML, pythonic("<|tool_call_start|>", "<|tool_call_end|>")),
    Wire("lfm2.5", "lfm2", "LFM2.5-8B-A1B.jinja", CHATML, pythonic("<|tool_call_start|>", "<|tool_call_end|>"), THINK_TIGHT),
    Wire("lfm2.5-instruct", "lfm2", "LFM2.5-Instruct.jinja", CHATML, pythonic("<|tool_call_start|>", "<|tool_call_end|>"), THINK_TIGHT),
    Wire("granite-4.0", "granite-4", "ibm-granite-granite-4.0.jinja", "<|start_of_role|>assistant<|end_of_role|>", hermes, before_calls="\n"),
    Wire("granite-4.1", "granite-4", "ibm-granite-granite-4.1.jinja", "<|start_of_role|>assistant<|end_of_role|>", hermes, before_calls="\n"),
    Wire("granite-3.3", "granite-3", "ibm-granite-granite-3.3-2B-Instruct.jinja", "<|start_of_role|>assistant<|end_of_role|>", json_list("<|tool_call|>"), (t("<think>"), t("</think>")), text=wrapped("<response>", "</response>", control=False)),
    Wire("mistral-nemo", "mistral", "mistralai-Mistral-Nemo-Instruct-2407.jinja", "[/INST]", json_list("[TOOL_CALLS]")),
    Wire("mistral-small-3.2", "mistral", "Mistral-Small-3.2-24B-Instruct-2506.jinja", "[/INST]", mistral_ids),
    Wire("devstral", "mistral", "unsloth-mistral-Devstral-Small-2507.jinja", "[/INST]", mistral),
    Wire("ministral", "mistral", "mistralai-Ministral-3-14B-Reasoning-2512.jinja", "[/INST]", mistral, (c("[THINK]"), c("[/THINK]"))),
    Wire("llama-3.1", "llama-3", "meta-llama-Llama-3.1-8B-Instruct.jinja", "<|start_header_id|>assistant<|end_header_id|>\n\n", one_object([], "parameters"), bare=True, single=True),
    Wire("llama-3.2", "llama-3", "meta-llama-Llama-3.2-3B-Instruct.jinja", "<|start_header_id|>assistant<|end_header_id|>\n\n", one_object([], "parameters"), bare=True, single=True),
    Wire("llama-3.3", "llama-3", "meta-llama-Llama-3.3-70B-Instruct.jinja", "<|start_header_id|>assistant<|end_header_id|>\n\n", one_object(c("<|python_tag|>"), "parameters"), single=True),
    Wire("llama-4", "llama-4", LLAMA4, "<|header_start|>assistant<|header_end|>\n\n", pythonic("", ""), bare=True),
    Wire("gemma-4", "gemma-4", "google-gemma-4-31B-it.jinja", "<|turn>model\n", gemma, (c("<|channel>") + t("thought\n"), t("\n") + c("<channel|>"))),
    Wire("gemma-4-interleaved", "gemma-4", "google-gemma-4-31B-it-interleaved.jinja", "<|turn>model\n", gemma, (c("<|channel>") + t("thought\n"), c("<channel|>"))),
    Wire("hunyuan-a13b", "hunyuan-a13b", HUNYUAN, "<|extra_0|>", json_list("<tool_calls>", "</tool_calls>", control=False), (t("<think>\n"), t("\n</think>\n")), text=wrapped("<answer>", "</answer>", control=False)),
    Wire("ernie-4.5", "ernie-4.5", ERNIE, "<|im_start|>assistant\n<think>\n", hermes, THINK, opens=True, text=wrapped("<response>", "</response>"), before_calls="\n"),
    Wire("nemotron-2", "nemotron-2", "NVIDIA-Nemotron-Nano-v2.jinja", "<SPECIAL_11>Assistant\n<think>\n", json_list("<TOOLCALL>", "</TOOLCALL>"), THINK, opens=True, before_calls="\n"),
    Wire("apriel-1.6", "apriel", "Apriel-1.6-15b-Thinker-fixed.jinja", "<|begin_assistant|>\nHere are my reasoning steps:\n", json_list("<tool_calls>", "</tool_calls>"), ([], t("\n[BEGIN FINAL RESPONSE]\n")), opens=True, before_calls="\n"),
    Wire("apriel-1.5", "apriel", "unsloth-Apriel-1.5.jinja", "<|assistant|>\n", json_list("<tool_calls>", "</tool_calls>"), (t("Here are my reasoning steps:\n"), t("\n[BEGIN FINAL RESPONSE]\n")), before_calls="\n"),
    Wire("apertus", "apertus", "Apertus-8B-Instruct.jinja", "<|assistant_start|>", apertus, (c("<|inner_prefix|>"), c("<|inner_suffix|>"))),
    Wire(
        "command-r7b", "command-r7b", "CohereForAI-c4ai-command-r7b-12-2024-tool_use.jinja", "<|CHATBOT_TOKEN|>",
        json_list("<|START_ACTION|>", "<|END_ACTION|>", "tool_name", "parameters"),
        (c("<|START_THINKING|>"), c("<|END_THINKING|>")), text=wrapped("<|START_RESPONSE|>", "<|END_RESPONSE|>"),
    ),
    Wire(
        "cohere2-moe", "command-r7b", "Cohere2MoE.jinja", "<|CHATBOT_TOKEN|><|START_THINKING|>",
        json_list("<|START_ACTION|>", "<|END_ACTION|>", "tool_name", "parameters"),
        (c("<|START_THINKING|>"), c("<|END_THINKING|>")), opens=True, text=wrapped("<|START_TEXT|>", "<|END_TEXT|>"),
    ),
    Wire(
        "command-r-plus", "command-r-plus", "CohereForAI-c4ai-command-r-plus-tool_use.jinja", "<|CHATBOT_TOKEN|>",
        json_list("Action:\n```json\n", "```", "tool_name", "parameters", control=False), before_calls="\n",
    ),
    Wire("gigachat-3", "gigachat-3", "GigaChat3-10B-A1.8B.jinja", "assistant<|role_sep|>\n", one_object(c("<|message_sep|>") + t("\n\nfunction call") + c("<|role_sep|>") + t("\n")), single=True, after=False),
    Wire("gigachat-3.1", "gigachat-3.1", "GigaChat3.1-10B-A1.8B.jinja", "assistant<|role_sep|>\n", one_object(c("<|function_call|>")), single=True),
    Wire("minicpm-5", "minicpm-5", "openbmb-MiniCPM5-1B.jinja", CHATML, MINICPM, THINK, before_calls="\n"),
    Wire("functionary-v3.1", "functionary-v3.1", "meetkai-functionary-medium-v3.1.jinja", "<|start_header_id|>assistant<|end_header_id|>\n\n", functionary31),
    Wire("functionary-v3.2", "functionary-v3.2", "meetkai-functionary-medium-v3.2.jinja", "<|start_header_id|>assistant<|end_header_id|>\n\n>>>", functionary32, bare=True, after=False),
    Wire("firefunction", "firefunction", "fireworks-ai-llama-3-firefunction-v2.jinja", "<|start_header_id|>assistant<|end_header_id|>\n\n", json_list("functools", control=False), before_calls=" "),
)  # fmt: skip
