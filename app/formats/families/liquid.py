"""Liquid's LFM2 and LFM2.5: calls between tokens, Python's by default and JSON where the system prompt asks for it."""

from app.formats.calls.choice import Choice
from app.formats.calls.json_calls import JsonCalls
from app.formats.calls.pythonic import PythonicCalls
from app.formats.family import Family

_OPEN, _CLOSE = "<|tool_call_start|>", "<|tool_call_end|>"
_JSON = JsonCalls(opens=(_OPEN,), closes=(_CLOSE,))

LFM2 = Family(
    name="lfm2",
    any_of=("List of tools: ", _OPEN, "<|tool_list_start|>"),
    calls=Choice(when=(("{", _JSON), ("[{", _JSON)), otherwise=PythonicCalls(open=_OPEN, close=_CLOSE)),
    ends=("<|im_end|>",),
)

FAMILIES = (LFM2,)
