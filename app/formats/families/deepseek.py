"""DeepSeek: V3 and R1 (fenced JSON), V3.1 (JSON), V3.2 and V4 (tags of the DSML token)."""

from app.formats.calls.named_json import NamedJsonCalls
from app.formats.calls.xml_calls import XmlCalls
from app.formats.family import Family, Preset, Thinking, drawn

_ENDS = ("<｜end▁of▁sentence｜>", "<｜User｜>", "<｜Assistant｜>")
_BEGIN, _SEP, _END = "<｜tool▁call▁begin｜>", "<｜tool▁sep｜>", "<｜tool▁call▁end｜>"
_OUTPUTS = tuple(f"<｜tool▁{what}｜>" for what in ("outputs▁begin", "output▁begin", "output▁end", "outputs▁end"))
_SECTION, _SECTION_END = "<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>"


def _dsml(*blocks: str) -> XmlCalls:
    return XmlCalls(
        block=tuple(f"<｜DSML｜{block}>" for block in blocks),
        block_close=tuple(f"</｜DSML｜{block}>" for block in blocks),
        call='<｜DSML｜invoke name="',
        call_end='">',
        close="</｜DSML｜invoke>",
        parameter='<｜DSML｜parameter name="',
        parameter_end='">',
        value_close="</｜DSML｜parameter>",
        flag='" string="',
        text_tags=False,
    )


_TIDY = r"</?｜DSML｜[^>\n]*>"
V4 = Family(
    name="deepseek-v4",
    needs=("｜DSML｜", "tool_calls>"),
    calls=_dsml("tool_calls", "function_calls"),
    ends=_ENDS,
    tidy=_TIDY,
    thinking=Thinking(efforts=("high", "max")),
    presets=(Preset("DeepSeek V4, model card, for running it locally", drawn(1.0)),),
)
V32 = Family(
    name="deepseek-v3.2",
    needs=("｜DSML｜",),
    calls=_dsml("function_calls", "tool_calls"),
    ends=_ENDS,
    tidy=_TIDY,
    presets=(Preset("DeepSeek V3.2, model card, for running it locally", drawn(1.0, 0.95)),),
)
V3 = Family(
    name="deepseek-v3",
    needs=(_SECTION, "```json"),
    calls=NamedJsonCalls(
        section=_SECTION,
        call=_BEGIN,
        skip_to=_SEP,
        name_ends=("\n",),
        fence=("```json", "```"),
        close=(_END,),
        section_close=(_SECTION_END,),
    ),
    ends=_ENDS,
    noise=_OUTPUTS,
    presets=(
        Preset("DeepSeek V3-0324, model card", drawn(0.3), models=("v3-0324",)),
        Preset("DeepSeek R1 and R1-0528, model cards", drawn(0.6, 0.95)),
    ),
)
V31 = Family(
    name="deepseek-v3.1",
    needs=(_SECTION,),
    calls=NamedJsonCalls(
        section=_SECTION, call=_BEGIN, name_ends=(_SEP,), close=(_END,), section_close=(_SECTION_END,)
    ),
    ends=_ENDS,
    noise=_OUTPUTS,
    presets=(Preset("DeepSeek V3.1, generation_config.json", drawn(0.6, 0.95)),),
)

FAMILIES = (V4, V32, V3, V31)
