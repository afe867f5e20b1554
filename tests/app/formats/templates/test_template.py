"""Rendering: what templates need is there, what could run away is stopped, nothing is silently dropped."""

import json
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from app.domain.errors import AppError
from app.formats import detect
from app.formats.templates.budget import Budget, TooMuch
from app.formats.templates.mended import index, mended
from app.formats.templates.template import ChatTemplate

COLLECTION = Path(__file__).parents[4] / ".cache" / "llama.cpp-templates"
USER = {"role": "user", "content": "Hello there"}
SYSTEM = {"role": "system", "content": "Be brief."}
TOOLS: list[dict[str, object]] = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "Weather",
            "parameters": {"type": "object", "properties": {"city": {"type": "string", "description": "City"}}},
        },
    }
]


def called(*cities: str, reasoning: str = "", content: str = "") -> list[dict[str, Any]]:
    """An assistant's message with calls, and their results."""
    calls = [
        {
            "id": f"id-{city}",
            "type": "function",
            "function": {"name": "get_weather", "arguments": f'{{"city":"{city}"}}'},
        }
        for city in cities
    ]
    message: dict[str, Any] = {"role": "assistant", "content": content, "tool_calls": calls}
    if reasoning:
        message["reasoning_content"] = reasoning
    results = [{"role": "tool", "tool_call_id": f"id-{city}", "content": f"Sun in {city}"} for city in cities]
    return [message, *results]


@pytest.fixture(scope="session")
def collection() -> Callable[[str], str]:
    def read(name: str) -> str:
        path = COLLECTION / name
        if not path.exists():
            pytest.fail(f"{path} is missing: run `python packaging/dev.py setup`.")
        return path.read_text(encoding="utf-8")

    return read


def render(
    source: str, messages: list[dict[str, Any]], tools: list[dict[str, object]] | None = None, **options: Any
) -> str:
    return ChatTemplate(source, now=lambda: datetime(2026, 1, 2)).render(
        messages, tools, format=detect(source), **options
    )


# -- what templates need


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{% set l = [] %}{% set _ = l.append('a') %}{% do l.append('b') %}{{ l.pop(0) }}{{ l|length }}", "a1"),
        ("{{ {'b': '<é>', 'a': [1, true, none]}|tojson }}", '{"b": "<é>", "a": [1, true, null]}'),
        ("{{ {'a': 1}|tojson(indent=2) }}", '{\n  "a": 1\n}'),
        ("{{ 'é'|tojson(ensure_ascii=True) }}", '"\\u00e9"'),
        ("{{ strftime_now('%Y-%m-%d') }}", "2026-01-02"),
        ("{% for i in [0, 1, 2] %}{% if i == 1 %}{% continue %}{% endif %}{{ i }}{% endfor %}", "02"),
        ("{% for i in [0, 1, 2] %}{% if i == 1 %}{% break %}{% endif %}{{ i }}{% endfor %}", "0"),
        ("{% generation %}x{% endgeneration %}", "x"),
        ("{% set ns = namespace(a=1) %}{% for i in [1, 2] %}{% set ns.a = ns.a + i %}{% endfor %}{{ ns.a }}", "4"),
        ("{{ '<a{}>'.format('x') }}{{ '%s' % 'y' }}{{ 'a' ~ 1 }}", "<ax>ya1"),
        (
            "{% for m in messages %}{{ loop.last }}{{ loop.length }}{{ loop.previtem is defined }}{% endfor %}",
            "True1False",
        ),
        ("{{ ('{\"a\": 1}'|from_json).a }}", "1"),
        ("  {% if true %}\n  x\n  {% endif %}\n", "  x\n"),
        ("{{ bos_token }}|{{ eos_token }}", "|"),
    ],
)
def test_features(source: str, expected: str) -> None:
    assert render(source + "{# Hello there #}", [USER]) == expected


def test_messages_are_not_changed_by_a_template() -> None:
    message = {"role": "user", "content": "Hello there"}
    render("{% set _ = messages[0].update({'content': 'x'}) %}{{ messages[0].content }}", [message])
    assert message == {"role": "user", "content": "Hello there"}


# -- what could run away

