"""Calls whose arguments are JSON, as rules: objects, names with objects, messages with a recipient."""

from app.formats.calls.json_calls import JsonCalls
from app.formats.calls.named_json import NamedJsonCalls
from app.formats.grammar.gbnf import Rules, either, joined, literal
from app.formats.grammar.json_rules import JsonRules, json_literal
from app.formats.grammar.spelling import Spelling
from app.formats.text.schema import ToolTypes

HARMONY_OPENER = "to=functions."
_EXTRA = ("id", "tool_call_id", "type")  # what some put beside name and arguments
_ID = "[A-Za-z0-9_.:-]{1,64}"


class JsonWires:
    """An expression begins with the opener and ends where visible text may go on."""

    def __init__(self, rules: Rules, spelling: Spelling, json: JsonRules, types: ToolTypes) -> None:
        self._rules = rules
        self._spell = spelling.spell
        self._arguments = {name: json.value(schema, schema) for name, schema in types.schemas.items()}

    def objects(self, reader: JsonCalls, opener: str) -> str:
        one = self._keyed() if reader.keyed else self._call(reader)
        more = f'("," ws {one} ws)*'
        if opener.endswith("["):
            body = f'ws {one} ws {more} "]"'
        else:
            more_lines = f"(ws {one})*" if reader.lines else ""
            body = f'ws ({joined(one, more_lines)} | "[" ws {one} ws {more} "]")'
        return joined(self._spell(opener), body, "ws" if reader.closes else "", self._spell(*reader.closes))

    def _keyed(self) -> str:
        members = either(f'{json_literal(name)} ws ":" ws {rule}' for name, rule in self._arguments.items())
        return self._rules.add(f'"{{" ws {members} ws "}}"')

    def _call(self, reader: JsonCalls) -> str:
        """Name and arguments in either order."""
        rules = self._rules
        name_key = rules.add(f'{either(map(json_literal, reader.name_keys))} ws ":" ws')
        key = rules.add(f'{either(map(json_literal, reader.argument_keys))} ws ":" ws')
        extra = rules.add(f'{either(map(json_literal, _EXTRA))} ws ":" ws string')
        tools = [(json_literal(name), arguments) for name, arguments in self._arguments.items()]
        named = rules.add(either(f'{name} ws "," ws {key} {arguments}' for name, arguments in tools))
        turned = rules.add(either(f'{arguments} ws "," ws {name_key} {name}' for name, arguments in tools))
        pair = f"({name_key} {named} | {key} {turned})"
        members = f'({extra} ws "," ws {pair} ws | {pair} ws ("," ws {extra} ws)?)'
        return rules.add(f'"{{" ws {members} "}}"')

    def named(self, reader: NamedJsonCalls, opener: str) -> str:
        spell = self._spell
        before, _, after = reader.written.partition("{name}")
        fence = [literal(text) for text in reader.fence] if reader.fence else []
        head = joined(_written(after), spell(*reader.name_ends), "ws", *(f"{text} ws" for text in fence[:1]))
        skip = f"[A-Za-z0-9_-]{{0,64}} {spell(reader.skip_to)}" if reader.skip_to else ""
        tools = self._tools(_written(before), head)
        close = joined("ws" if reader.close else "", spell(*reader.close))
        one = self._rules.add(joined(skip, tools, *(f"ws {text}" for text in fence[1:]), close))
        call = spell(reader.call)
        first = joined(spell(opener), "ws", call) if opener == reader.section else call
        return joined(
            first, one, f"ws ({call} {one} ws)*", f"({end})?" if (end := spell(*reader.section_close)) else ""
        )

    def mistral(self, opener: str) -> str:
        """``N[ARGS]{...}`` with more of them behind openers, or a list of objects."""
        start, call_id = self._spell(opener), f"({self._spell('[CALL_ID]')} {_ID})?"
        named = self._tools('" "?', joined(call_id, f"({self._spell('[ARGS]')})?", "ws"))
        one = self._call(JsonCalls(opens=()))
        return f'{start} ({named} ({start} {named})* | ws "[" ws {one} ws ("," ws {one} ws)* "]")'

    def harmony(self) -> str:
        """A message to a function, from its recipient on; the header may go on with a channel and a type."""
        channel = f'(" "? {self._spell("<|channel|>")} ("commentary" | "analysis"))?'
        kind = f'(" "? ({self._spell("<|constrain|>")})? " "? "json")?'
        return f"{literal(HARMONY_OPENER)} {self._tools('', joined(channel, kind, self._spell('<|message|>'), 'ws'))}"

    def _tools(self, before: str, after: str) -> str:
        """``before``, the name of a tool, ``after`` and the tool's arguments."""
        tools = self._arguments.items()
        return self._rules.add(either(joined(before, literal(name), after, arguments) for name, arguments in tools))


def _written(text: str) -> str:
    """A piece of ``NamedJsonCalls.written``."""
    before, index, after = text.partition("{index}")
    return joined(
        *(literal(part) for part in (before,) if part), "[0-9]{1,4}" if index else "", after and literal(after)
    )
