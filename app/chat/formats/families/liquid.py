"""Liquid's LFM2 and LFM2.5: Python calls between tokens."""

from app.chat.formats.calls.choice import Choice
from app.chat.formats.calls.json_calls import JsonCalls
from app.chat.formats.calls.pythonic import PythonicCalls
from app.chat.formats.family import Family

_OPEN, _CLOSE = "<|tool_call_start|>", "<|tool_call_end|>"

LFM2 = Family(
    name="lfm2",
    needs=("List of tools: ",),
    calls=Choice(
        when=(("{", JsonCalls(opens=(_OPEN,), closes=(_CLOSE,))),), otherwise=PythonicCalls(open=_OPEN, close=_CLOSE)
    ),
    ends=("<|im_end|>",),
)

FAMILIES = (LFM2,)
