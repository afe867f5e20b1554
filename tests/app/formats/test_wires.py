"""Every family, every kind of message: right, and the same whole, in pieces, by characters and with known tokens."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from app.formats import detect

PARIS = ("get_weather", {"city": "Paris"})
MUNICH = ("get_weather", {"city": 'München "im" Schnee 🎉 \\n', "days": 3})
NOTE = (
    "make_note",
    {
        "text": "  first\nsecond",
        "tags": ["a", "b c"],
        "meta": {"depth": 2, "list": [1, 2], "inner": {"on": True, "s": "x"}},
        "urgent": False,
        "ratio": 1.5,
    },
)
PING: tuple[str, dict[str, Any]] = ("ping", {})
MARKERS = (
    "get_weather",
    {"city": "<think> </think> <tool_call> </tool_call> <|im_end|> [TOOL_CALLS] <|channel|> done"},
)
SPACES = ("make_note", {"text": "    indented\n\tif a < b && c > d:\n\n", "ratio": -12.5})

# name, reasoning, text before, calls, text after
CASES: list[tuple[str, str, str, list[Any], str]] = [
    ("plain", "", "Hello *world*.\n\n- one\n- two", [], ""),
    ("reasoning only", "I think.\n\nHm, wait.", "", [], ""),
    ("reasoning and text", "Let me see.", "The answer is `4`.", [], ""),
    ("single", "Let me see.", "", [PARIS], ""),
    ("parallel", "Two of them.", "", [PARIS, MUNICH], ""),
    ("nested", "", "", [NOTE], ""),
    ("unicode and escapes", "", "", [MUNICH], ""),
    ("spaces and newlines", "", "", [SPACES], ""),
    ("empty arguments", "", "", [PING], ""),
    ("text before", "", "Let me look.", [PARIS], ""),
    ("text around", "Hm.", "Before.", [PARIS], "After."),
    ("markers in strings", "", "", [MARKERS], ""),
]

# How to break the call of Paris, whatever the syntax is.
BREAKS = [
    (r'\{"city": "Paris"\}', '{"city": Paris}'),
    (r"city='Paris'", "city=Paris!"),
    (r'(<parameter=city>|<parameter name="city">|<atem:parameter name="city">|<param name="city">)', r"junk \1"),
    (r'(<｜DSML｜parameter name="city" string=)"true"', r'\1"perhaps"'),
    (r"(get_weather)((?:<tool_sep:opensource>)?\n?<arg_key)", r"not a name\2"),
    (r'type="string"', 'type="number"'),
    (r'city:<\|"\|>Paris<\|"\|>', "city:Paris, oops"),
    (r"(\]<\]minimax\[>\[<city>)", r"junk \1"),
]


@pytest.fixture
def arrange(wire: Any, template_source: Callable[[str], str]) -> Callable[..., Any]:
    """The case as this wire can write it: what it cannot is left away."""
    found = detect(template_source(wire.template))

    def compose(reasoning: str, before: str, calls: list[Any], after: str) -> tuple[Any, ...]:
        if not wire.think:
            reasoning = ""
        if wire.single:
            calls = calls[:1]
        if calls and wire.bare:
            before = after = ""
        if calls and not wire.after:
            after = ""
        lead = [("all\n", False)] if wire.name == "functionary-v3.2" and not calls else []
        return found, lead + wire.compose(reasoning, before, calls, after), reasoning, before, calls, after

    return compose


@pytest.mark.parametrize(("case", "reasoning", "before", "calls", "after"), CASES, ids=[case[0] for case in CASES])
def test_case(
    wire: Any, arrange: Any, parse: Any, parse_all_cuts: Any, wires: Any, case: str, reasoning: str, before: str,
    calls: list[Any], after: str,
) -> None:  # fmt: skip
    found, pieces, reasoning, before, calls, after = arrange(reasoning, before, calls, after)
    assert found.name == wire.format
    text = "".join(piece for piece, _ in pieces)
    plain = parse_all_cuts(found, text, prompt=wire.prompt, tools=wires.TOOLS)
    known = parse(found, pieces, prompt=wire.prompt, tools=wires.TOOLS)
    for parsed in (plain, known):
        assert parsed.reasoning == reasoning
        assert [(name, json.loads(arguments)) for name, arguments in parsed.calls] == calls
        assert not parsed.broken
        assert not parsed.notes
        if not (before and after):
            assert parsed.content == before + after
        else:
            assert parsed.content.split() == [before, after] or parsed.content == before + after
        assert len(parsed.opened) == len(calls)


def test_cut_off(wire: Any, arrange: Any, parse: Any, parse_all_cuts: Any, wires: Any) -> None:
    found, pieces, reasoning, before, calls, _ = arrange("Why.", "Look.", [PARIS, MUNICH], "")
    if wire.single:
        found, pieces, reasoning, before, calls, _ = arrange("Why.", "Look.", [MUNICH], "")
    text = "".join(piece for piece, _ in pieces)
    cut = text.rindex("Schnee")
    plain = parse_all_cuts(found, text[:cut], prompt=wire.prompt, tools=wires.TOOLS, truncated=True)
    kept, size = [], 0
    for piece, control in pieces:
        kept.append((piece[: max(0, cut - size)], control))
        size += len(piece)
    known = parse(found, kept, prompt=wire.prompt, tools=wires.TOOLS, truncated=True)
    for parsed in (plain, known):
        assert parsed.reasoning == reasoning
        assert parsed.content == before
        assert [(name, json.loads(arguments)) for name, arguments in parsed.calls] == calls[:-1]
        assert [reason for _, reason, _ in parsed.broken] == ["incomplete"]
        assert parsed.notes == ["incomplete"]


def test_malformed(wire: Any, arrange: Any, parse: Any, parse_all_cuts: Any, wires: Any) -> None:
    found, pieces, _, before, _, _ = arrange("", "Look.", [PARIS], "")
    text = "".join(piece for piece, _ in pieces)
    for pattern, replacement in BREAKS:
        broken = re.sub(pattern, replacement, text)
        if broken != text:
            break
    else:
        pytest.fail("nothing was broken")
    parsed = parse_all_cuts(found, broken, prompt=wire.prompt, tools=wires.TOOLS)
    assert not parsed.calls
    assert parsed.content.startswith(before)
    soft = wire.name in ("llama-4", "functionary-v3.1", "command-r-plus", "minicpm-5", "firefunction")
    assert parsed.notes == ([] if soft else ["malformed"])
    if not soft:
        for marker, control in pieces:
            assert not control or len(marker) < 4 or marker not in parsed.content


def test_literal_markers_in_prose(wire: Any, arrange: Any, parse: Any, wires: Any) -> None:
    """Ordinary text that spells markers stays text, in reasoning and in the answer."""
    found, pieces, *_ = arrange("R", "T", [PARIS], "")
    markers = list(dict.fromkeys(marker for marker, control in pieces if control and len(marker) > 3))
    if not markers:
        pytest.skip("a wire without tokens")
    prose = "They are called " + " and ".join(markers) + ", in this order."
    if wire.think:
        opened, closed = wire.think
        written = ([] if wire.opens else opened) + [(prose, False)] + closed + wire.text(prose)
    else:
        written = wire.text(prose)
    if wire.name == "functionary-v3.2":
        written = [("all\n", False), *written]
    parsed = parse(found, written, prompt=wire.prompt, tools=wires.TOOLS)
    assert parsed.content == prose
    assert parsed.reasoning == (prose if wire.think else "")
    assert not parsed.calls
    by_character = [(char, control) for piece, control in written if not control for char in piece]
    if not any(control for _, control in written):
        assert parse(found, by_character, prompt=wire.prompt, tools=wires.TOOLS) == parsed


def test_end_markers_are_dropped(wire: Any, arrange: Any, parse_all_cuts: Any, wires: Any) -> None:
    found, pieces, *_ = arrange("", "Fine.", [], "")
    text = "".join(piece for piece, _ in pieces)
    for end in found.family.ends:
        assert parse_all_cuts(found, text + end, prompt=wire.prompt, tools=wires.TOOLS).content == "Fine."
