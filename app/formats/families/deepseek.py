"""DeepSeek: V3 and R1 (fenced JSON), V3.1 (JSON), V3.2 and V4 (tags of the DSML token)."""

from app.formats.calls.named_json import NamedJsonCalls
from app.formats.calls.xml_calls import XmlCalls
from app.formats.family import Family, Thinking

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
)
V32 = Family(
    name="deepseek-v3.2", needs=("｜DSML｜",), calls=_dsml("function_calls", "tool_calls"), ends=_ENDS, tidy=_TIDY
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
)
V31 = Family(
    name="deepseek-v3.1",
    needs=(_SECTION,),
    calls=NamedJsonCalls(
        section=_SECTION, call=_BEGIN, name_ends=(_SEP,), close=(_END,), section_close=(_SECTION_END,)
    ),
    ends=_ENDS,
    noise=_OUTPUTS,
)

FAMILIES = (V4, V32, V3, V31)
