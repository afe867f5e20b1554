"""GLM's pairs of tags and those who took them over: Ling, Laguna, Spark, Hunyuan Hy3, LongCat.

LongCat has no template here; what it rests on: docs/formats.md.
"""

from app.formats.calls.choice import Choice
from app.formats.calls.json_calls import JsonCalls
from app.formats.calls.pairs import PairCalls
from app.formats.families.qwen import HERMES
from app.formats.family import Family, Preset, Thinking, drawn

_ENDS = ("<|user|>", "<|observation|>", "<|endoftext|>")
_BOX = ("<|begin_of_box|>", "<|end_of_box|>")  # around the result, after problems in mathematics
_PAIRS = PairCalls()

_PRESETS = (Preset("GLM 4.6 to 5.2, model cards, for most tasks", drawn(1.0, 0.95)),)

GLM45 = Family(name="glm-4.5", needs=("<arg_key>", "/nothink"), calls=_PAIRS, quiet=_BOX, ends=_ENDS, presets=_PRESETS)
GLM47 = Family(name="glm-4.7", needs=("<arg_key>", "[gMASK]"), calls=_PAIRS, quiet=_BOX, ends=_ENDS, presets=_PRESETS)
LING = Family(name="ling-3", needs=("<arg_key>", "<role>ASSISTANT"), calls=_PAIRS, ends=("<|role_end|>",))
LING2 = Family(
    name="ling-2",
    needs=("<role>ASSISTANT", "<tool_call>"),
    calls=HERMES,
    ends=("<|role_end|>",),
    presets=(Preset("Ling 2.0, README's example", drawn(0.7, 0.8, repeat_penalty=1.05)),),
)
LAGUNA = Family(
    name="laguna", needs=("<arg_key>", "<assistant>"), calls=_PAIRS, closing="\n", ends=("</assistant>", "〈|EOS|〉")
)
SPARK = Family(name="spark", needs=("<arg_key>", "<|Bot|>"), calls=_PAIRS, ends=("<｜end▁of▁sentence｜>",))
OTHER = Family(name="glm", needs=("<arg_key>", "<arg_value>"), calls=_PAIRS, ends=_ENDS, presets=_PRESETS)


def _hunyuan(suffix: str) -> Family:
    return Family(
        name="hy3",
        thinks=True,
        needs=("hy_Assistant", suffix),
        think_open=(f"<think{suffix}>",),
        think_close=(f"</think{suffix}>",),
        calls=PairCalls(suffix=suffix, sections=True, separator="tool_sep"),
        ends=(f"<｜hy_eos{suffix}｜>",),
        thinking=Thinking(
            on={"reasoning_effort": "high"}, off={"reasoning_effort": "no_think"}, efforts=("low", "high")
        ),
        presets=(Preset("Hy3, generation_config.json", drawn(0.9)),),
    )


LONGCAT = Family(
    name="longcat",
    needs=("<longcat_tool_call>",),
    think_open=("<longcat_think>", "<think>"),
    think_close=("</longcat_think>", "</think>"),
    calls=Choice(
        when=tuple(
            (char, JsonCalls(opens=("<longcat_tool_call>",), closes=("</longcat_tool_call>",))) for char in "{["
        ),
        otherwise=PairCalls(prefix="longcat_"),
    ),
    ends=("</longcat_s>",),
)

FAMILIES = (_hunyuan(":opensource"), _hunyuan(""), LONGCAT, GLM45, GLM47, LING, LING2, LAGUNA, SPARK, OTHER)
