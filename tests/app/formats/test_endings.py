"""Where outputs break off, and what models leave out or write twice, family by family."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from app.formats import detect

CODER, QWEN, QWEN35 = "Qwen3-Coder.jinja", "Qwen-Qwen3-0.6B.jinja", "Qwen3.5-4B.jinja"
KIMI, K3 = "Kimi-K2-Thinking.jinja", "Kimi-K3.jinja"
V3, V31, V32 = "llama-cpp-deepseek-r1.jinja", "deepseek-ai-DeepSeek-V3.1.jinja", "deepseek-ai-DeepSeek-V3.2.jinja"
GLM, GPT = "GLM-4.6.jinja", "openai-gpt-oss-120b.jinja"
M2, M3 = "MiniMax-M2.jinja", "MiniMax-M3.jinja"

K3_THINK = '<|open|>message role="assistant"<|sep|><|open|>think<|sep|>'
K3_CALL = '<|open|>tools<|sep|><|open|>call tool="ping" index="1"<|sep|><|close|>call<|sep|><|close|>tools<|sep|>'
HERMES = '<tool_call>\n{"name": "ping", "arguments": {}}\n</tool_call>'
TAGS = "<tool_call>\n<function=ping>\n</function>\n</tool_call>"
KIMI_CALL = (
    "<|tool_calls_section_begin|><|tool_call_begin|>functions.ping:0<|tool_call_argument_begin|>{}<|tool_call_end|>"
    "<|tool_calls_section_end|>"
)
V3_CALL = "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>ping\n```json\n{}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>"
DSML = '<｜DSML｜function_calls>\n<｜DSML｜invoke name="ping">\n</｜DSML｜invoke>\n</｜DSML｜function_calls>'
PAIRS = "<tool_call>get_weather\n<arg_key>city</arg_key>\n<arg_value>Paris</arg_value>\n"
CITY = '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Paris"'
PARIS = ("get_weather", '{"city": "Paris"}')
DAYS = ("get_weather", '{"city": "Paris", "days": 3}')
PING = ("ping", "{}")
UNCLOSED = "<parameter=city>\nParis\n"
NS = "]<]minimax[>["

Expected = tuple[str, str, list[tuple[str, str]], list[str]]  # reasoning, content, calls, notes


@pytest.fixture
def read(template_source: Callable[[str], str], parse_all_cuts: Any, wires: Any) -> Callable[..., Expected]:
    def run(template: str, text: str, prompt: str = "", truncated: bool = False) -> Expected:
        found = detect(template_source(template))
        parsed = parse_all_cuts(found, text, prompt=prompt, tools=wires.TOOLS, truncated=truncated)
        return parsed.reasoning, parsed.content, parsed.calls, parsed.notes

    return run


@pytest.mark.parametrize(
    ("template", "prompt", "text", "expected"),
    [
        (QWEN, "", "Look.<tool_ca", ("", "Look.", [], ["incomplete"])),
        (QWEN, "", "Look.</thi", ("", "Look.", [], [])),
        (QWEN, "<think>", "Hm.</thi", ("Hm.", "", [], [])),
        (QWEN, "", "a.<", ("", "a.", [], [])),
        (M3, "", "a]", ("", "a]", [], [])),
        (QWEN, "", "Use `</thi", ("", "Use `</thi", [], [])),
        (QWEN, "", "a <b", ("", "a <b", [], [])),
        (K3, K3_THINK, "Hm.<|close|>", ("Hm.", "", [], [])),
        (K3, K3_THINK, "Hm.<|close|>think<|sep|><|open|>response", ("Hm.", "", [], [])),
        (V32, "", "Ok.<｜DSML｜", ("", "Ok.", [], [])),
        (M3, "", f"Ok.{NS}", ("", "Ok.", [], [])),
        (GPT, "<|start|>assistant", "<|channel|>final<|message|>Hi<|ret", ("", "Hi", [], [])),
    ],
)  # fmt: skip
def test_cut_off_inside_of_a_marker(read: Any, template: str, prompt: str, text: str, expected: Expected) -> None:
    assert read(template, text, prompt, truncated=True) == expected


def test_what_only_begins_like_a_marker_is_text_where_the_model_ended(read: Any) -> None:
    assert read(QWEN, "Look.<tool_ca") == ("", "Look.<tool_ca", [], [])


def test_a_token_that_begins_a_marker_is_not_shown(template_source: Any, parse: Any) -> None:
    found = detect(template_source(K3))
    assert parse(found, [("Hm.", False), ("<|close|>", True)], prompt=K3_THINK).reasoning == "Hm."


@pytest.mark.parametrize(
    ("template", "text"),
    [
        (QWEN, HERMES),
        (CODER, TAGS),
        (KIMI, KIMI_CALL),
        (K3, K3_CALL),
        (V3, V3_CALL),
        (V31, V3_CALL.replace("function<｜tool▁sep｜>ping\n```json\n{}\n```", "ping<｜tool▁sep｜>{}")),
        (V32, DSML),
        (GLM, "<tool_call>ping\n</tool_call>"),
        (GPT, "<|channel|>commentary to=functions.ping <|constrain|>json<|message|>{}<|call|>"),
        (M2, '<minimax:tool_call>\n<invoke name="ping">\n</invoke>\n</minimax:tool_call>'),
        (M3, f'{NS}<tool_call>\n{NS}<invoke name="ping">{NS}</invoke>\n{NS}</tool_call>'),
    ],
)
def test_a_call_cut_off_anywhere(read: Any, template: str, text: str) -> None:
    """The call is whole or it is none, and nothing of it is text."""
    whole = False
    for end in range(1 if text[0] == "<" else 2, len(text) + 1):
        reasoning, content, calls, notes = read(
            template, text[:end], "<|start|>assistant" if template == GPT else "", truncated=True
        )
        assert (reasoning, content) == ("", ""), text[:end]
        assert calls == ([PING] if calls else []), text[:end]
        assert bool(calls) >= whole, text[:end]
        assert notes in ([], ["incomplete"]) if not calls else not notes, text[:end]
        whole = bool(calls)
    assert whole


@pytest.mark.parametrize(
    ("template", "text"),
    [
        (QWEN, f"{CITY}<|im_end|>"),
        (QWEN, f"{CITY}}}<|im_end|>"),
        (CODER, "<tool_call>\n<function=get_weather>\n<parameter=city>\nParis\n</parameter>\n<|im_end|>"),
        (CODER, "<tool_call>\n<function=get_weather>\n<|im_end|>"),
        (KIMI, KIMI_CALL.partition("}")[0] + "<|im_end|>"),
        (V3, V3_CALL.partition("}")[0] + "<｜end▁of▁sentence｜>"),
        (V32, DSML.partition("</")[0] + "<｜end▁of▁sentence｜>"),
        (GLM, f"{PAIRS}<|observation|>"),
        (GPT, '<|channel|>commentary to=functions.f<|message|>{"a": 1<|call|>'),
        (GPT, "<|channel|>commentary to=functions.f <|constrain|>json"),
        (M2, '<minimax:tool_call>\n<invoke name="ping">\n[e~['),
    ],
)
def test_a_message_that_ends_inside_of_a_call(read: Any, template: str, text: str) -> None:
    prompt = "<|start|>assistant" if template == GPT else ""
    assert read(template, text, prompt) == ("", "", [], ["incomplete"])


@pytest.mark.parametrize(
    ("template", "text", "calls"),
    [
        (CODER, "<tool_call>\n<function=get_weather>\n<parameter=city>\nParis\n</parameter>\n</tool_call>", [PARIS]),
        (CODER, f"<tool_call>\n{TAGS}\n</tool_call>", [PING]),
        (CODER, f"<tool_call>\n<function=get_weather>\n{UNCLOSED}</function>\n</tool_call>", [PARIS]),
        (CODER, f"<function=get_weather>\n{UNCLOSED}</function>\n{TAGS}", [PARIS, PING]),
        (CODER, f"<tool_call>\n<function=get_weather>\n{UNCLOSED}</function>\n<|im_end|>", [PARIS]),
        (
            CODER,
            f"<tool_call>\n<function=get_weather>\n{UNCLOSED}<parameter=days>\n3\n</function>\n</tool_call>",
            [DAYS],
        ),
        (QWEN, f"<tool_call>\n{HERMES}\n</tool_call>", [PING]),
        (QWEN, HERMES.replace("arguments", "parameters"), [PING]),
        (QWEN, HERMES.removesuffix("</tool_call>") + HERMES, [PING, PING]),
        (KIMI, "<|tool_calls_section_begin|><|tool_calls_section_end|>", []),
        (KIMI, KIMI_CALL.replace("functions.ping:0", " functions.mcp:ping:0 "), [("mcp:ping", "{}")]),
        (V3, V3_CALL.replace("{}\n", ""), [PING]),
        (V32, DSML.replace("function_calls", "tool_calls"), [PING]),
        (GLM, f"{PAIRS.replace('>city<', '> city <')}</tool_call>", [PARIS]),
        (GPT, "<|channel|>commentary to=functions.ping <|constrain|>json<|message|><|call|>", [PING]),
    ],
)
def test_slips_that_leave_no_doubt(read: Any, template: str, text: str, calls: list[tuple[str, str]]) -> None:
    assert read(template, text, "<|start|>assistant" if template == GPT else "") == ("", "", calls, [])


@pytest.mark.parametrize(
    "value",
    [
        "a\n<parameter=other>\nb",
        "a\n<parameter=text>\nb",
        f"like\n{TAGS}\nthis",
        f"like\n{TAGS}",
        "</parameter>\n</funct",
        "</function>\nb",
    ],
)
def test_tags_in_a_value_that_is_closed(read: Any, value: str) -> None:
    call = f"<tool_call>\n<function=make_note>\n<parameter=text>\n{value}\n</parameter>\n</function>\n</tool_call>"
    assert read(CODER, call) == ("", "", [("make_note", json.dumps({"text": value}))], [])


def test_a_value_that_is_cut_off_after_a_tag(read: Any) -> None:
    text = "<function=make_note>\n<parameter=text>\na\n</function>"
    assert read(CODER, text, truncated=True) == ("", "", [], ["incomplete"])


def test_the_box_around_a_result(read: Any) -> None:
    assert read(GLM, "It is <|begin_of_box|>5<|end_of_box|>.") == ("", "It is 5.", [], [])


def test_a_number_is_no_name(read: Any) -> None:
    _, content, calls, notes = read(KIMI, KIMI_CALL.replace("functions.ping:0", ":0"))
    assert (content, calls, notes) == (":0{}", [], ["malformed"])


def test_a_value_ends_where_the_next_call_opens(read: Any) -> None:
    _, content, calls, notes = read(GLM, f"{PAIRS}{PAIRS}</tool_call>")
    assert (content.split(), calls, notes) == (["get_weather", "city", "Paris"], [PARIS], ["malformed"])


# -- calls in reasoning that nothing told from prose


@pytest.mark.parametrize(("template", "call"), [(QWEN, HERMES), (QWEN35, TAGS), (KIMI, KIMI_CALL), (K3, K3_CALL)])
def test_calls_in_reasoning(read: Any, template: str, call: str) -> None:
    prompt, close, (after, shown) = "<think>", "</think>", ("So.", "So.")
    if template == K3:
        prompt, close, after = K3_THINK, "<|close|>think<|sep|>", "<|open|>response<|sep|>So.<|close|>response<|sep|>"
    assert read(template, f"Hm.\n{call}\n{call}", prompt) == ("Hm.", "", [PING, PING], [])
    assert read(template, f"Hm.\n{call}\n{close}\n", prompt) == ("Hm.", "", [PING], [])
    assert read(template, f"Hm.\n{call}\n{call}{close}{after}", prompt) == (f"Hm.\n{call}\n{call}", shown, [], [])
    assert read(template, f"Hm {call} no.{close}{call}", prompt) == (f"Hm {call} no.", "", [PING], [])
