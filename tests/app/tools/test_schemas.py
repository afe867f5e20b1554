"""Schemas that strangers wrote: what is checked of them, in which words, and that none of them does harm."""

import subprocess
import sys
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema.validators import Draft202012Validator

from app.tools.arguments.checking import problem
from app.tools.arguments.known import MOST_SCHEMAS, known_part

TEXT = {"type": "string"}
ADDRESS = {"type": "object", "properties": {"city": TEXT}, "required": ["city"]}
OPTIONAL = {"anyOf": [{"type": "string"}, {"type": ["integer", "null"]}]}
SHAPE = {
    "oneOf": [
        {"properties": {"kind": {"const": "circle"}, "radius": {"type": "number"}}, "required": ["kind", "radius"]},
        {"properties": {"kind": {"const": "square"}}, "required": ["kind", "side"]},
        {"type": "null"},
    ]
}


@pytest.mark.parametrize(
    ("schema", "value", "wrong"),
    [
        ({"const": "yes"}, "no", "it must be yes"),
        ({"enum": [1, "b", None]}, 2, "it must be one of 1, b, null"),
        ({"enum": list(range(50))}, -1, f"it must be one of {', '.join(map(str, range(20)))}, …"),
        ({"exclusiveMinimum": 0, "exclusiveMaximum": 1}, 1, "it must be less than 1"),
        ({"minLength": 3}, "ab", "it must have at least 3 characters"),
        ({"maxItems": 1}, [1, 2], "it must have at most 1 items"),
        ({"required": ["a", "b", "c"]}, {"b": 1}, "it must have 'a', 'c'"),
        ({"properties": {"a": False}}, {"a": 1}, "'a' must not be given"),
        ({"additionalProperties": False}, {"a": 1}, "it must not have 'a'; it may have nothing"),
        ({"additionalProperties": TEXT}, {"a": 1}, "'a' must be a string"),
        ({"properties": {"to": OPTIONAL}}, {"to": []}, "'to' must be a string or an integer or null"),
        (SHAPE, {"kind": "circle"}, "it must have 'radius'"),
        (SHAPE, {"kind": "circle", "radius": "x"}, "'radius' must be a number"),
        ({"$ref": "#/$defs/a", "$defs": {"a": ADDRESS}}, {}, "it must have 'city'"),
        ({"properties": {"a/b%": ADDRESS, "c": {"$ref": "#/properties/a~1b%25"}}}, {"c": {}}, "'c' must have 'city'"),
        ({"items": {"prefixItems": [TEXT]}}, [["a"], [1]], "item 1 of item 2 of it must be a string"),
        ({"properties": {"a": TEXT, "b": TEXT}}, {"a": 1, "b": 2}, "'a' must be a string; 'b' must be a string"),
        ({"properties": {"a": ADDRESS}, "required": ["b"]}, {"a": {}}, "it must have 'b'; 'a' must have 'city'"),
        ({"not": {"type": "string"}}, "x", "it does not fit the tool's schema (not)"),
        ({"properties": {"n" * 500: TEXT}}, {"n" * 500: 1}, f"'{'n' * 80}…' must be a string"),
    ],
)
def test_what_is_wrong_is_said(schema: dict[str, Any], value: object, wrong: str) -> None:
    assert problem(value, schema, "it") == wrong


@pytest.mark.parametrize(
    "schema",
    [
        {"$schema": "http://json-schema.org/draft-07/schema#", "items": [{"type": "string"}]},
        {"type": "any"},
        {"type": ["string", 5]},
        {"required": True},
        {"required": "text"},
        {"enum": "text"},
        {"minimum": "5", "exclusiveMinimum": True},
        {"properties": ["a"]},
        {"$ref": "https://example.org/schema.json"},
        {"$ref": "file:///etc/passwd"},
        {"$ref": "//["},
        {"$ref": "#nowhere"},
        {"$ref": "#/$defs/none"},
        {"$ref": "#/enum/0", "enum": [{"a": 1}, 7]},
        {"properties": {"required": TEXT}, "allOf": [{"$ref": "#/properties"}]},
        {"$ref": "#"},
        {"allOf": [{"$ref": "#"}, {"$ref": "#"}]},
        {"$id": "https://example.org/", "$ref": "other"},
        {"format": "date"},
        {"uniqueItems": True, "unevaluatedItems": False},
        {"patternProperties": {"^b": TEXT}, "additionalProperties": False},
    ],
)
def test_what_cannot_be_checked_is_left_to_the_tool(schema: dict[str, Any]) -> None:
    assert problem({"a": 1}, schema, "it") is None
    assert problem(7, schema, "it") is None


