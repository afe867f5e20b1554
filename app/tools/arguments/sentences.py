"""What is wrong with arguments, said so that a model does better next time."""

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from app.domain.excerpt import shortened

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

MOST = 3  # sentences
_LONGEST_NAME = 80  # characters
_LISTED = 20
_TYPES = {
    "string": "a string",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "object": "an object",
    "array": "an array",
    "null": "null",
}
_LIMITS = {
    "minimum": "must be at least {0}",
    "maximum": "must be at most {0}",
    "exclusiveMinimum": "must be more than {0}",
    "exclusiveMaximum": "must be less than {0}",
    "minLength": "must have at least {0} characters",
    "maxLength": "must have at most {0} characters",
    "minItems": "must have at least {0} items",
    "maxItems": "must have at most {0} items",
    "minProperties": "must have at least {0} members",
    "maxProperties": "must have at most {0} members",
}


def sentences(errors: "Iterable[ValidationError]", where: str) -> str:
    """The outermost mistakes first, "" for none. ``where`` names the value that was checked."""
    found = sorted(errors, key=lambda error: len(error.absolute_path))
    return "; ".join(list(dict.fromkeys(_sentence(error, where) for error in found))[:MOST])


def _sentence(error: "ValidationError", where: str) -> str:
    if error.validator in ("anyOf", "oneOf") and error.context:
        return _best_way(error.context, where)
    place = _place(error.absolute_path, where)
    return f"{place} {_wish(error)}"


def _wish(error: "ValidationError") -> str:
    value: Any = error.validator_value
    instance: Any = error.instance
    keyword = str(error.validator)
    match keyword:
        case "type":
            return _types([value] if isinstance(value, str) else value)
        case "enum":
            return f"must be one of {_listed(map(_text, value))}"
        case "const":
            return f"must be {_text(value)}"
        case "required":
            return f"must have {_listed(_name(name) for name in value if name not in instance)}"
        case "additionalProperties":
            schema: Any = error.schema
            known = schema.get("properties", {})
            extra = _listed(_name(name) for name in instance if name not in known)
            return f"must not have {extra}; it may have {_listed(map(_cut, known)) or 'nothing'}"
        case "not" if not value:
            return "must not be given"
        case _ if keyword in _LIMITS:
            return _LIMITS[keyword].format(_text(value))
        case _:
            return f"does not fit the tool's schema ({keyword})"


def _types(names: Sequence[str]) -> str:
    return f"must be {' or '.join(_TYPES[name] for name in dict.fromkeys(names))}"


def _best_way(context: "Sequence[ValidationError]", where: str) -> str:
    """Of several ways to be right, what is wrong with the one that the value is nearest to."""
    ways: dict[object, list[ValidationError]] = {}
    for error in context:
        ways.setdefault(error.relative_schema_path[0], []).append(error)
    other = [way[0] for way in ways.values() if way[0].validator == "type" and not way[0].relative_path]
    near = [way for way in ways.values() if way[0] not in other]
    if near:
        return _sentence(min(near, key=len)[0], where)
    names = [name for error in other for name in _as_list(error.validator_value)]
    return f"{_place(other[0].absolute_path, where)} {_types(names)}"


def _as_list(value: object) -> list[str]:
    return value if isinstance(value, list) else [str(value)]


def _place(path: Iterable[str | int], where: str) -> str:
    for step in path:
        where = f"item {step + 1} of {where}" if isinstance(step, int) else _name(step)
    return where


def _name(name: str) -> str:
    return f"'{_cut(name)}'"


def _text(value: object) -> str:
    return _cut(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _cut(text: str) -> str:
    return shortened(text, _LONGEST_NAME)


def _listed(texts: Iterable[str]) -> str:
    every = list(texts)
    return ", ".join(every[:_LISTED]) + (", …" if len(every) > _LISTED else "")
