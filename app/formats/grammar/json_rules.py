"""JSON schemas as rules of a grammar.

Types, properties in the schema's order, required ones, enum, const, items and their number, anyOf, oneOf, simple allOf
and references inside the schema count. What is beyond that (formats, patterns, ranges, conditions) is left to the tool;
a schema that is not understood means any JSON value. An object has the named properties only, unless it says otherwise.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from app.formats.grammar.gbnf import Rules, either, joined, literal, one_of

MAX_DEPTH = 32
MAX_ITEMS = 64  # a larger bound of a list is no bound
MAX_CHOICES = 500
MAX_STEPS = 3  # references to references; llama.cpp's look for left recursion walks every way through them

# White space is bounded, so that nobody can write it for ever; so are the digits of a number.
_BASE = {
    "ws": r'(" " | "\n" [ \t]{0,24})?',
    "hex": r"[0-9A-Fa-f]",
    "unicode": r"([0-9A-CE-Fa-ce-f] hex hex hex | [Dd] [0-7] hex hex | pair)",
    "pair": r'[Dd] [89ABab] hex hex "\\u" [Dd] [C-Fc-f] hex hex',  # a character beyond U+FFFF
    "escape": r'"\\" (["\\/bfnrt] | "u" unicode)',
    "digits": r"(([0] | [1-9] [0-9]{0,17}))",
    "integer": r'"-"? digits',
    "number": r'"-"? digits ("." [0-9]{1,18})? ([eE] ([+]? [0-9]{1,2} | [-] [0-9]{1,3}))?',
    "boolean": r'("true" | "false")',
    "null": r'"null"',
    "value": r"(object | array | string | number | boolean | null)",
    "object": r'"{" ws (string ws ":" ws value ws ("," ws string ws ":" ws value ws)*)? "}"',
    "array": r'"[" ws (value ws ("," ws value ws)*)? "]"',
}
_BEYOND = frozenset({"allOf", "anyOf", "oneOf", "enum", "const", "$ref"})  # in a part of an allOf
_SIMPLE = frozenset({"integer", "number", "boolean", "null", "string"})


_OF_STRINGS = re.compile(r"\b(object|array|string|value)\b")


class JsonRules:
    """``apart``: pairs of characters that must not follow each other in a string, because a marker of the wire begins
    so; the second one can always be written as an escape."""

    def __init__(self, rules: Rules, apart: Sequence[str] = ()) -> None:
        self._rules = rules
        self._kind = "tight-" if apart else ""
        for name, body in _BASE.items():
            rules.define(self._own(name), self._own(body))
        self._string(apart)

    def _own(self, body: str) -> str:
        """With the strings of these rules."""
        return _OF_STRINGS.sub(lambda found: self._kind + found.group(), body)

    def value(self, schema: object, root: Mapping[str, Any]) -> str:
        """The rule for one value of a schema, whose references lead into ``root``. Raises TooLarge."""
        return _Schema(self._rules, root, self._own).rule(schema)

    def _string(self, apart: Sequence[str]) -> None:
        rules, plain = self._rules, "".join(map(chr, range(0x20))) + '"\\'
        firsts = dict.fromkeys(pair[0] for pair in apart)
        after = {last: f"{self._kind}text{ord(last) if last else ''}" for last in ("", *firsts)}
        rules.define(self._own("string"), rf'"\x22" {after[""]}')
        for last in after:
            barred = "".join(pair[1] for pair in apart if pair[0] == last)
            options = [r'"\x22"', f"{one_of(plain + ''.join(firsts) + barred, but=True)} {after['']}"]
            options += [f"{literal(first)} {after[first]}" for first in firsts if first not in barred]
            rules.define(after[last], either((*options, f"escape {after['']}")))


class _Schema:
    """The rules of one root. ``within`` in the methods: references that were followed without anything written."""

    def __init__(self, rules: Rules, root: Mapping[str, Any], own: Callable[[str], str]) -> None:
        self._rules = rules
        self._own = own
        self._root = root
        self._known: dict[str, str] = {}  # references and their rules
        self._depth = 0

    def rule(self, schema: object, within: frozenset[str] = frozenset()) -> str:
        if not isinstance(schema, Mapping) or self._depth > MAX_DEPTH:
            return self._own("value")
        self._depth += 1
        try:
            return self._rule(schema, within)
        finally:
            self._depth -= 1

    def _rule(self, schema: Mapping[str, Any], within: frozenset[str]) -> str:
        if isinstance(reference := schema.get("$ref"), str):
            return self._reference(reference, within)
        choices = [schema["const"]] if "const" in schema else schema.get("enum")
        if isinstance(choices, list) and choices:
            return self._choices(choices)
        for key in ("anyOf", "oneOf"):
            variants = schema.get(key)
            if isinstance(variants, list) and variants and all(map(_says, variants)):
                return self._rules.add(either(self.rule(variant, within) for variant in variants[:MAX_CHOICES]))
        if isinstance(parts := schema.get("allOf"), list):
            return self.rule(self._merged(schema, parts), within)
        names = _types(schema)
        if schema.get("nullable") is True and names:
            names.append("null")
        return self._rules.add(either(self._typed(name, schema) for name in names)) if names else self._own("value")

    def _typed(self, name: str, schema: Mapping[str, Any]) -> str:
        if name in _SIMPLE:
            return self._own(name)
        compound = {"object": self._object, "array": self._array}.get(name)
        return compound(schema) if compound else self._own("value")

    def _reference(self, reference: str, within: frozenset[str]) -> str:
        if reference in within or len(within) >= MAX_STEPS:
            return self._own("value")
        if reference not in self._known:
            self._known[reference] = name = self._rules.reserve()
            target = self._target(reference)
            self._rules.define(name, self.rule(target, within | {reference}))
        return self._known[reference]

    def _target(self, reference: str) -> object:
        found: object = self._root
        for step in reference.split("/")[1:] if reference.startswith("#") else ("",):
            found = found.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(found, Mapping) else None
        return found

    def _choices(self, choices: Sequence[object]) -> str:
        try:
            texts = [json_literal(choice) for choice in choices]
        except (TypeError, ValueError):
            return self._own("value")
        return self._rules.add(either(texts)) if len(texts) <= MAX_CHOICES else self._own("value")

    def _merged(self, schema: Mapping[str, Any], parts: Sequence[object]) -> object:
        """One schema for several objects that count together; None where they are anything else."""
        base = {key: value for key, value in schema.items() if key != "allOf"}
        if len(parts) == 1 and not _says(base):
            return parts[0]
        properties: dict[str, Any] = {}
        required: list[str] = []
        for part in (base, *parts):
            if isinstance(part, Mapping) and isinstance(reference := part.get("$ref"), str):
                part = self._target(reference)
            if not isinstance(part, Mapping) or part.keys() & _BEYOND or _types(part) not in ([], ["object"]):
                return None
            properties.update(_mapping(part.get("properties")))
            required += _names(part.get("required"))
        return {"type": "object", "properties": properties, "required": required}

    def _object(self, schema: Mapping[str, Any]) -> str:
        properties, required = dict(_mapping(schema.get("properties"))), _names(schema.get("required"))
        properties.update({name: {} for name in required if name not in properties})
        more = schema.get("additionalProperties", bool(schema.get("patternProperties")))
        if not properties and "properties" not in schema and more is not False:
            more = schema.get("additionalProperties", True)
        extra = "" if more is False else self._member(self._own("string"), self.rule(more))
        after = f'("," ws {extra})*' if extra else ""
        first = f"({joined(extra, after)})?" if extra else ""
        for name, value in reversed(properties.items()):
            member = self._member(json_literal(name), self.rule(value))
            if name in required:
                first, after = joined(member, after), joined('"," ws', member, after)
            else:
                begun = joined(member, after)
                first = self._optional(begun, first)
                after = self._optional(joined('"," ws', member, after), after)
        return self._rules.add(joined('"{" ws', first, '"}"'))

    def _optional(self, here: str, rest: str) -> str:
        """``here`` (which has the rest in it) or the rest alone."""
        return self._rules.add(either((here, rest)) if rest else f"({here})?")

    def _member(self, key: str, value: str) -> str:
        return self._rules.add(f'{key} ws ":" ws {value} ws')

    def _array(self, schema: Mapping[str, Any]) -> str:
        if "prefixItems" in schema or isinstance(schema.get("items"), list):
            return self._own("array")
        item = self._rules.add(f"{self.rule(schema.get('items'))} ws")
        least, most = _count(schema.get("minItems")) or 0, _count(schema.get("maxItems"))
        if most == 0:
            return self._rules.add('"[" ws "]"')
        bounds = f"{{{max(0, least - 1)},{'' if most is None else most - 1}}}"
        items = f'{item} ("," ws {item}){bounds}' if most != 1 else item
        return self._rules.add(joined('"[" ws', items if least else f"({items})?", '"]"'))


def json_literal(value: object) -> str:
    """Exactly this value; characters beyond ASCII as they are, or all as escapes. Raises TypeError, ValueError."""
    return either(literal(json.dumps(value, ensure_ascii=plain, allow_nan=False)) for plain in (False, True))


def _says(schema: object) -> bool:
    """Whether it says what a value looks like, beyond which members it must have."""
    return isinstance(schema, Mapping) and bool(
        schema.keys() & {"type", "properties", "items", "enum", "const", "$ref", "anyOf", "oneOf", "allOf"}
    )


def _types(schema: Mapping[str, Any]) -> list[str]:
    declared = schema.get("type")
    names = [declared] if isinstance(declared, str) else declared if isinstance(declared, list) else []
    if not names and schema.keys() & {"properties", "required"}:
        return ["object"]
    return list(names) if names or "items" not in schema else ["array"]


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _names(value: object) -> list[str]:
    return [name for name in value if isinstance(name, str)] if isinstance(value, list) else []


def _count(value: object) -> int | None:
    """A bound that is kept."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_ITEMS else None
