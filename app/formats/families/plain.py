"""Text and nothing else, but for ``<think>``, which too many models write to leave it standing there.

Where the template knows tools but says in no known way how they are called, an answer that begins with JSON which names
one of them is a call (xLAM and others).
"""

from dataclasses import replace

from app.formats.calls.json_calls import JsonCalls
from app.formats.families.google import GEMMA
from app.formats.family import Family, Preset, drawn

_SMOLLM2 = Preset("SmolLM2, model card", drawn(0.2, 0.9, top_k=40), models=("smollm2",))

PLAIN = Family(
    name="plain",
    spelt=("<think>", "</think>"),
    ends=(
        *("<end_of_turn>", "<|end|>", "<|im_end|>", "<|eot_id|>", "<|endoftext|>", "</s>", "<eos>", "<|end_of_text|>"),
        *("<|end_of_sentence|>", "<｜end▁of▁sentence｜>", "[|endofturn|]", "<|role_end|>", "<|eos|>"),
    ),
    presets=(_SMOLLM2, *(replace(preset, models=("gemma-3",)) for preset in GEMMA)),
)
PLAIN_TOOLS = replace(
    PLAIN, bare=JsonCalls(opens=("{", "["), argument_keys=("arguments", "parameters"), known_only=True)
)
