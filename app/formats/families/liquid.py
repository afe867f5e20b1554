"""Liquid's LFM2 and LFM2.5: calls between tokens, Python's by default and JSON where the system prompt asks for it."""

from functools import partial

from app.formats.calls.choice import Choice
from app.formats.calls.json_calls import JsonCalls
from app.formats.calls.pythonic import PythonicCalls
from app.formats.family import Family, Preset, drawn

_OPEN, _CLOSE = "<|tool_call_start|>", "<|tool_call_end|>"
_JSON = JsonCalls(opens=(_OPEN,), closes=(_CLOSE,))

_drawn = partial(drawn, repeat_penalty=1.05)

LFM2 = Family(
    name="lfm2",
    any_of=("List of tools: ", _OPEN, "<|tool_list_start|>"),
    calls=Choice(when=(("{", _JSON), ("[{", _JSON)), otherwise=PythonicCalls(open=_OPEN, close=_CLOSE)),
    ends=("<|im_end|>",),
    presets=(
        Preset("LFM2.5 8B A1B, model card", _drawn(0.2, top_k=80), models=("lfm2.5-8b",)),
        Preset("LFM2.5 1.2B Thinking, model card", _drawn(0.05, top_k=50), models=("lfm2.5-1.2b-thinking",)),
        Preset("LFM2.5 350M and 1.2B Instruct, model cards", _drawn(0.1, top_k=50), models=("lfm2.5",)),
        Preset("LFM2, model cards", _drawn(0.3, min_p=0.15)),
    ),
)

FAMILIES = (LFM2,)
