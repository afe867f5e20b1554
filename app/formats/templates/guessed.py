"""Templates for models whose file has none, told by the control tokens of their vocabulary.

A model that was trained on turns cannot answer bare text well; its control tokens say which turns. Sources: the makers'
own templates, in their plainest form.
"""

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Guess:
    """``tokens``: all of them are in the vocabulary. ``name`` is what people call the form."""

    name: str
    tokens: tuple[str, ...]
    template: str


_GUESSES = (
    Guess(
        "ChatML",
        ("<|im_start|>", "<|im_end|>"),
        "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}",
    ),
    Guess(
        "Llama 3",
        ("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
        "{{ bos_token }}{% for m in messages %}<|start_header_id|>{{ m.role }}<|end_header_id|>\n\n"
        "{{ m.content }}<|eot_id|>{% endfor %}"
        "{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}",
    ),
    Guess(
        "Gemma",
        ("<start_of_turn>", "<end_of_turn>"),
        "{{ bos_token }}{% for m in messages %}"
        "{% if m.role == 'system' %}{{ raise_exception('no system role') }}{% endif %}"
        "<start_of_turn>{{ 'model' if m.role == 'assistant' else m.role }}\n{{ m.content }}<end_of_turn>\n{% endfor %}"
        "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}",
    ),
)


def guessed(control_tokens: Collection[str]) -> Guess | None:
    """The form that the vocabulary speaks of; None for a model that was trained on text alone."""
    return next((guess for guess in _GUESSES if all(token in control_tokens for token in guess.tokens)), None)