BOMB: dict[str, Any] = {
    "$defs": {f"d{n}": {"allOf": 2 * [{"$ref": f"#/$defs/d{n + 1}"}]} for n in range(60)} | {"d60": TEXT},
    "$ref": "#/$defs/d0",
}
ALIEN = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "pattern": "^(a+)+$",
    "uniqueItems": True,
    "$ref": "#/$defs/x",
}
DEEP: dict[str, Any] = {}
for _ in range(20_000):
    DEEP = {"items": DEEP, "not": {"not": {}}}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (BOMB, 7),
        ({"pattern": "^(a+)+$"}, "a" * 60 + "b"),
        ({"patternProperties": {"^(a+)+$": TEXT}, "additionalProperties": False}, {"a" * 60 + "b": 1}),
        ({"allOf": [ALIEN], "enum": [ALIEN]}, "a" * 60 + "b"),
        ({"enum": [ALIEN], "anyOf": [{"$ref": "#/enum/0"}]}, "a" * 60 + "b"),
        ({"uniqueItems": True}, [{"a": n} for n in range(20_000)]),
        ({"items": {"allOf": 1500 * [TEXT]}}, ["x"] * 20_000),
        ({"items": {"allOf": 1500 * [{}]}}, ["x"] * 20_000),
        ({"allOf": 1500 * [{"items": {}}]}, ["x"] * 20_000),
        ({"allOf": 1500 * [{"contains": {"not": {}}}]}, ["x"] * 20_000),
        ({"anyOf": 1500 * [{"type": "string"}]}, ["x" * 1_000_000]),
        (DEEP, [[[[]]]]),
    ],
)
def test_no_schema_takes_long(schema: dict[str, Any], value: object) -> None:
    problem(1, {}, "it")  # the import is not what is measured
    started = time.process_time()
    problem(value, schema, "it")
    assert time.process_time() - started < 5


def test_a_large_schema_is_read_as_far_as_it_goes() -> None:
    names = [f"p{n}" for n in range(3 * MOST_SCHEMAS)]
    schema: dict[str, Any] = {"type": "object", "properties": dict.fromkeys(names, TEXT), "required": ["p0"]}
    assert problem({}, schema, "it") == "it must have 'p0'"
    assert problem({"p0": 1}, schema, "it") == "'p0' must be a string"
    assert problem({"p0": "", names[-1]: 1}, schema, "it") is None


KEYWORDS = """
    type enum const required properties items additionalProperties anyOf oneOf allOf not if then else $ref $defs $schema
    $id minimum maxLength prefixItems contains propertyNames dependentRequired dependentSchemas pattern
"""
keywords = st.sampled_from(KEYWORDS.split())
anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["string", "object", "array", "a", "#", "#/properties/a", "#/$defs/a", "#/anyOf/0", "#/items"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keywords | st.just("a"), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(keywords, anything, max_size=6), anything)
def test_any_schema_judges_any_value(schema: dict[str, Any], value: object) -> None:
    wrong = problem(value, schema, "it")
    assert wrong is None or wrong


@given(st.dictionaries(keywords, anything, max_size=6))
def test_what_is_checked_is_a_schema(schema: dict[str, Any]) -> None:
    Draft202012Validator.check_schema(known_part(schema))


def test_the_library_is_not_loaded_before_a_call_is_checked() -> None:
    code = (
        "import sys, app.services, ui.shell.window; before = 'jsonschema' in sys.modules\n"
        "from app.tools.arguments.checking import problem; problem(1, {'type': 'string'}, 'it')\n"
        "print(before, 'jsonschema' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]
