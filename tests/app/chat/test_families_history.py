"""What a model wrote stays its own tokens in the next prompt, whatever its family's template drops of it."""

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.domain.commands import TurnOptions
from app.domain.models import Sampling
from app.engine.fake import WORDS

TEMPLATES = Path(".cache/llama.cpp-templates")
REASONING = "Let me look."
ANSWER = ("It", " is", " sunny", " today.")
NONE = TurnOptions(tools=())
BORROWED = ("kimi-k2.5", "qwen3-2507")  # wires with an older model's template


def _wires() -> list[Any]:
    """How families write, see there; those that think and whose template is at hand."""
    spec = importlib.util.spec_from_file_location("wires_of_families", "tests/app/formats/wires.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return [wire for wire in module.WIRES if wire.think and "{" not in wire.template and wire.name not in BORROWED]


def written(wire: Any) -> list[str]:
    """An answer in tokens: markers, letters of the reasoning and of what is spelt out, words of the answer."""
    pieces: list[str] = []
    for text, control in wire.compose(reasoning=REASONING, after="@"):
        pieces += [text] if control else ANSWER if text == "@" else text
    end = {"gpt-oss": "<|end|>", "solar": "<|end|>", "muse": "<|eot|>"}.get(wire.name)  # ends the output
    return pieces[:-1] if end else pieces


@pytest.mark.parametrize("wire", _wires(), ids=lambda wire: wire.name)
def test_an_answer_stays_the_models_own_tokens(wire: Any, speaking: Any) -> None:
    pieces = written(wire)
    control = tuple(sorted({text for text, control in wire.compose(REASONING, after="@") if control}))
    chat = speaking((TEMPLATES / wire.template).read_text(encoding="utf-8"), ("<|eos|>", *control))
    chat.engine.script(pieces)
    chat.engine.script(["Gladly."])
    conversation = chat.conversation()
    answer = chat.ask(conversation, "How is the weather?", options=NONE)
    assert answer.text() == "".join(ANSWER)
    chat.ask(conversation, "Thanks", options=NONE)
    words = tuple(token for token in answer.spans[0].token_ids if token >= WORDS)
    assert chat.engine.detokenize(words).endswith(" is sunny today.")
    prompt = chat.engine.requests[1].prompt
    assert words in {prompt[at : at + len(words)] for at in range(len(prompt))}
    if REASONING not in chat.prompt():
        assert answer.spans[0].token_ids not in {
            prompt[at : at + len(answer.spans[0].token_ids)] for at in range(len(prompt))
        }


def test_markers_that_the_answer_speaks_of_do_not_mislead(kimi) -> None:
    """A closer in ordinary letters is no closer: then the text goes in."""
    kimi.engine.script(["<think>", "Hm.", "</think>", "The marker is ", *"</think>", " and ends", " it."])
    kimi.engine.script(["Gladly."])
    conversation = kimi.conversation()
    kimi.ask(conversation, "What ends it?", options=NONE)
    kimi.ask(conversation, "Thanks", options=NONE)
    assert "<think></think>The marker is </think> and ends it.<|im_end|>" in kimi.prompt()


def test_more_than_one_round_of_reasoning(kimi) -> None:
    kimi.engine.script(["<think>", "One.", "</think>", "First", "<think>", "Two.", "</think>", "Second", " part"])
    kimi.engine.script(["Gladly."])
    conversation = kimi.conversation()
    answer = kimi.ask(conversation, "Tell me", options=NONE)
    kimi.ask(conversation, "Thanks", options=NONE)
    assert answer.text() == "FirstSecond part"
    assert "<think></think>FirstSecond part<|im_end|>" in kimi.prompt()


def test_tokens_are_drawn_as_the_family_says_unless_a_person_wishes_otherwise(kimi) -> None:
    for _ in range(2):
        kimi.engine.script(["<think>", "Hm.", "</think>", "Yes."])
    kimi.ask(kimi.conversation(), "Well?", options=NONE)
    wish = replace(NONE, temperature=0.5, top_p=0.9, repeat_penalty=1.1, seed=4)
    kimi.ask(kimi.conversation(), "Well?", options=wish)
    first, second = (request.sampling for request in kimi.engine.requests)
    assert first == Sampling(1.0, 0, 0.95, 0.01, 1.0)
    assert second == Sampling(0.5, 0, 0.9, 0.01, 1.1, seed=4)
