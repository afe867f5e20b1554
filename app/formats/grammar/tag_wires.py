"""Calls whose arguments stand in tags, as rules. A value is raw text where its schema allows a string, else JSON."""

from collections.abc import Callable, Iterator

from app.formats.calls.pairs import PairCalls
from app.formats.calls.xml_calls import XmlCalls
from app.formats.grammar.gbnf import Rules, either, joined, literal
from app.formats.grammar.json_rules import JsonRules
from app.formats.grammar.spelling import Spelling
from app.formats.text.schema import ToolTypes

XTML_CALL = "<|open|>call "
XTML_CLOSE = "<|close|>argument<|sep|>"
_PYTHON = {"boolean": ("True", "False"), "null": ("None",)}  # as many templates print them
_KEY = "[A-Za-z0-9_.-]{1,64}"


class TagWires:
    """An expression begins with the opener and ends where visible text may go on."""

    def __init__(self, rules: Rules, spelling: Spelling, json: JsonRules, types: ToolTypes) -> None:
        self._rules = rules
        self._spelling = spelling
        self._spell = spelling.spell
        self._json = json
        self._types = types

    def xml(self, reader: XmlCalls, opener: str) -> str:
        spell, call = self._spell, self._spell(reader.call)

        def parameter(tool: str, key: str) -> str:
            begin = spell(f"{reader.parameter}{key}") if key else f"{spell(reader.parameter)} {_KEY}"
            edge = "[\\n]?" if reader.newlines else ""
            end, text, data = spell(reader.parameter_end), *self._values(tool, key, reader.value_close, edge)
            if not reader.flag:
                return joined(begin, end, text or data, spell(reader.value_close))
            strings = joined(literal(f"{reader.flag}true"), end, text) if text else ""
            others = joined(literal(f"{reader.flag}false"), end, data) if data else ""
            return joined(begin, either(option for option in (strings, others) if option), spell(reader.value_close))

        tools = (joined(literal(tool), spell(reader.call_end), self._members(tool, parameter)) for tool in self._tools)
        one = self._rules.add(f"{either(tools)} ws {spell(reader.close)}")
        close = spell(*reader.block_close)
        return joined(spell(opener), "ws", call, one, f"ws ({call} {one} ws)*", close)

    def pairs(self, reader: PairCalls, opener: str) -> str:
        spell, tag, call = self._spell, reader.tag, self._spell(reader.tag("tool_call"))

        def pair(tool: str, key: str) -> str:
            text, data = self._values(tool, key, tag("/arg_value"))
            name = joined(spell(tag("arg_key")), literal(key) if key else _KEY, spell(tag("/arg_key")))
            return joined(name, "ws", spell(tag("arg_value")), text or data, spell(tag("/arg_value")))

        separator = spell(tag(reader.separator)) if reader.separator else ""
        tools = (joined(literal(tool), separator, self._members(tool, pair)) for tool in self._tools)
        one = self._rules.add(f"ws {either(tools)} ws {spell(tag('/tool_call'))}")
        if not reader.sections:
            return joined(call, one)
        first = call if opener == tag("tool_call") else f"{spell(opener)} ws {call}"
        return joined(first, one, f"ws ({call} {one} ws)*", f"({spell(tag('/tool_calls'))})?")

    def xtml(self, opener: str) -> str:
        spell, sep = self._spell, self._spell("<|sep|>")

        def argument(tool: str, key: str) -> str:
            text, data = self._values(tool, key, XTML_CLOSE)
            others = self._types.parameter(tool, key).types() - {"string"}
            options = [f'"string\\x22" {sep} {text}'] if text else []
            for kind in sorted(others):  # the value has to be of the type that it says
                data = data if len(others) == 1 else f"ws {self._json.value({'type': kind}, {})} ws"
                options.append(f'{literal(kind)} "\\x22" {sep} {data}')
            name = f'"key=\\x22" {literal(key) if key else _KEY} "\\x22 type=\\x22"'
            return joined(spell("<|open|>argument "), name, either(options), spell(XTML_CLOSE))

        head = '"\\x22" (" index=\\x22" [0-9]{1,4} "\\x22")?'
        tools = (joined(literal(tool), head, sep, self._members(tool, argument)) for tool in self._tools)
        call, close = spell(XTML_CALL), spell("<|close|>call<|sep|>")
        one = self._rules.add(joined(literal('tool="'), either(tools), "ws", close))
        first = call if opener == XTML_CALL else f"{spell(opener)} ws {call}"
        return joined(first, one, f"ws ({call} {one} ws)*", f"({spell('<|close|>tools<|sep|>')})?")

    @property
    def _tools(self) -> Iterator[str]:
        return iter(self._types.schemas)

    def _members(self, tool: str, member: Callable[[str, str], str]) -> str:
        """The tool's parameters in the order of its schema; any, where the schema has no list of them."""
        schema = self._types.schemas[tool]
        properties, required = schema.get("properties"), schema.get("required")
        needed = [name for name in required if isinstance(name, str)] if isinstance(required, list) else []
        names = list(dict.fromkeys([*(properties if isinstance(properties, dict) else ()), *needed]))
        expressions = [
            f"ws {member(tool, name)}" if name in needed else f"(ws {member(tool, name)})?" for name in names
        ]
        if not isinstance(properties, dict):
            expressions.append(f"(ws {member(tool, '')})*")
        return joined(*expressions)

    def _values(self, tool: str, key: str, close: str, edge: str = "") -> tuple[str, str]:
        """Expressions for a string and for anything else; "" where the schema does not allow it. ``edge``: what the
        wire has on both sides of a string."""
        types = self._types.parameter(tool, key)
        allowed, choices = types.types(), types.schema.get("enum")
        data = self._json.value(types.schema, self._types.schemas[tool])
        names = [text for name, texts in _PYTHON.items() if name in allowed for text in texts]
        data = f"ws {either((data, *map(literal, names)))} ws" if allowed != {"string"} else ""
        if "string" not in allowed:
            return "", data
        if allowed == {"string"} and isinstance(choices, list) and all(choices):
            return joined(edge, either(literal(str(choice)) for choice in choices), edge), data
        return self._spelling.text_before(self._rules, close), data
