"""Meta's Llama 3.x (an object right at the start, or after ``<|python_tag|>``) and Llama 4 (Python calls), and models
that were trained from them with ways of their own: Functionary, Firefunction.

Llama 3 after its templates and Meta's prompt_format.md files, which also have bare lists of Python calls (3.2) and
``<function=N>{...}</function>`` (3.1). Llama 4 after Meta's prompt_format.md, which has bare lists only (what is
assumed beyond it: docs/formats.md); the others after their templates.
"""

from app.formats.calls.choice import Choice
from app.formats.calls.code import CodeCalls
from app.formats.calls.json_calls import JsonCalls
from app.formats.calls.named_json import NamedJsonCalls
from app.formats.calls.pythonic import PythonicCalls
from app.formats.family import Family, Header, HeaderSyntax, Preset, drawn
from app.formats.text.schema import ToolTypes

_ENDS = ("<|eot_id|>", "<|eom_id|>", "<|end_of_text|>")
_KEYS = ("parameters", "arguments")
_BARE_JSON = JsonCalls(opens=("{", "["), argument_keys=_KEYS, known_only=True, invented=True)
_TAGGED = JsonCalls(opens=("<|python_tag|>",), argument_keys=_KEYS)
_CODE = CodeCalls(open="<|python_tag|>", ends=_ENDS)
_FUNCTION = NamedJsonCalls(call="<function=", name_ends=(">",), close=("</function>",), soft_opens=("<function=",))
_PRESETS = (Preset("Llama 3.1 to 4, generation_config.json", drawn(0.6, 0.9)),)
_BARE = Choice(when=(("{", _BARE_JSON), ("[{", _BARE_JSON)), otherwise=PythonicCalls())


def _functionary_header(text: str, tools: ToolTypes) -> Header | None:
    name = text.strip()
    if name == "all":
        return Header("content")
    return Header("call", name) if name in tools.names else None


FUNCTIONARY32 = Family(
    name="functionary-v3.2",
    needs=(">>>${recipient}",),
    headers=HeaderSyntax(openers=(">>>",), end="\n", classify=_functionary_header, first=(), soft=True),
    ends=_ENDS,
)
FUNCTIONARY31 = Family(
    name="functionary-v3.1",
    needs=("<|start_header_id|>", "<function="),
    calls=Choice(when=(("<", _CODE),), otherwise=_FUNCTION),
    spelt=("</function>",),
    ends=_ENDS,
)
FIREFUNCTION = Family(
    name="firefunction",
    needs=("functools[",),
    calls=JsonCalls(opens=("functools[",), soft_opens=("functools[",)),
    ends=(*_ENDS, "<|end|>"),
)
LLAMA4 = Family(
    name="llama-4",
    needs=("<|header_start|>",),
    calls=Choice(
        when=tuple(
            (begin, JsonCalls(opens=("<|python_start|>",), closes=("<|python_end|>",), argument_keys=_KEYS))
            for begin in ("{", "[{")
        ),
        # Its template puts the text of a message that calls tools between these, too.
        otherwise=PythonicCalls(open="<|python_start|>", close="<|python_end|>", prose=True),
    ),
    bare=_BARE,
    ends=("<|eot|>", "<|eom|>", "<|end_of_text|>"),
    presets=_PRESETS,
)
LLAMA3 = Family(
    name="llama-3",
    needs=("<|start_header_id|>",),
    any_of=('"parameters"', "<|python_tag|>", "ipython"),
    calls=Choice(when=(("{", _TAGGED), ("[{", _TAGGED), ("<", _FUNCTION)), otherwise=_CODE),
    spelt=("</function>",),
    bare=_BARE,
    ends=_ENDS,
    single=True,
    presets=_PRESETS,
)

FAMILIES = (FUNCTIONARY32, FUNCTIONARY31, FIREFUNCTION, LLAMA4, LLAMA3)