LOOP = "{% set ns = namespace(a='x') %}{% for i in range(60) %}"
TWINS = (
    "{% set ns = namespace(a=[1], b=[1]) %}{% for i in range(40) %}"
    "{% set ns.a = [ns.a, ns.a] %}{% set ns.b = [ns.b, ns.b] %}{% endfor %}"
)
DEEP = "{% set ns = namespace(a=[1] * 10000) %}{% for i in range(900) %}{% set ns.a = [ns.a] %}{% endfor %}"
BIG = "{% set s = 'x' * 15000000 %}{% set l = ['x'] * 900000 %}"
KEEP = BIG + "{% set k = [] %}{% for i in range(500) %}{% set _ = k.append("
NEST = "{% set ns = namespace(a=[1]) %}{% for i in range(40) %}{% set ns.a = [ns.a, ns.a] %}{% endfor %}"
ATTACKS = [
    "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "{% set l = range(3000)|list %}" + "{% for a in l %}" * 3 + "{% endfor %}" * 3,
    "{% set l = [1] %}{% for a in l %}{% set _ = l.append(1) %}{% endfor %}",
    "{{ 'a' * 10**9 }}",
    "{{ ['a'] * 10**9 }}",
    "{{ range(10**9)|list }}",
    "{% set ns = namespace(a='x') %}{% for i in range(60) %}{% set ns.a = ns.a ~ ns.a %}{% endfor %}",
    "{% set ns = namespace(a='x') %}{% for i in range(60) %}{% set ns.a = ns.a + ns.a %}{% endfor %}",
    "{% set ns = namespace(a=['x']) %}{% for i in range(60) %}{% set _ = ns.a.extend(ns.a) %}{% endfor %}",
    LOOP + "{% set b %}{{ ns.a }}{{ ns.a }}{% endset %}{% set ns.a = b %}{% endfor %}",
    "{% set ns = namespace(a=9) %}{% for i in range(60) %}{% set ns.a = ns.a * ns.a %}{% endfor %}",
    NEST + "{{ ns.a }}",
    NEST + "{{ ns.a|tojson }}",
    NEST + "{{ ns.a|string|length }}",
    "{% set ns = namespace(a=(1,)) %}{% for i in range(40) %}{% set ns.a = (ns.a, ns.a) %}{% endfor %}{{ {ns.a: 1} }}",
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(100) }}",
    "{% for a in range(1000) recursive %}{{ loop(range(1000)) }}{% endfor %}",
    "{{ 'x'.center(10**9) }}",
    "{{ '%1000000000d' % 1 }}",
    "{{ '%*d' % (10**9, 1) }}",
    "{{ '{:1000000000}'.format(1) }}",
    "{{ '{:{}}'.format(1, 10**9) }}",
    "{{ 2 ** (10**9) }}",
    "{{ 1|round(10**9, 'floor') }}",
    "{{ ('a' * 10**6).replace('a', 'b' * 10**6) }}",
    "{{ ('a' * 10**6)|replace('a', 'b' * 10**6) }}",
    "{{ (['a'] * 10**5)|join('b' * 10**6) }}",
    "{{ 'x\\n'|indent(10**9) }}",
    "{{ [1]|tojson(indent=10**9) }}",
    "{{ strftime_now('%1000000000d') }}",
    "{{ ''.__class__.__mro__ }}",
    "{{ [].__class__.__base__.__subclasses__() }}",
    "{{ cycler.__init__.__globals__ }}",
    "{{ ''.__len__() }}",
    "{% include 'x' %}",
    "{% import 'os' as os %}{{ os }}",
    "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "{% if x %}" * 500 + "{% endif %}" * 500,
    "{{ unclosed",
    # equal lists whose parts are shared take ages to compare
    TWINS + "{{ ns.a == ns.b }}",
    TWINS + "{{ ns.a in [ns.b] }}",
    TWINS + "{{ [ns.b].index(ns.a) }}",
    TWINS + "{{ [ns.b].count(ns.a) }}",
    TWINS + "{{ ns.a is eq ns.b }}",
    TWINS + "{{ ns.a is in [ns.b] }}",
    TWINS + "{{ [ns.a]|select('equalto', ns.b)|list }}",
    TWINS + "{{ [{'a': ns.a}]|selectattr('a', 'equalto', ns.b)|list }}",
    TWINS + "{{ [ns.a, ns.b]|sort }}",
    TWINS + "{{ [ns.a, ns.b]|map('list')|max }}",
    TWINS + "{{ [{'a': ns.a}, {'a': ns.b}]|groupby('a') }}",
    TWINS + "{{ {'a': ns.a, 'b': ns.b}|dictsort(by='value') }}",
    # values none of which is too large, but all together
    KEEP + "s[1:]) %}{% endfor %}",
    KEEP + "s.upper()) %}{% endfor %}",
    KEEP + "s ~ i) %}{% endfor %}",
    KEEP + "s.split('x')) %}{% endfor %}",
    KEEP + "s|list) %}{% endfor %}",
    KEEP + "l.copy()) %}{% endfor %}",
    KEEP + "l[1:]) %}{% endfor %}",
    KEEP + "l + [i]) %}{% endfor %}",
    KEEP + "('[' ~ '1,' * 5000000 ~ '1]')|from_json) %}{% endfor %}",
    "{{ ('b' * 100000).join('a' * 100000) }}",
    "{{ ('b' * 100000).join(range(100000)|map('string')) }}",
    "{% set l = [] %}{% for i in range(100) %}{% set _ = l.extend(range(100000)) %}{% endfor %}{{ l|length }}",
    "{{ ('\\t' * 1000).expandtabs(tabsize=10**7) }}",
    "{{ ([1] * 100000)|tojson(separators=('x' * 10000, 'y')) }}",
    DEEP + "{{ ns.a|tojson(indent=64)|length }}",
    "{{ nothing.at.all }}",
    "{{ messages|random_filter_nobody_knows }}",
    "x" * 600_000,
]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.formats.templates.budget.MAX_STEPS", 60_000)
    monkeypatch.setattr("app.formats.templates.budget.MAX_MADE", 100_000_000)


