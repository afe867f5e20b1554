"""Google's Gemma 4 (a ``thought`` channel, calls with strings between quote tokens) and FunctionGemma (only calls)."""

from app.formats.calls.gemma import GemmaCalls
from app.formats.family import Family, Preset, drawn

GEMMA = (Preset("Gemma 3 and 4, model cards", drawn(1.0, 0.95, top_k=64)),)

GEMMA4 = Family(
    name="gemma-4",
    needs=("<|tool_call>call:",),
    think_open=("<|channel>thought",),
    think_close=("<channel|>",),
    calls=GemmaCalls(),
    ends=("<turn|>", "<|tool_response>", "<eos>"),
    presets=GEMMA,
)

FUNCTION_GEMMA = Family(
    name="function-gemma",
    needs=("<start_function_call>",),
    calls=GemmaCalls(open="<start_function_call>", close="<end_function_call>", quote="<escape>"),
    ends=("<end_of_turn>", "<start_function_response>", "<eos>"),
    presets=GEMMA,
)

FAMILIES = (GEMMA4, FUNCTION_GEMMA)
