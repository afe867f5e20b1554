"""What a family's template renders of the assistant's turn is read back as the same parts."""

import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import pytest

from app.domain.errors import AppError
from app.formats import detect
from app.formats.templates.template import ChatTemplate

QUESTION = {"role": "user", "content": "What is the weather?"}
CODE = "\nsomething = 'é'\n\n\tend\n"  # its longest word is another one where the line is escaped
CALLS = [("get_weather", {"city": "Paris", "days": 2}), ("make_note", {"text": CODE, "tags": ["x"], "urgent": True})]

NO_CALLS = {  # their templates do not write calls
    "LFM2-8B-A1B.jinja", "LFM2.5-Instruct.jinja", "HuggingFaceTB-SmolLM3-3B.jinja", "google-gemma-2-2b-it.jinja",
    "ibm-granite-granite-3.3-2B-Instruct.jinja", "llama-cpp-rwkv-world.jinja", "microsoft-Phi-3.5-mini-instruct.jinja",
}  # fmt: skip
TEXT_OR_CALLS = {  # their templates write one of them, or text after the calls
    "deepseek-ai-DeepSeek-R1-Distill-Llama-8B.jinja",
    "deepseek-ai-DeepSeek-R1-Distill-Qwen-32B.jinja",
    "llama-cpp-deepseek-r1.jinja",
}
SKIPPED = {
    "Apriel-1.6-15b-Thinker-fixed.jinja": ("reasoning", "all"),  # history has no opening of the reasoning
    "CohereForAI-c4ai-command-r-plus-tool_use.jinja": ("text", "reasoning", "calls", "all"),  # instructions come last
    "NVIDIA-Nemotron-Nano-v2.jinja": ("text", "reasoning", "all"),  # an open reasoning block before a last answer
}


compiled = lru_cache(maxsize=1)(ChatTemplate)


def turn(source: str, message: dict[str, Any], tools: list[dict[str, object]] | None) -> tuple[Any, str, str]:
    """The format, the generation prompt that fits, and the assistant's turn as the template writes it."""
    found = detect(source)
    template = compiled(source)
    asked = template.render([QUESTION], tools, generation_prompt=False, think=True, format=found)
    both = template.render([QUESTION, message], tools, generation_prompt=False, think=True, format=found)
    same = next(
        (place for place, (a, b) in enumerate(zip(asked, both, strict=False)) if a != b), min(len(asked), len(both))
    )
    rest = zip(reversed(asked[same:]), reversed(both[same:]), strict=False)  # what some write after everything
    both = both[: len(both) - next((place for place, (a, b) in enumerate(rest) if a != b), len(asked) - same)]
    prompts = []
    for think in (True, False, None):
        tail = template.generation_prompt([QUESTION], tools, think=think, format=found)
        cuts = [tail.find(marker) for marker in (*found.family.think_open, *found.family.think_close) if marker in tail]  # type: ignore[attr-defined]
        prompts += [tail, tail[: min(cuts)] if cuts else tail]
    if both.startswith(asked):  # it always ends with a generation prompt
        both = asked + min((both[len(asked) :].removesuffix(prompt) for prompt in prompts), key=len)
    for prompt in sorted(set(prompts), key=len, reverse=True):
        begin = both.find(prompt, max(0, same - len(prompt))) if prompt else -1
        if begin >= 0:
            return found, prompt, both[begin + len(prompt) :]
    return found, "", both[same:]


@pytest.mark.parametrize("kind", ["text", "reasoning", "calls", "all"])
def test_round_trip(
    template_file: str, kind: str, template_source: Callable[[str], str], parse: Any, wires: Any
) -> None:
    source = template_source(template_file)
    if kind in SKIPPED.get(template_file, ()):
        pytest.skip("the template writes a last answer in another way than the model")
    message: dict[str, Any] = {"role": "assistant", "content": "It is sunny."}
    if kind == "calls" or (kind == "all" and template_file in TEXT_OR_CALLS):
        message["content"] = ""
    if kind in ("reasoning", "all"):
        message["reasoning_content"] = "I look at the sky."
    calls = CALLS if kind in ("calls", "all") and template_file not in NO_CALLS else []
    if detect(source).family.single:  # type: ignore[attr-defined]
        calls = calls[:1]
    if calls:
        message["tool_calls"] = [
            {"id": f"call{number}", "type": "function", "function": {"name": name, "arguments": json.dumps(given)}}
            for number, (name, given) in enumerate(calls)
        ]
    try:
        found, prompt, text = turn(source, message, wires.TOOLS)
    except AppError as error:
        pytest.fail(error.info.detail or error.info.text())
    parsed = parse(found, text, prompt=prompt, tools=wires.TOOLS)
    assert [(name, json.loads(arguments)) for name, arguments in parsed.calls] == calls, text
    if calls and message["content"] not in text:
        assert parsed.content.strip() == "", text
    else:
        after = "\n\n" if template_file == "llama-cpp-rwkv-world.jinja" else ""  # it has nothing else to end with
        assert parsed.content == message["content"] + after, text
    if "I look at the sky." in text:
        assert parsed.reasoning == "I look at the sky.", text
    assert not parsed.notes
