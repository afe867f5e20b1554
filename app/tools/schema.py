"""Checking arguments against the part of JSON Schema that tool definitions use.

``type``, ``enum``, ``required``, ``properties``, ``items``, ``additionalProperties: false``, ``minimum`` and
``maximum``; other keywords are not looked at. The keywords: https://json-schema.org/understanding-json-schema/reference
"""

from collections.abc import Mapping
from typing import Any

_TYPES: dict[str, tuple[str, type | tuple[type, ...]]] = {
    "string": ("a string", str),
    "integer": ("an integer", int),
    "number": ("a number", (int, float)),
    "boolean": ("true or false", bool),
    "object": ("an object", dict),
    "array": ("an array", list),
    "null": ("null", type(None)),
}


def problem(value: object, schema: Mapping[str, Any], where: str) -> str | None:
    """What is wrong with ``value``, as a clause for the model, or None. ``where`` names the value."""
    wanted = schema.get("type")
    names = [wanted] if isinstance(wanted, str) else wanted or []
    if names and not any(_is(value, name) for name in names):
        return f"{where} must be {' or '.join(_TYPES.get(name, (name,))[0] for name in names)}"
    if "enum" in schema and value not in schema["enum"]:
        return f"{where} must be one of {', '.join(map(str, schema['enum']))}"
    match value:
        case dict():
            return _object_problem(value, schema, where)
        case list() if isinstance(schema.get("items"), dict):
            found = (problem(item, schema["items"], f"item {n} of {where}") for n, item in enumerate(value, start=1))
            return next(filter(None, found), None)
        case int() | float():
            return _range_problem(value, schema, where)
        case _:
            return None


def _is(value: object, name: str) -> bool:
    if isinstance(value, bool):
        return name == "boolean"
    if name == "integer" and isinstance(value, float):
        return value.is_integer()
    return name not in _TYPES or isinstance(value, _TYPES[name][1])


def _object_problem(value: Mapping[str, object], schema: Mapping[str, Any], where: str) -> str | None:
    properties: Mapping[str, Any] = schema.get("properties") or {}
    for name in schema.get("required") or ():
        if name not in value:
            return f"{where} must have '{name}'"
    for name, item in value.items():
        inner = properties.get(name)
        if inner is None and schema.get("additionalProperties") is False:
            return f"{where} must not have '{name}'; it may have {', '.join(properties) or 'nothing'}"
        if isinstance(inner, dict) and (wrong := problem(item, inner, f"'{name}'")):
            return wrong
    return None


def _range_problem(value: float, schema: Mapping[str, Any], where: str) -> str | None:
    if "minimum" in schema and value < schema["minimum"]:
        return f"{where} must be at least {schema['minimum']}"
    if "maximum" in schema and value > schema["maximum"]:
        return f"{where} must be at most {schema['maximum']}"
    return None
