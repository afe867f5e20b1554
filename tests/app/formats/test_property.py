"""Random messages in every family's grammar, cut and damaged at random."""

import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.formats import detect
from app.formats.protocol import ChatFormat

WORDS = st.sampled_from(
    ["Hello", "one", "two,", "a<b", "f(x)", "ä🎉", "`code`", "\n", "\n\n", " - ", "{", '"q"', "<b>", "</", "<|", "[", "]", "'", "\\", "**"]
)  # fmt: skip
GARBAGE = ["<", "|>", "{", '"', "</think>", "<tool_call>", "\x00", "�", "}]", "<|", "\n```\n", "\\", "﻿", "NaN"]
PLAIN = st.lists(st.sampled_from(["Hello", "there.", "It is", "ä🎉", "42"]), min_size=0, max_size=6).map(" ".join)
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=20)
SCALARS = st.one_of(st.integers(-(10**9), 10**9), st.booleans())


@st.composite
def messages(draw: st.DrawFn) -> tuple[str, str, list[tuple[str, dict[str, Any]]], str]:
    calls: list[tuple[str, dict[str, Any]]] = []
    for _ in range(draw(st.integers(0, 3))):
        name = draw(st.sampled_from(["get_weather", "make_note", "ping"]))
        given: dict[str, Any] = {}
        if name == "get_weather":
            given = {"city": draw(PLAIN), "days": draw(st.integers(-5, 10**12))}
        elif name == "make_note":
            given = {"text": draw(PLAIN), "urgent": draw(st.booleans()), "tags": draw(st.lists(PLAIN, max_size=3))}
        calls.append((name, given))
    return draw(PLAIN), draw(PLAIN), calls, draw(PLAIN)


@st.composite
def cuts(draw: st.DrawFn, text: str) -> list[str]:
    places = sorted(draw(st.lists(st.integers(0, len(text)), max_size=12)))
    return [text[begin:end] for begin, end in zip([0, *places], [*places, len(text)], strict=True)]


@pytest.fixture
def formats(template_source: Callable[[str], str]) -> Callable[[str], ChatFormat]:
    return lru_cache(maxsize=None)(lambda name: detect(template_source(name)))


def check(data: st.DataObject, parse: Any, wires: Any, formats: Callable[[str], ChatFormat]) -> None:
    wire = data.draw(st.sampled_from(wires.WIRES))
    found = formats(wire.template)
    reasoning, before, calls, after = data.draw(messages())
    if wire.single:
        calls = calls[:1]
    if calls and wire.bare:
        before = after = ""
    if calls and not wire.after:
        after = ""
    if not wire.think:
        reasoning = ""
    pieces = wire.compose(reasoning, before, calls, after)
    if wire.name == "functionary-v3.2" and not calls:
        pieces = [("all\n", False), *pieces]
    text = "".join(piece for piece, _ in pieces)
    options: dict[str, Any] = {"prompt": wire.prompt, "tools": wires.TOOLS}
    whole = parse(found, text, **options)
    assert parse(found, data.draw(cuts(text)), **options) == whole
    assert [(name, json.loads(arguments)) for name, arguments in whole.calls] == calls
    assert whole.reasoning == reasoning
    assert not whole.notes
    assert whole.content.split() == (before + " " + after).split() or whole.content.split() == (before + after).split()
    known = parse(found, pieces, **options)
    assert (known.reasoning, known.calls) == (whole.reasoning, whole.calls)

    # Damage: no exception, the same for every cut, and no token of the wire in what a person reads.
    place = data.draw(st.integers(0, len(text)))
    garbage = data.draw(st.sampled_from([*GARBAGE, "".join(data.draw(st.lists(WORDS, max_size=4)))]))
    gone = data.draw(st.integers(0, 6))
    damaged = text[:place] + garbage + text[place + gone :]
    result = parse(found, damaged, truncated=True, **options)
    assert parse(found, data.draw(cuts(damaged)), truncated=True, **options) == result
    assert parse(found, list(damaged), truncated=True, **options) == result
    for _, arguments in result.calls:
        assert isinstance(json.loads(arguments), dict)
    if garbage in ("</think>", "<tool_call>"):
        return  # a dropped marker inside of another joins its halves
    if "`" not in damaged and '{"' not in damaged and "~" not in damaged and '["' not in damaged:
        for marker in (
            *found.family.think_open,
            *found.family.think_close,
            *(found.family.calls.openers if found.family.calls else ()),
        ):  # type: ignore[attr-defined]
            assert marker in found.family.spelt or marker not in result.content or soft(found, marker)  # type: ignore[attr-defined]


def soft(found: Any, marker: str) -> bool:
    return found.family.calls is not None and marker in found.family.calls.soft


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(data=st.data())
def test_random_messages(data: st.DataObject, parse: Any, wires: Any, formats: Any) -> None:
    check(data, parse, wires, formats)


@pytest.mark.nightly
@pytest.mark.timeout(3600)
@settings(max_examples=20_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_random_messages_nightly(data: st.DataObject, parse: Any, wires: Any, formats: Any) -> None:
    check(data, parse, wires, formats)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(data=st.data())
def test_random_tokens(data: st.DataObject, parse: Any, wires: Any, formats: Any) -> None:
    """Any sequence of a wire's own tokens and of words: the same for every cut, with and without known tokens."""
    wire = data.draw(st.sampled_from(wires.WIRES))
    found = formats(wire.template)
    pool = wire.compose("R", "T", [("get_weather", {"city": "Paris"})], "") + [(word, False) for word in GARBAGE]
    pieces = data.draw(st.lists(st.sampled_from(pool), max_size=14))
    text = "".join(piece for piece, _ in pieces)
    options: dict[str, Any] = {"prompt": wire.prompt, "tools": wires.TOOLS}
    assert parse(found, list(text), **options) == parse(found, text, **options)
    split = [(char, control) for piece, control in pieces for char in ([piece] if control else piece)]
    assert parse(found, split, **options) == parse(found, pieces, **options)
