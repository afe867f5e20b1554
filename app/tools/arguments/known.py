"""What of a stranger's schema is checked.

Left to the tool: ``pattern`` and ``patternProperties``, since Python's ``re`` can run for hours and holds the whole
program meanwhile, and since these expressions are JavaScript's; ``format``; ``uniqueItems``, which compares each item
with each other one; ``unevaluated...``, which reads patterns, too; references to anything but a schema inside of this
one. What is malformed counts as not said: other programs call the tool, too, and it checks its arguments itself.
"""

from collections.abc import Callable, Iterator, Mapping
from urllib.parse import unquote

MOST_SCHEMAS = 2000  # inside of one; what comes after them is not looked at
DEEPEST = 64
MOST_VALUES = 1000  # of an ``enum``
TYPES = frozenset({"string", "integer", "number", "boolean", "object", "array", "null"})


def _is_names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _is_type(value: object) -> bool:
    names = value if isinstance(value, list) else [value]
    return bool(names) and all(isinstance(name, str) and name in TYPES for name in names)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_needed_beside(value: object) -> bool:
    return isinstance(value, dict) and all(map(_is_names, value.values()))


_PLAIN: Mapping[str, Callable[[object], bool]] = {
    "type": _is_type,
    "enum": lambda value: isinstance(value, list) and len(value) <= MOST_VALUES,
    "const": lambda _value: True,
    "required": _is_names,
    "dependentRequired": _is_needed_beside,
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), _is_number),
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"), _is_count),
}
_ONE = frozenset({"items", "additionalProperties", "propertyNames", "contains", "not", "if", "then", "else"})
_SEVERAL = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_NAMED = frozenset({"properties", "$defs", "definitions", "dependentSchemas"})


def known_part(schema: Mapping[str, object]) -> dict[str, object]:
    """A copy that says nothing but what is checked."""
    reader = _Reader()
    root = reader.mapping(schema, 0)
    for known, reference in reader.references:
        if _leads_to_schema(root, reference):
            known["$ref"] = reference
    return root


class _Reader:
    def __init__(self) -> None:
        self.references: list[tuple[dict[str, object], str]] = []
        self._left = MOST_SCHEMAS

    def mapping(self, schema: Mapping[str, object], depth: int) -> dict[str, object]:
        known: dict[str, object] = {}
        self._left -= 1
        if self._left < 0 or depth > DEEPEST:
            return known
        for keyword, value in schema.items():
            if keyword == "additionalProperties" and "patternProperties" in schema:
                continue  # it is about names that no pattern allows
            if keyword == "$ref" and isinstance(value, str):
                self.references.append((known, value))
            elif keyword in _PLAIN and _PLAIN[keyword](value):
                known[keyword] = value
            elif keyword in _ONE and isinstance(value, bool | Mapping):
                known[keyword] = value if isinstance(value, bool) else self._schema(value, depth + 1)
            elif keyword in _SEVERAL and isinstance(value, list) and value:
                known[keyword] = [self._schema(item, depth + 1) for item in value]
            elif keyword in _NAMED and isinstance(value, Mapping):
                known[keyword] = {name: self._schema(item, depth + 1) for name, item in value.items()}
        return known

    def _schema(self, schema: object, depth: int) -> object:
        if schema is False:
            return {"not": {}}  # the library forgets where it met a plain False
        return self.mapping(schema, depth) if isinstance(schema, Mapping) else {}


def _leads_to_schema(root: object, reference: str) -> bool:
    """Whether a JSON Pointer ends at one of our copies, and not in a value, in a list of names or elsewhere."""
    if reference != "#" and not reference.startswith("#/"):
        return False
    steps = (step.replace("~1", "/").replace("~0", "~") for step in unquote(reference).split("/")[1:])
    here = root
    for keyword in steps:
        if not isinstance(here, dict):
            return False
        here = here.get(keyword) if keyword in _ONE else _member(here.get(keyword), keyword, steps)
    return isinstance(here, bool | dict)


def _member(inner: object, keyword: str, steps: Iterator[str]) -> object:
    key = next(steps, None)
    if keyword in _NAMED and isinstance(inner, dict):
        return inner.get(key)
    if keyword in _SEVERAL and isinstance(inner, list) and key is not None and key.isdecimal() and len(key) <= 4:
        return inner[int(key)] if int(key) < len(inner) else None
    return None
