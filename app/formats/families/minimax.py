"""MiniMax M1 (JSON lines), M2 (tags) and M3 (nested tags)."""

from app.formats.calls.json_calls import JsonCalls
from app.formats.calls.nested_xml import NestedXmlCalls
from app.formats.calls.xml_calls import XmlCalls
from app.formats.family import Family, Preset, Thinking, drawn

_PRESETS = (Preset("MiniMax M2 to M2.7, READMEs", drawn(1.0, 0.95, top_k=40)),)

M3 = Family(
    name="minimax-m3",
    needs=("]<]minimax[>[",),
    think_open=("<mm:think>",),
    think_close=("</mm:think>",),
    calls=NestedXmlCalls("]<]minimax[>["),
    tidy=r"\]<\]minimax\[>\[(?:</?[^>\n]*>)?",
    ends=("[e~[",),
    thinking=Thinking(on={"thinking_mode": "enabled"}, off={"thinking_mode": "disabled"}),
    presets=_PRESETS,
)
M2 = Family(
    name="minimax-m2",
    needs=("<minimax:tool_call>",),
    calls=XmlCalls(
        block=("<minimax:tool_call>",),
        block_close=("</minimax:tool_call>",),
        call='<invoke name="',
        call_end='">',
        close="</invoke>",
        parameter='<parameter name="',
        parameter_end='">',
        value_close="</parameter>",
    ),
    tidy=r'<(?:invoke|parameter) name="[^>\n]*>',
    ends=("[e~[",),
    presets=_PRESETS,
)
M1 = Family(
    name="minimax-m1",
    needs=("<tool_calls>", "ai name=assistant"),
    calls=JsonCalls(opens=("<tool_calls>",), closes=("</tool_calls>",), lines=True),
    ends=("<end_of_sentence>",),
    presets=(Preset("MiniMax M1, README", drawn(1.0, 0.95)),),
)

FAMILIES = (M3, M2, M1)
