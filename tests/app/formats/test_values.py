"""Types of arguments: from the tool's schema, from literals, from JSON."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.formats.text.cursor import Cursor, Malformed
from app.formats.text.jsontext import JsonValue, strict_loads
from app.formats.text.literals import literal_json
from app.formats.text.schema import ToolTypes, typed_value

STRING, NUMBER, ANY = {"type": "string"}, {"type": "number"}, {}


def value(raw: str, schema: dict[str, Any], definitions: dict[str, Any] | None = None) -> str:
    parameters = {"type": "object", "properties": {"x": schema}, "$defs": definitions or {}}
    types = ToolTypes([{"type": "function", "function": {"name": "f", "parameters": parameters}}])
    return typed_value(raw, types.parameter("f", "x").types())


@pytest.mark.parametrize(
    ("raw", "schema", "expected"),
    [
        ("5", STRING, '"5"'),
        ("null", STRING, '"null"'),
        ('{"a": 1}', STRING, '"{\\"a\\": 1}"'),
        ("  x\n", STRING, '"  x\\n"'),
        ("5", {"type": "integer"}, "5"),
        (" 5 ", {"type": "integer"}, "5"),
        ("1e5", NUMBER, "1e5"),
        ("-0.10", NUMBER, "-0.10"),
        ("12345678901234567890123", {"type": "integer"}, "12345678901234567890123"),
        ("abc", {"type": "integer"}, '"abc"'),
        ("007", {"type": "integer"}, '"007"'),
        ("true", {"type": "boolean"}, "true"),
        ("True", {"type": "boolean"}, "true"),
        ("False", {"type": "boolean"}, "false"),
        ("maybe", {"type": "boolean"}, '"maybe"'),
        ("null", {"type": "null"}, "null"),
        ("None", {"type": ["integer", "null"]}, "null"),
        ("null", {"type": ["string", "null"]}, "null"),
        ("5", {"anyOf": [{"type": "string"}, {"type": "null"}]}, '"5"'),
        ("5", {"oneOf": [{"type": "string"}, {"type": "integer"}]}, "5"),
        ("x", {"oneOf": [{"type": "string"}, {"type": "integer"}]}, '"x"'),
        ('{"a": [1,  2]}', {"type": "object"}, '{"a": [1,  2]}'),
        ("[1, 2]", {"type": "array"}, "[1, 2]"),
        ("{'a': True, 'b': None}", {"type": "object"}, '{"a": true, "b": null}'),
        ("['x', \"y\"]", {"type": "array"}, '["x", "y"]'),
        ("b", {"enum": ["a", "b"]}, '"b"'),
        ("2", {"enum": [1, 2]}, "2"),
        ("3", {"const": 3}, "3"),
        ("x", {"type": "string", "nullable": True}, '"x"'),
        ("null", {"type": "string", "nullable": True}, "null"),
        ("5", {"$ref": "#/$defs/T"}, "5"),
        ("5", ANY, "5"),
        ("plain text", ANY, '"plain text"'),
        ('"quoted"', ANY, '"\\"quoted\\""'),
        ("[not json", ANY, '"[not json"'),
        ('{"a": 1}', ANY, '{"a": 1}'),
        ("NaN", ANY, '"NaN"'),
    ],
)
def test_values_follow_the_schema(raw: str, schema: dict[str, Any], expected: str) -> None:
    assert value(raw, schema, {"T": {"type": "integer"}}) == expected


@pytest.mark.parametrize(
    ("raw", "schema"),
    [
        ("NaN", NUMBER),
        ("Infinity", NUMBER),
        ('{"a": 1, "a": 2}', {"type": "object"}),
        ('{"a": 1, "a": 2}', ANY),
        ('{"a": NaN}', {"type": "object"}),
        ('{"a": ', {"type": "object"}),
        ("[1]", {"type": "object"}),
        ('"{}"', {"type": "object"}),
        ("text", {"type": "array"}),
    ],
)
def test_errors_are_not_guessed(raw: str, schema: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        value(raw, schema)


def test_references_that_lead_nowhere() -> None:
    assert value("x", {"$ref": "#/$defs/missing"}) == '"x"'
    assert value("x", {"$ref": "#/$defs/T"}, {"T": {"$ref": "#/$defs/T"}}) == '"x"'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("'it\\'s'", "it's"),
        ('"a\\n\\t\\u00e9\\x41\\\\"', "a\n\té\x41\\"),
        ("'\\ud83c\\udf89'", "🎉"),
        ("(1, 2,)", [1, 2]),
        ("{'a': {'b': [True, None, -1.5e-3]}}", {"a": {"b": [True, None, -0.0015]}}),
        ("{}", {}),
    ],
)
def test_literals(text: str, expected: object) -> None:
    assert json.loads(literal_json(text)) == expected


@pytest.mark.parametrize(
    "text", ["", "{'a' 1}", "[1", "{1: 2}", "f()", "'x", "nan", "1 2", "{'a': 1, 'a': 2}", "[" * 999]
)
def test_what_is_no_literal(text: str) -> None:
    with pytest.raises(Malformed):
        literal_json(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=5), JSON, max_size=4), st.integers(1, 7), st.booleans(), st.text(max_size=5))
def test_json_is_found_to_its_end(decoded: dict[str, Any], size: int, ascii_only: bool, after: str) -> None:
    text = json.dumps(decoded, ensure_ascii=ascii_only)
    source, found = Cursor(), JsonValue()
    whole = text + after
    for place in range(0, len(whole), size):
        source.push(whole[place : place + size], None)
        found.step(source)
    assert found.done
    assert found.text == text
    assert source.text[source.at :] == after[len(after) - len(source.text[source.at :]) :]
    for key, item in decoded.items():
        begin, end = found.members[key]
        assert json.loads(text[begin:end]) == item


@pytest.mark.parametrize("text", ['{"a": 1, "a": 1}', "[NaN]", "{'a': 1}", "[1,]", "", "01", '"\ud800'])
def test_strictness(text: str) -> None:
    with pytest.raises(Malformed):
        strict_loads(text)
