"""What a call has to look like, as a grammar for the engine: made from a family's syntax and the tools' schemas.

The engine uses it from an opener on and drops it where the call is over, so that reasoning and text stay free. Pure;
may be imported by ``app.formats``.
"""

from collections.abc import Mapping, Sequence

from app.domain.models import CallGrammar
from app.formats.calls.choice import Choice
from app.formats.calls.json_calls import JsonCalls
from app.formats.calls.named_json import NamedJsonCalls
from app.formats.calls.pairs import PairCalls
from app.formats.calls.xml_calls import XmlCalls
from app.formats.calls.xtml import XtmlCalls
from app.formats.families.mistral import MistralCalls
from app.formats.families.openai import GPT_OSS
from app.formats.family import CallReader, Family
from app.formats.grammar.gbnf import Rules, TooLarge, either
from app.formats.grammar.json_rules import JsonRules
from app.formats.grammar.json_wires import HARMONY_OPENER, JsonWires
from app.formats.grammar.spelling import Spelling
from app.formats.grammar.tag_wires import XTML_CLOSE, TagWires
from app.formats.text.schema import ToolTypes

MAX_TOOLS = 64


class _NotExpressible(Exception):
    """A syntax of which there are no rules."""


def call_grammar(
    family: Family, generation_prompt: str, tools: Sequence[Mapping[str, object]], vocabulary: Mapping[str, int]
) -> CallGrammar | None:
    """The grammar of a family's calls of ``tools`` (definitions in OpenAI form), or None: there is nothing to call, the
    family's syntax is a guess or cannot be said in rules, or they would be too many.

    ``vocabulary``: the model's control and user-defined tokens. ``generation_prompt``: see ``ChatFormat.parser``.
    """
    types = ToolTypes(tools)
    if not family.known or not 0 < len(types.names) <= MAX_TOOLS or not all(types.names):
        return None
    try:
        return _Builder(family, types, vocabulary).grammar(generation_prompt)
    except (_NotExpressible, TooLarge):
        return None


class _Builder:
    def __init__(self, family: Family, types: ToolTypes, vocabulary: Mapping[str, int]) -> None:
        self._family = family
        self._spelling = Spelling(vocabulary)
        self._rules = Rules()
        self._root = self._rules.reserve("root")
        closes = _raw_closes(family.calls)
        json = JsonRules(self._rules)
        beside_text = JsonRules(self._rules, self._spelling.apart(closes)) if closes else json
        self._json = JsonWires(self._rules, self._spelling, json, types)
        self._tags = TagWires(self._rules, self._spelling, beside_text, types)

    def grammar(self, generation_prompt: str) -> CallGrammar:
        """Raises _NotExpressible and TooLarge."""
        family, spelling = self._family, self._spelling
        openers: tuple[str, ...]
        quiet, loud = family.think_open, family.think_close
        if family is GPT_OSS:
            openers, options = (HARMONY_OPENER,), [self._json.harmony()]
            quiet, loud = ("<|message|>",), ("<|start|>", "<|channel|>")
        elif family.calls is None:
            raise _NotExpressible
        else:
            openers = tuple(opener for opener in family.calls.openers if opener not in family.calls.soft)
            options = [self._calls(family.calls, opener) for opener in openers]
        if not options:
            raise _NotExpressible
        self._rules.define(self._root, either(options))
        ids = [spelling.token(opener) for opener in openers]
        phrases = tuple(spelling.marked(opener) for opener, token in zip(openers, ids, strict=True) if token is None)
        return CallGrammar(
            text=self._rules.text(),
            openers=frozenset(token for token in ids if token is not None),
            phrases=phrases,
            quiet=tuple(map(spelling.marked, quiet)) if phrases else (),
            loud=tuple(map(spelling.marked, loud)) if phrases else (),
            is_quiet=_last(generation_prompt, quiet) > _last(generation_prompt, loud),
            prose=family is not GPT_OSS,
            markers=frozenset(spelling.markers),
            ends_text=frozenset(spelling.ends_text),
        )

    def _calls(self, reader: CallReader, opener: str) -> str:
        match reader:
            case Choice():
                readers = (reader.otherwise, *(one for _, one in reader.when))
                able = dict.fromkeys(one for one in readers if opener in one.openers)
                return either(self._rules.add(self._calls(one, opener)) for one in able)
            case JsonCalls():
                return self._json.objects(reader, opener)
            case NamedJsonCalls():
                return self._json.named(reader, opener)
            case MistralCalls():
                return self._json.mistral(opener)
            case XmlCalls() if opener in reader.block:
                return self._tags.xml(reader, opener)
            case PairCalls():
                return self._tags.pairs(reader, opener)
            case XtmlCalls():
                return self._tags.xtml(opener)
        raise _NotExpressible


def _raw_closes(reader: CallReader | None) -> list[str]:
    """What ends raw text in a syntax."""
    match reader:
        case Choice():
            return [close for one in (reader.otherwise, *(one for _, one in reader.when)) for close in _raw_closes(one)]
        case XmlCalls():
            return [reader.value_close]
        case PairCalls():
            return [reader.tag("/arg_value")]
        case XtmlCalls():
            return [XTML_CLOSE]
    return []


def _last(text: str, markers: Sequence[str]) -> int:
    return max((text.rfind(marker) for marker in markers), default=-1)
