"""Text and nothing else, but for ``<think>``, which too many models write to leave it standing there."""

from app.chat.formats.family import Family

PLAIN = Family(
    name="plain",
    ends=("<end_of_turn>", "<|end|>", "<|im_end|>", "<|eot_id|>", "<|endoftext|>", "</s>", "<eos>"),
)
