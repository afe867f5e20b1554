"""Values whose wire has no types: the tool's schema says what raw text means."""

import re
from collections.abc import Mapping, Sequence

from app.formats.text.cursor import Malformed
from app.formats.text.jsontext import is_number, quote, strict_loads
from app.formats.text.literals import literal_json

ANY = frozenset({"string", "number", "boolean", "null", "object", "array"})
_ALIASES = {  # names that are no JSON types and are used as such
    **dict.fromkeys(("integer", "int", "float", "double", "long"), "number"),
    **dict.fromkeys(("list", "tuple"), "array"),
    "str": "string",
    "bool": "boolean",
    "dict": "object",
    "none": "null",
}
_PYTHON_NAMES = {"True": "true", "False": "false", "None": "null"}
_CONTAINER = re.compile(r"[\[{]")

Schema = Mapping[str, object]


class ToolTypes:
    """The tools' schemas, by name, from definitions in OpenAI form. What is not there is of any type."""

    def __init__(self, tools: Sequence[Mapping[str, object]]) -> None:
        self._parameters: dict[str, Schema] = {}
        for tool in tools:
            function = tool.get("function", tool)
            if isinstance(function, Mapping) and isinstance(name := function.get("name"), str):
                parameters = function.get("parameters")
                self._parameters[name] = parameters if isinstance(parameters, Mapping) else {}

    @property
    def schemas(self) -> Mapping[str, Schema]:
        """Each tool's parameters, in the order in which the tools were given."""
        return self._parameters

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self._parameters)

    def keys(self, tool: str) -> frozenset[str]:
        """Names of a tool's parameters."""
        properties = self._parameters.get(tool, {}).get("properties")
        return frozenset(properties) if isinstance(properties, Mapping) else frozenset()

    def parameter(self, tool: str, name: str) -> "Typed":
        """What is known of one parameter."""
        root = self._parameters.get(tool, {})
        return Typed(root, root).member(name)


class Typed:
    """A schema inside its root, for ``$ref``."""

    def __init__(self, root: Schema, schema: object) -> None:
        self._root = root
        self.schema = self._resolve(schema)

    def member(self, key: str) -> "Typed":
        """Schema of an object's member."""
        for schema in self._variants():
            properties = schema.get("properties")
            if isinstance(properties, Mapping) and key in properties:
                return Typed(self._root, properties[key])
        for schema in self._variants():
            if isinstance(more := schema.get("additionalProperties"), Mapping):
                return Typed(self._root, more)
        return Typed(self._root, {})

    def item(self) -> "Typed":
        """Schema of an array's items."""
        for schema in self._variants():
            if isinstance(items := schema.get("items"), Mapping):
                return Typed(self._root, items)
        return Typed(self._root, {})

    def types(self) -> frozenset[str]:
        """JSON types the value may have; ``integer`` counts as ``number``."""
        found: set[str] = set()
        for schema in self._variants():
            found |= self._own_types(schema)
        return frozenset(found) or ANY

    def _resolve(self, schema: object) -> Schema:
        for _ in range(16):
            if not isinstance(schema, Mapping):
                return {}
            reference = schema.get("$ref")
            if not isinstance(reference, str) or not reference.startswith("#/"):
                return schema
            target: object = self._root
            for step in reference[2:].split("/"):
                target = (
                    target.get(step.replace("~1", "/").replace("~0", "~"), {}) if isinstance(target, Mapping) else {}
                )
            schema = target
        return {}

    def _variants(self) -> list[Schema]:
        found = [self.schema]
        for key in ("anyOf", "oneOf", "allOf"):
            variants = self.schema.get(key)
            if isinstance(variants, Sequence) and not isinstance(variants, str):
                for variant in variants[:32]:
                    found += [Typed(self._root, variant).schema]
        return found

    @staticmethod
    def _own_types(schema: Schema) -> set[str]:
        declared = schema.get("type")
        names = [declared] if isinstance(declared, str) else list(declared) if isinstance(declared, Sequence) else []
        found = {_ALIASES.get(str(name).lower(), str(name).lower()) for name in names} & ANY
        choices = schema.get("enum", [schema["const"]] if "const" in schema else None)
        if not found and isinstance(choices, Sequence) and not isinstance(choices, str):
            found = {json_type(choice) for choice in choices}
        if not found and "properties" in schema:
            found = {"object"}
        if not found and "items" in schema:
            found = {"array"}
        if found and schema.get("nullable") is True:
            found.add("null")
        return found


def json_type(value: object) -> str:
    """The JSON type of a decoded value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "object" if isinstance(value, Mapping) else "array"


def typed_value(raw: str, types: frozenset[str]) -> str:
    """``raw`` as JSON text of one of ``types``.

    A string keeps its text exactly. A scalar that fits no type stays a string, so that the tool can say what is wrong;
    an object or array that is not valid, or not what was asked for, raises Malformed.
    """
    if types == {"string"}:
        return quote(raw)
    text = raw.strip()
    scalar = _PYTHON_NAMES.get(text, text)
    if "string" not in types and text.lower() in ("true", "false"):
        scalar = text.lower()
    if scalar in ("true", "false"):
        return scalar if "boolean" in types else quote(raw)
    if scalar == "null":
        return "null" if "null" in types or "string" not in types else quote(raw)
    if text in ("NaN", "Infinity", "-Infinity") and "string" not in types:
        raise Malformed(f"{text} is not JSON")
    if is_number(text):
        return text if "number" in types else quote(raw)
    if _CONTAINER.match(text) and types & {"object", "array"}:
        return _container(raw, text, types)
    if not types & {"string", "number", "boolean", "null"}:
        raise Malformed("not an object or a list")
    return quote(raw)


def _container(raw: str, text: str, types: frozenset[str]) -> str:
    try:
        value = strict_loads(text)
    except Malformed:
        value = None
    if value is None:
        try:
            python = literal_json(text)
        except Malformed:
            python = ""
        if python and ("object" if python[0] == "{" else "array") in types:
            return python
        if "string" in types and not _duplicates(text):
            return quote(raw)
        raise Malformed("neither JSON nor a literal")
    if json_type(value) in types:
        return text
    if "string" in types:
        return quote(raw)
    raise Malformed("another type than the schema's")


def _duplicates(text: str) -> bool:
    try:
        strict_loads(text)
    except Malformed as error:
        return "duplicate" in str(error)
    return False
