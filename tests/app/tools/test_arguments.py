import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.tools import ToolSpec
from app.tools.arguments.checking import problem
from app.tools.arguments.parsing import parse_arguments

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "text": {"type": "string"},
        "count": {"type": "integer", "minimum": 1, "maximum": 9},
        "mode": {"type": "string", "enum": ["fast", "slow"]},
        "tags": {"type": "array", "items": {"type": "string"}},
        "nested": {"type": "object", "properties": {"deep": {"type": ["number", "null"]}}, "required": ["deep"]},
    },
    "required": ["text"],
    "additionalProperties": False,
}


SPEC = ToolSpec("echo", "says it again", SCHEMA)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ("{", "no valid JSON"),
        ("[" * 100_000, "nested too deeply"),
        ("[]", "the arguments must be an object"),
        ("null", "the arguments must be an object"),
        ("", "the arguments must have 'text'"),
        ("{}", "the arguments must have 'text'"),
        ('{"text": 1}', "'text' must be a string"),
        ('{"text": "", "more": 1}', "must not have 'more'"),
        ('{"text": "", "count": "1"}', "'count' must be an integer"),
        ('{"text": "", "count": true}', "'count' must be an integer"),
        ('{"text": "", "count": 1.5}', "'count' must be an integer"),
        ('{"text": "", "count": 0}', "'count' must be at least 1"),
        ('{"text": "", "count": 10}', "'count' must be at most 9"),
        ('{"text": "", "mode": "lazy"}', "'mode' must be one of fast, slow"),
        ('{"text": "", "tags": ["a", 1]}', "item 2 of 'tags' must be a string"),
        ('{"text": "", "nested": {}}', "'nested' must have 'deep'"),
        ('{"text": "", "nested": {"deep": "x"}}', "'deep' must be a number or null"),
    ],
)
def test_wrong_arguments_are_told(arguments: str, error: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - its text is what is looked at
        parse_arguments(SPEC, arguments)
    assert error in str(caught.value)


def test_right_arguments_pass() -> None:
    arguments = {"text": "", "count": 2.0, "mode": "slow", "tags": [], "nested": {"deep": None, "more": 1}}
    assert parse_arguments(SPEC, json.dumps(arguments)) == arguments


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(list(SCHEMA["properties"])), inner),
    max_leaves=6,
)


@given(json_values)
def test_any_value_is_judged_without_an_exception(value: object) -> None:
    wrong = problem(value, SCHEMA, "it")
    assert wrong is None or wrong