@pytest.mark.parametrize("source", ATTACKS, ids=[attack[:60] for attack in ATTACKS])
@pytest.mark.usefixtures("impatient")
def test_attacks_end_with_an_error(source: str) -> None:
    with pytest.raises(AppError) as caught:
        ChatTemplate(source).render([USER], None)
    assert caught.value.code in ("template-limit", "template-failed", "template-refused", "template-invalid")


def test_a_slow_template_is_stopped_on_any_thread() -> None:
    ticks = iter((0.0, 101.0))
    budget = Budget(seconds=100, clock=lambda: next(ticks))
    with pytest.raises(TooMuch):
        budget.step(1000)
    caught: list[AppError] = []

    def work() -> None:
        try:
            ChatTemplate(ATTACKS[0]).render([USER], None)
        except AppError as error:
            caught.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(30)
    assert [error.code for error in caught] == ["template-limit"]


def test_a_refusal_says_why() -> None:
    with pytest.raises(AppError) as caught:
        render("{{ raise_exception('only haiku') }}", [USER])
    assert caught.value.code == "template-refused"
    assert "only haiku" in caught.value.info.text()


# -- templates that can do less


def test_no_template_at_all() -> None:
    assert render("", [SYSTEM, USER]) == "Be brief.\n\nHello there\n\n"


def test_no_system_message(collection: Callable[[str], str]) -> None:
    text = render(collection("google-gemma-2-2b-it.jinja"), [SYSTEM, USER])
    assert text.endswith("<start_of_turn>user\nBe brief.\n\nHello there<end_of_turn>\n<start_of_turn>model\n")


def test_a_dropped_system_message_comes_back() -> None:
    source = "{% for m in messages if m.role != 'system' %}<{{ m.role }}>{{ m.content }}{% endfor %}"
    assert render(source, [SYSTEM, USER]) == "<user>Be brief.\n\nHello there"


def test_no_tools(collection: Callable[[str], str]) -> None:
    text = render(collection("google-gemma-2-2b-it.jinja"), [USER, *called("Paris", "Rome")])
    assert "Sun in Paris" in text
    assert "Sun in Rome" in text
    assert text.count("<start_of_turn>user") == 2


