"""The rules that hold for every family, each shown on the family where it is easiest to see."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from app.domain.output import Content
from app.formats import detect
from app.formats.protocol import ChatFormat

CALL = '<tool_call>\n{"name": "ping", "arguments": {}}\n</tool_call>'
THINKING = "<|im_start|>assistant\n<think>\n"


@pytest.fixture
def qwen(template_source: Callable[[str], str]) -> ChatFormat:
    return detect(template_source("Qwen-Qwen3-0.6B.jinja"))


@pytest.fixture
def coder(template_source: Callable[[str], str]) -> ChatFormat:
    return detect(template_source("Qwen3-Coder.jinja"))


@pytest.fixture
def gpt(template_source: Callable[[str], str]) -> ChatFormat:
    return detect(template_source("openai-gpt-oss-120b.jinja"))


# -- where reasoning begins and ends


def test_the_prompt_opens_reasoning(qwen: ChatFormat, parse_all_cuts: Any) -> None:
    parsed = parse_all_cuts(qwen, "Hm.\n</think>\n\nHello", prompt=THINKING)
    assert (parsed.reasoning, parsed.content) == ("Hm.", "Hello")


def test_the_prompt_closed_reasoning(qwen: ChatFormat, parse_all_cuts: Any) -> None:
    parsed = parse_all_cuts(qwen, "\nHello", prompt="<think>\n\n</think>\n\n")
    assert (parsed.reasoning, parsed.content) == ("", "Hello")


def test_reasoning_opened_twice(qwen: ChatFormat, parse_all_cuts: Any) -> None:
    assert parse_all_cuts(qwen, "<think>\nHm.\n</think>\n\nHello", prompt=THINKING).reasoning == "Hm."


def test_a_call_ends_reasoning(qwen: ChatFormat, parse_all_cuts: Any) -> None:
    parsed = parse_all_cuts(qwen, f"I need it.\n{CALL}", prompt=THINKING)
    assert (parsed.reasoning, parsed.calls) == ("I need it.", [("ping", "{}")])


def test_several_calls_end_reasoning(qwen: ChatFormat, parse_all_cuts: Any) -> None:
    parsed = parse_all_cuts(qwen, f"I need it.\n{CALL}\n{CALL}<|im_end|>", prompt=THINKING)
    assert len(parsed.calls) == 2


@pytest.mark.parametrize(
    "thought",
    [
        "I could write <tool_call> tags, but no.",
        f"The syntax would be {CALL} if I wanted.",
        f"In code: `{CALL}`.",
        "<tool_call>\n{not json",
    ],
)
def test_syntax_in_reasoning_is_no_call(qwen: ChatFormat, parse_all_cuts: Any, thought: str) -> None:
    parsed = parse_all_cuts(qwen, f"{thought}\n</think>\n\nHello", prompt=THINKING)
    assert (parsed.reasoning, parsed.content, parsed.calls) == (thought, "Hello", [])


def test_a_real_call_after_syntax_in_reasoning(qwen: ChatFormat, parse_all_cuts: Any) -> None:
    parsed = parse_all_cuts(qwen, f"Not <tool_call> yet.\n{CALL}", prompt=THINKING)
    assert (parsed.reasoning, parsed.calls) == ("Not <tool_call> yet.", [("ping", "{}")])


def test_a_call_token_in_reasoning_is_a_call(qwen: ChatFormat, parse: Any) -> None:
    deltas = [("Well ", False), ("<tool_call>", True), ('\n{"name": "ping", "arguments": {}}\n', False)]
    parsed = parse(
        qwen, [*deltas, ("</tool_call>", True), ("\n", False), ("</think>", True), ("Hi", False)], prompt=THINKING
    )
    assert (parsed.reasoning, parsed.content, parsed.calls) == ("Well", "Hi", [("ping", "{}")])


def test_reasoning_that_never_ends(qwen: ChatFormat, parse_all_cuts: Any) -> None:
    assert parse_all_cuts(qwen, "And so on\n", prompt=THINKING, truncated=True).reasoning == "And so on"


def test_reasoning_in_between(qwen: ChatFormat, parse_all_cuts: Any) -> None:
    parsed = parse_all_cuts(qwen, "<think>\na\n</think>\n\nOne.<think>b</think>Two.")
    assert (parsed.reasoning, parsed.content) == ("a\nb", "One.Two.")


def test_a_stray_end_of_reasoning_is_dropped(qwen: ChatFormat, parse_all_cuts: Any) -> None:
    assert parse_all_cuts(qwen, "Hello</think> there").content == "Hello there"


# -- what is a marker


@pytest.mark.parametrize(
    "text",
    [
        "Write `<tool_call>` and `</think>` so.",
        "``<think>`` too",
        "```\n<tool_call>\n{}\n</tool_call>\n```\nDone.",
        "~~~~\n<think>\n~~~\n</think>\n~~~~\nDone.",
        "1. ```xml\n   <tool_call>\n   ```\n2. Done.",
        '{"answer": "a <think> tag", "more": ["</think>", "\\"<tool_call>"]}',
        'As JSON: {"a": "<tool_call>"} is it.',
    ],
)
def test_samples_are_text(qwen: ChatFormat, parse_all_cuts: Any, text: str) -> None:
    parsed = parse_all_cuts(qwen, text)
    assert (parsed.content, parsed.reasoning, parsed.calls, parsed.notes) == (text, "", [], [])


def test_after_a_sample_markers_are_markers(qwen: ChatFormat, parse_all_cuts: Any) -> None:
    parsed = parse_all_cuts(qwen, f"Like `x` and\n```\ncode\n```\n{CALL}")
    assert parsed.calls == [("ping", "{}")]


def test_an_odd_backtick_counts_to_the_end_of_its_line(qwen: ChatFormat, parse_all_cuts: Any) -> None:
    assert parse_all_cuts(qwen, f"It is 5` wide.\n{CALL}").calls == [("ping", "{}")]


@pytest.mark.parametrize("quote", ["a ` key", "``quoted'' text", "`"])
def test_an_odd_backtick_before_a_marker_opens_nothing(qwen: ChatFormat, parse_all_cuts: Any, quote: str) -> None:
    parsed = parse_all_cuts(qwen, f"It is {quote}</think>\n\nHello `you`.", prompt="<think>")
    assert (parsed.reasoning, parsed.content) == (f"It is {quote}", "Hello `you`.")
    assert parse_all_cuts(qwen, f"It is {quote}</think>{'Hello. ' * 50}", prompt="<think>").content == "Hello. " * 50
    assert parse_all_cuts(qwen, f"It is {quote}{CALL}").calls == [("ping", "{}")]


def test_an_end_marker_after_an_open_fence(qwen: ChatFormat, parse_all_cuts: Any) -> None:
    assert parse_all_cuts(qwen, "```\ncode<|im_end|>\n").content == "```\ncode"


def test_a_token_is_a_marker_even_in_a_sample(qwen: ChatFormat, parse: Any) -> None:
    parsed = parse(qwen, [("```\n", False), ("<tool_call>", True), ('{"name": "ping", "arguments": {}}', False)])
    assert parsed.calls == [("ping", "{}")]


def test_a_marker_that_is_no_token_of_the_model(qwen: ChatFormat, parse: Any) -> None:
    deltas = [(piece, False) for piece in ("<thi", "nk>", "Hm", "</think>", "Hello")]
    assert parse(qwen, deltas).content == "<think>Hm</think>Hello"
    assert parse(qwen, deltas, vocabulary={"<|im_end|>"}).reasoning == "Hm"
    assert parse(qwen, deltas, vocabulary={"<think>", "</think>"}).reasoning == ""


def test_a_token_that_is_no_marker_is_not_shown(qwen: ChatFormat, parse: Any) -> None:
    deltas = [("Hi <|fim_pad|>", False), ("<|fim_pad|>", True), ("<b>", True), ("!", False)]
    assert parse(qwen, deltas).content == "Hi <|fim_pad|><b>!"
    assert parse(qwen, deltas, prompt="<think>").reasoning == "Hi <|fim_pad|><b>!"


def test_text_goes_out_as_soon_as_it_can(qwen: ChatFormat) -> None:
    parser = qwen.parser("")
    assert parser.feed("Hello <b") == [Content("Hello <b")]
    assert parser.feed(" <tool_c") == []
    assert parser.feed("ases>") == [Content(" <tool_cases>")]
    assert parser.feed("a <") == [Content("a")]
    assert parser.finish() == [Content(" <")]


# -- text around calls


def test_text_around_calls_is_verbatim(qwen: ChatFormat, parse_all_cuts: Any) -> None:
    parsed = parse_all_cuts(qwen, f"  One.\n\n{CALL}\n{CALL}\n Two. \n")
    assert parsed.content == "  One.\n\n\n Two. \n"
    assert len(parsed.calls) == 2


@pytest.mark.parametrize("text", ["Hi", "Hi\n", "  Hi  \n\n", "```\n  code\n```\n"])
def test_text_is_the_same_whether_its_end_was_recorded(qwen: ChatFormat, parse_all_cuts: Any, text: str) -> None:
    for end in ("", "<|im_end|>", "<|im_end|>\n"):
        assert parse_all_cuts(qwen, text + end).content == text


def test_whitespace_beside_calls_alone_is_nothing(qwen: ChatFormat, parse_all_cuts: Any) -> None:
    assert parse_all_cuts(qwen, f"\n\n{CALL}\n\n{CALL}\n").content == ""


# -- calls


def test_arguments_are_verbatim(qwen: ChatFormat, parse_all_cuts: Any) -> None:
    raw = '{"b":1e5,  "a": "\\u00e9\\n", "c":{ "x":[ ] }}'
    parsed = parse_all_cuts(qwen, f'<tool_call>{{"arguments":{raw} ,"name":"f"}}</tool_call>')
    assert parsed.calls == [("f", raw)]


def test_arguments_stream(qwen: ChatFormat, parse_all_cuts: Any) -> None:
    parsed = parse_all_cuts(qwen, '<tool_call>\n{"name": "f", "arguments": {"a": [1, 2]}}\n</tool_call>')
    assert parsed.shown == {0: '{"a": [1, 2]}'}


@pytest.mark.parametrize(
    "call",
    [
        '{"name": "f", "arguments": {"a": 1, "a": 2}}',
        '{"name": "f", "arguments": {"a": {"b": 1, "b": 1}}}',
        '{"name": "f", "arguments": {"a": NaN}}',
        '{"name": "f", "arguments": {"a": -Infinity}}',
        '{"name": "f", "arguments": "{\\"a\\": 1}"}',
        '{"name": "f", "arguments": [1]}',
        '{"name": "f", "arguments": {"a": 01}}',
        '{"name": "f", "arguments": {\'a\': 1}}',
        '{"name": "f", "arguments": {"a": 1,}}',
        '{"name": "f", "arguments": {"a": "line\nbreak"}}',
        '{"name": "f", "arguments": {"a": 1}',
        '{"name": "f", "arguments": {"a": 1]}}',
        '{"arguments": {}}',
        '{"name": "", "arguments": {}}',
        '{"name": 5, "arguments": {}}',
        "no object",
        "[1, 2]",
    ],
)
def test_errors_are_not_guessed(qwen: ChatFormat, parse_all_cuts: Any, call: str) -> None:
    parsed = parse_all_cuts(qwen, f"So.\n<tool_call>\n{call}\n</tool_call>\nDone. {CALL}")
    assert parsed.calls == [("ping", "{}")]
    assert parsed.notes == ["malformed"]
    assert call in parsed.content
    assert parsed.content.startswith("So.")
    assert "tool_call" not in parsed.content
    assert "Done." in parsed.content


def test_a_call_ends_where_its_json_ends(qwen: ChatFormat, parse_all_cuts: Any) -> None:
    parsed = parse_all_cuts(qwen, '<tool_call>\n{"name": "f", "arguments": {}}')
    assert (parsed.calls, parsed.notes) == ([("f", "{}")], [])


def test_a_list_of_calls_that_is_cut_keeps_the_whole_ones(qwen: ChatFormat, parse_all_cuts: Any) -> None:
    text = '<tool_call>[{"name": "f", "arguments": {}}, {"name": "g", "arguments": {"a'
    parsed = parse_all_cuts(qwen, text, truncated=True)
    assert parsed.calls == [("f", "{}")]
    assert [(name, reason) for name, reason, _ in parsed.broken] == [("g", "incomplete")]


def test_deep_nesting_is_refused(qwen: ChatFormat, parse: Any) -> None:
    deep = "[" * 5000 + "]" * 5000
    parsed = parse(qwen, f'<tool_call>{{"name": "f", "arguments": {{"a": {deep}}}}}</tool_call>')
    assert (parsed.calls, parsed.notes) == ([], ["malformed"])


# -- tags


def test_tags_without_their_block(coder: ChatFormat, parse_all_cuts: Any, wires: Any) -> None:
    text = "Sure.\n<function=get_weather>\n<parameter=city>\nParis\n</parameter>\n</function>\n</tool_call>"
    parsed = parse_all_cuts(coder, text, tools=wires.TOOLS)
    assert (parsed.content, parsed.calls) == ("Sure.", [("get_weather", '{"city": "Paris"}')])


@pytest.mark.parametrize(
    "text", ["The <function=get_weather> tag.", "<function=unknown>\n</function>", "a <function= b"]
)
def test_what_only_looks_like_tags(coder: ChatFormat, parse_all_cuts: Any, wires: Any, text: str) -> None:
    parsed = parse_all_cuts(coder, text, tools=wires.TOOLS)
    assert (parsed.content, parsed.calls, parsed.notes) == (text, [], [])


def test_a_value_may_hold_its_own_tags(coder: ChatFormat, parse_all_cuts: Any, wires: Any) -> None:
    value = "if a </parameter> b: <parameter=x>\n  </tool_call></function>"
    text = f"<tool_call>\n<function=make_note>\n<parameter=text>\n{value}\n</parameter>\n</function>\n</tool_call>"
    (call,) = parse_all_cuts(coder, text, tools=wires.TOOLS).calls
    assert json.loads(call[1]) == {"text": value}


def test_an_argument_that_comes_twice(coder: ChatFormat, parse_all_cuts: Any, wires: Any) -> None:
    one = "<parameter=city>\nParis\n</parameter>\n"
    parsed = parse_all_cuts(
        coder, f"<tool_call>\n<function=get_weather>\n{one}{one}</function>\n</tool_call>", tools=wires.TOOLS
    )
    assert (parsed.calls, parsed.notes) == ([], ["malformed"])


# -- messages with headers


def test_harmony(gpt: ChatFormat, parse_all_cuts: Any) -> None:
    text = (
        "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>commentary<|message|>I look.<|end|>"
        '<|start|>assistant to=functions.f<|channel|>commentary <|constrain|>json<|message|>{"a":1}<|call|>'
    )
    parsed = parse_all_cuts(gpt, text, prompt="<|start|>assistant")
    assert (parsed.reasoning, parsed.content, parsed.calls) == ("Hm.", "I look.", [("f", '{"a":1}')])


def test_harmony_recipient_in_the_role(gpt: ChatFormat, parse_all_cuts: Any) -> None:
    text = ' to=functions.f<|channel|>commentary json<|message|>{"a":1}'
    assert parse_all_cuts(gpt, text, prompt="<|start|>assistant").calls == [("f", '{"a":1}')]


def test_harmony_messages_of_one_kind_have_lines_of_their_own(gpt: ChatFormat, parse_all_cuts: Any) -> None:
    one, two = "<|channel|>analysis<|message|>", "<|end|><|start|>assistant"
    parsed = parse_all_cuts(
        gpt, f"{one}A{two}{one}B{two}<|channel|>final<|message|>C<|return|>", prompt="<|start|>assistant"
    )
    assert (parsed.reasoning, parsed.content) == ("A\nB", "C")


@pytest.mark.parametrize("end", ["", "\n"])
def test_harmony_begins_no_second_line_of_its_own(gpt: ChatFormat, parse_all_cuts: Any, end: str) -> None:
    text = f"<|channel|>commentary<|message|>I look.{end}<|end|><|start|>assistant<|channel|>final<|message|>Yes."
    assert parse_all_cuts(gpt, text, prompt="<|start|>assistant").content == "I look.\nYes."


def test_harmony_markers_that_begin_no_header(gpt: ChatFormat, parse_all_cuts: Any) -> None:
    text = "<|channel|>final<|message|>Use <|start|> and <|channel|> here.<|return|>"
    assert parse_all_cuts(gpt, text, prompt="<|start|>assistant").content == "Use  and  here."


def test_harmony_without_headers(gpt: ChatFormat, parse_all_cuts: Any) -> None:
    assert parse_all_cuts(gpt, "Hello there.", prompt="<|start|>assistant").content == "Hello there."


def test_harmony_prompt_that_opens_a_channel(gpt: ChatFormat, parse_all_cuts: Any) -> None:
    prompt = "<|start|>assistant<|channel|>analysis<|message|>"
    assert parse_all_cuts(gpt, "Hm.<|end|>", prompt=prompt).reasoning == "Hm."


def test_harmony_prompt_that_ends_with_a_channels_token(gpt: ChatFormat, parse_all_cuts: Any) -> None:
    text = "analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>Hi<|return|>"
    parsed = parse_all_cuts(gpt, text, prompt="<|start|>assistant<|channel|>")
    assert (parsed.reasoning, parsed.content) == ("Hm.", "Hi")


@pytest.mark.parametrize("end", [0, 1, 7, 20])
def test_finish_may_come_any_time(gpt: ChatFormat, qwen: ChatFormat, parse: Any, end: int) -> None:
    for found in (gpt, qwen):
        parse(found, "<|start|>assistant<tool_call>{"[:end], prompt="<|start|>assistant", truncated=True)
