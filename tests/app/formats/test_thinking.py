"""Whether and how a family thinks: what the family says, against what its templates do."""

import time
from collections.abc import Callable

import pytest

from app.domain.errors import AppError
from app.domain.models import ModelAbilities
from app.formats import detect
from app.formats.families import ALL
from app.formats.templates.template import ChatTemplate

QUESTION = {"role": "user", "content": "Is it sunny?"}
THOUGHT = {"role": "assistant", "content": "It is.", "reasoning_content": "I look at the sky."}
BY_LESS = {"gpt-oss"}  # cannot answer at once; asked to, they think as little as they can
NO_TEMPLATE = {  # see docs/formats.md
    *("longcat", "granite-3.2", "minicpm-4", "exaone-4", "exaone-deep", "ernie-4.5", "hunyuan-a13b", "ling-2"),
    *("function-gemma", "llama-4", "phi-4-mini", "internlm", "jamba", "olmo-3", "glm", "generic"),
}


def test_reasoning_ends_with_what_its_template_writes(
    template_file: str, template_source: Callable[[str], str]
) -> None:
    source = template_source(template_file)
    found = detect(source)
    if not found.thinks:
        return
    rendered = ChatTemplate(source).render([QUESTION, THOUGHT], None, think=True, format=found)
    assert any(closer in source or closer in rendered for closer in found.closers), found.closers


def test_every_family_says_what_reasoning_ends_with(template_source: Callable[[str], str], wires: object) -> None:
    at_hand = {detect(template_source(wire.template)).name for wire in wires.WIRES}
    assert {family.name for family in ALL} - at_hand <= NO_TEMPLATE
    assert all(family.closers for family in ALL)


def test_switches_do_what_the_family_says(template_file: str, template_source: Callable[[str], str]) -> None:
    source = template_source(template_file)
    found = detect(source)
    template = ChatTemplate(source)

    def prompt(think: bool | None = None, effort: str | None = None) -> str:
        return template.render([QUESTION], None, think=think, effort=effort, format=found)

    if found.name not in BY_LESS:
        assert found.abilities.switchable == (prompt(True) != prompt(False))
    efforts = found.abilities.efforts
    if efforts:
        prompts = [prompt(True, effort) for effort in efforts]
        assert len(set(prompts)) == len(efforts)
    if found.name in BY_LESS:
        assert prompt(False) == prompt(None, efforts[0]) != prompt(True)


@pytest.mark.parametrize(
    ("name", "abilities"),
    [
        ("Kimi-K2-Thinking.jinja", ModelAbilities(thinks=True, takes_tools=True)),
        ("Kimi-K2-Instruct.jinja", ModelAbilities(takes_tools=True)),
        ("Kimi-K3.jinja", ModelAbilities(True, True, ("low", "high", "max"), True)),
        ("openai-gpt-oss-120b.jinja", ModelAbilities(True, False, ("low", "medium", "high"), True)),
        ("Qwen-Qwen3-0.6B.jinja", ModelAbilities(True, True, (), True)),
        ("tencent-Hy3.jinja", ModelAbilities(True, True, ("low", "high"), True)),
        ("MiniMax-M2.jinja", ModelAbilities(True, False, (), True)),
        ("NVIDIA-Nemotron-Nano-v2.jinja", ModelAbilities(True, True, (), True)),
        ("google-gemma-2-2b-it.jinja", ModelAbilities()),
    ],
)
def test_abilities(name: str, abilities: ModelAbilities, template_source: Callable[[str], str]) -> None:
    assert detect(template_source(name)).abilities == abilities


@pytest.mark.parametrize(
    ("source", "switchable"),
    [
        ("<think>{{ enable_thinking }}", True),
        ("<think>{% if not enable_thinking %}</think>{% endif %}", True),
        ("<think>{% if thinking is defined and thinking == false %}", True),
        ("<think> enable_thinking", False),
        ("<think>{{ message.thinking }}{{ 'enable_thinking' }}{# enable_thinking #}", False),
        ('<think>{{ message["thinking"] }}', False),
        ("<think>{% set thinking = message.thinking_text %}", False),
        ('<think>{{ "it\'s" }}{% if enable_thinking %}', True),
        ("<think>{{ 'never closed }}{% if enable_thinking %}", True),
    ],
)
def test_a_template_is_told_only_by_variables_that_it_reads(source: str, switchable: bool) -> None:
    assert detect(source).abilities.switchable is switchable


@pytest.mark.parametrize(
    "source",
    [
        "{{" * 100_000,
        "{#" * 100_000,
        "{%'" * 60_000,
        "{{ '" + "\\'" * 100_000,
        "{{ a" + " " * 200_000 + "= }}",
        "{{" + "a" * 200_000 + "(}}",
    ],
)
def test_a_template_made_to_take_ages_does_not(source: str) -> None:
    started = time.process_time()
    detect(source + "<think>")
    assert time.process_time() - started < 2


def test_an_effort_that_the_template_does_not_know_is_its_refusal(template_source: Callable[[str], str]) -> None:
    source = template_source("tencent-Hy3.jinja")
    with pytest.raises(AppError):
        ChatTemplate(source).render([QUESTION], None, effort="enormous", format=detect(source))
