"""Text and nothing else, but for ``<think>``, which too many models write to leave it standing there.

Where the template knows tools but says in no known way how they are called, an answer that begins with JSON which names
one of them is a call (xLAM and others).
"""

from dataclasses import replace

from app.formats.calls.json_calls import JsonCalls
from app.formats.family import Family

PLAIN = Family(
    name="plain",
    spelt=("<think>", "</think>"),
    ends=(
        *("<end_of_turn>", "<|end|>", "<|im_end|>", "<|eot_id|>", "<|endoftext|>", "</s>", "<eos>", "<|end_of_text|>"),
        *("<|end_of_sentence|>", "<｜end▁of▁sentence｜>", "[|endofturn|]", "<|role_end|>", "<|eos|>"),
    ),
)
PLAIN_TOOLS = replace(
    PLAIN, bare=JsonCalls(opens=("{", "["), argument_keys=("arguments", "parameters"), known_only=True)
)
