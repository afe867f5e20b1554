"""Google's Gemma 4: a ``thought`` channel, calls with strings between quote tokens."""

from app.chat.formats.calls.gemma import GemmaCalls
from app.chat.formats.family import Family

GEMMA4 = Family(
    name="gemma-4",
    needs=("<|tool_call>call:",),
    think_open=("<|channel>thought",),
    think_close=("<channel|>",),
    calls=GemmaCalls(),
    ends=("<turn|>", "<|tool_response>", "<eos>"),
)

FAMILIES = (GEMMA4,)