@pytest.mark.parametrize("count", [1, 2])
def test_every_template_renders_a_tool_loop(count: int, collection: Callable[[str], str]) -> None:
    collection("Kimi-K3.jinja")
    cities = ["Paris", "Rome"][:count]
    for path in sorted(COLLECTION.glob("*.jinja")):
        text = render(path.read_text(encoding="utf-8"), [SYSTEM, USER, *called(*cities, reasoning="Thinking")], TOOLS)
        for needed in ("Be brief.", "Hello there", *(f"Sun in {city}" for city in cities)):
            assert needed in text, (path.name, needed)
        assert text.rindex("Hello there") < text.rindex("Sun in")


def test_every_template_renders_tools_without_descriptions(collection: Callable[[str], str]) -> None:
    collection("Kimi-K3.jinja")
    parameters = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    tools: list[dict[str, object]] = [
        {"type": "function", "function": {"name": "get_weather", "parameters": parameters}}
    ]
    for path in sorted(COLLECTION.glob("*.jinja")):
        assert "Hello there" in render(path.read_text(encoding="utf-8"), [SYSTEM, USER, *called("Paris")], tools), (
            path.name
        )


# -- what families want


def test_kimi_ids_count_through_the_conversation(collection: Callable[[str], str]) -> None:
    messages = [USER, *called("Paris", "Rome"), {"role": "assistant", "content": "Sun."}, USER, *called("Oslo")]
    for name in ("Kimi-K2-Thinking.jinja", "moonshotai-Kimi-K2.jinja"):
        text = render(collection(name), messages, TOOLS)
        for number, city in enumerate(("Paris", "Rome", "Oslo")):
            call = f"functions.get_weather:{number}"
            assert f'<|tool_call_begin|>{call}<|tool_call_argument_begin|>{{"city":"{city}"}}' in text
            assert f"## Return of {call}\nSun in {city}" in text


def test_kimi_keeps_the_reasoning_of_a_running_loop_only(collection: Callable[[str], str]) -> None:
    messages = [
        USER, *called("Paris", reasoning="OLD1"), {"role": "assistant", "content": "A.", "reasoning_content": "OLD2"},
        USER, *called("Rome", reasoning="OLD3"), {"role": "assistant", "content": "B.", "reasoning_content": "OLD4"},
        USER, *called("Oslo", reasoning="NEW"),
    ]  # fmt: skip
    text = render(collection("Kimi-K2-Thinking.jinja"), messages, TOOLS)
    assert "<think>NEW</think>" in text
    assert "OLD" not in text
    source = collection("Kimi-K2-Thinking.jinja")
    assert "OLD3" in ChatTemplate(source, mend=False).render(messages, TOOLS, format=detect(source))


def test_mistral_ids_have_nine_characters(collection: Callable[[str], str]) -> None:
    text = render(collection("Mistral-Small-3.2-24B-Instruct-2506.jinja"), [USER, *called("Paris")], TOOLS)
    assert "[CALL_ID]call00000[ARGS]" in text
    assert "[TOOL_RESULTS]call00000[TOOL_CONTENT]Sun in Paris" in text


def test_gpt_oss_reasoning_preamble_and_two_calls(collection: Callable[[str], str]) -> None:
    messages = [USER, *called("Paris", "Rome", reasoning="Hm.", content="I look.")]
    text = render(collection("openai-gpt-oss-120b.jinja"), messages, TOOLS)
    assert "<|channel|>analysis<|message|>Hm.<|end|>" in text
    assert "<|channel|>commentary<|message|>I look.<|end|>" in text
    assert text.count("to=functions.get_weather") == 2


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Kimi-K2-Thinking.jinja", "<think>Because</think>"),
        ("LFM2.5-8B-A1B.jinja", "<think>Because</think>"),
        ("openai-gpt-oss-120b.jinja", "<|channel|>analysis<|message|>Because<|end|>"),
        ("mistralai-Ministral-3-14B-Reasoning-2512.jinja", "[THINK]Because[/THINK]"),
        ("poolside-Laguna-S-2.1.jinja", "<think>Because</think>"),
        ("upstage-Solar-Open-100B.jinja", "<|think|>Because<|end|>"),
        ("google-gemma-4-31B-it.jinja", "<|channel>thought\nBecause\n<channel|>"),
        ("MiniMax-M2.jinja", "<think>\nBecause\n</think>"),
    ],
)
def test_reasoning_goes_back_in(name: str, expected: str, collection: Callable[[str], str]) -> None:
    assert expected in render(collection(name), [USER, *called("Paris", reasoning="Because")], TOOLS, think=True)


@pytest.mark.parametrize(
    ("name", "on", "off"),
    [
        ("Qwen-Qwen3-0.6B.jinja", "<|im_start|>assistant\n", "<|im_start|>assistant\n<think>\n\n</think>\n\n"),
        ("Qwen3.5-4B.jinja", "<|im_start|>assistant\n<think>\n", "<|im_start|>assistant\n<think>\n\n</think>\n\n"),
        ("deepseek-ai-DeepSeek-V3.1.jinja", "<｜Assistant｜><think>", "<｜Assistant｜><think></think>"),
        ("deepseek-ai-DeepSeek-V4.jinja", "<｜Assistant｜><think>", "<｜Assistant｜></think>"),
        ("GLM-4.7-Flash.jinja", "<|assistant|><think>", "<|assistant|></think>"),
        ("MiniMax-M3.jinja", "]~b]ai\n<mm:think>", "]~b]ai\n</mm:think>"),
        ("tencent-Hy3.jinja", "<think:opensource>", "<think:opensource></think:opensource>"),
        ("Kimi-K3.jinja", "<|open|>think<|sep|>", "<|open|>response<|sep|>"),
        ("NVIDIA-Nemotron-Nano-v2.jinja", "Assistant\n<think>\n", "Assistant\n<think></think>"),
        ("ByteDance-Seed-OSS.jinja", "<seed:bos>assistant\n", "</seed:think>"),
        ("Cohere2MoE.jinja", "<|START_THINKING|>", "<|START_THINKING|><|END_THINKING|>"),
        ("upstage-Solar-Open-100B.jinja", "<|begin|>assistant", "<|think|><|end|><|begin|>assistant"),
        ("google-gemma-4-31B-it.jinja", "<|turn>model\n", "<|turn>model\n<|channel>thought\n<channel|>"),
        ("inclusionai-ling-3.0-flash.jinja", "\n<think>", "\n<think></think>"),
        ("microsoft-Phi-3.5-mini-instruct.jinja", "<|assistant|>\n", "<|assistant|>\n"),
    ],
)
def test_generation_prompt(name: str, on: str, off: str, collection: Callable[[str], str]) -> None:
    source = collection(name)
    template = ChatTemplate(source, eos="<|end|>")
    assert template.generation_prompt(think=True, format=detect(source)).endswith(on)
    assert template.generation_prompt(think=False, format=detect(source)).endswith(off)


def test_effort(collection: Callable[[str], str]) -> None:
    assert "Reasoning: high" in render(collection("openai-gpt-oss-120b.jinja"), [USER], effort="high")
    assert "thinking_effort=low" in render(collection("Kimi-K3.jinja"), [USER], effort="low")


# -- mended templates


def test_every_mended_template_is_described_and_replaces_its_original(collection: Callable[[str], str]) -> None:
    originals = [path.read_text(encoding="utf-8") for path in sorted(COLLECTION.glob("*.jinja"))]
    for entry in index():
        assert entry["origin"]
        assert entry["licence"]
        assert entry["reason"]
        replaced = [source for source in originals if mended(source) != source and _hits(entry, source)]
        assert len(replaced) == 1, entry["file"]
        again = mended(replaced[0])
        assert mended(again) == again
        assert detect(again).name == detect(replaced[0]).name


def _hits(entry: Any, source: str) -> bool:
    return all(text in source for text in entry["has"]) and not any(text in source for text in entry["lacks"])


def test_arguments_that_are_not_json_do_not_break_a_prompt(collection: Callable[[str], str]) -> None:
    messages = [USER, *called("Paris")]
    messages[1]["tool_calls"][0]["function"]["arguments"] = "{broken"
    for name in ("Qwen3-Coder.jinja", "Qwen-Qwen3-0.6B.jinja"):
        assert "get_weather" in render(collection(name), messages, TOOLS)


def test_rendering_is_plain_json_for_tools(collection: Callable[[str], str]) -> None:
    text = render(collection("Qwen-Qwen3-0.6B.jinja"), [USER], TOOLS)
    assert json.dumps(TOOLS[0], ensure_ascii=False) in text
