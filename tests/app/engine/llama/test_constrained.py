"""Calls that are kept to a grammar, with the real engine: well formed whatever the sampling, and never its end."""

import json
import random
import re
from dataclasses import replace

import pytest

from app.domain.events import EngineDied
from app.domain.messages import StopReason
from app.domain.models import CallGrammar, LoadRequest, PromptText, Sampling
from app.domain.output import CallBroken, CallClosed, Note
from app.formats import detect

pytestmark = pytest.mark.model

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "find_flights",
            "parameters": {
                "type": "object",
                "properties": {
                    "to": {"type": "string"},
                    "cabin": {"enum": ["economy", "business"]},
                    "days": {"type": "array", "items": {"type": "integer"}, "maxItems": 3},
                },
                "required": ["to", "cabin"],
            },
        },
    },
    {"type": "function", "function": {"name": "stop", "parameters": {"type": "object", "properties": {}}}},
]
HERMES = '{% if tools %}<tool_call>{"name": 1, "arguments": 2}</tool_call>{% endif %}'
SMOL = (
    "<|im_start|>system\nCall the tools find_flights and stop like this: <tool_call>\n"
    '{{"name": "stop", "arguments": {{}}}}\n</tool_call><|im_end|>\n'
    "<|im_start|>user\nA flight to {}, please.<|im_end|>\n<|im_start|>assistant\n"
)
HOT = Sampling(temperature=2.0, min_p=0.0, seed=1)


def fits(call: CallClosed) -> bool:
    arguments = json.loads(call.arguments)
    if call.name == "stop":
        return arguments == {}
    days = arguments.get("days", [])
    return (
        call.name == "find_flights"
        and {"to", "cabin"} <= arguments.keys() <= {"to", "cabin", "days"}
        and isinstance(arguments["to"], str)
        and arguments["cabin"] in ("economy", "business")
        and len(days) <= 3
        and all(type(day) is int for day in days)
    )


def judged(answer, chat_format, vocabulary, begun=""):
    """The calls that were read, and whether all that was begun is whole and valid (None: nothing was begun)."""
    parser = chat_format.parser("", TOOLS, vocabulary)
    events = parser.feed(begun, None) if begun else []
    for piece in answer.pieces:
        events += parser.feed(piece.text, piece.control)
    events += parser.finish(truncated=answer.reason is not StopReason.STOP)
    calls = [event for event in events if isinstance(event, CallClosed)]
    broken = [event for event in events if isinstance(event, CallBroken | Note)]
    return calls, (not broken and all(map(fits, calls))) if calls or broken else None


def kimi(recorded, prompt="what is 17*23?"):
    model = recorded.engine.model
    chat_format = detect(model.template)
    section = model.control_tokens["<|tool_calls_section_begin|>"]
    ids = recorded.ids(f"<|im_user|>user<|im_middle|>{prompt}<|im_end|><|im_assistant|>assistant<|im_middle|>")
    grammar = chat_format.call_grammar("", TOOLS, model.control_tokens)
    assert grammar is not None
    return chat_format, (*ids, section), replace(grammar, begun=1)


def test_free_text_is_what_it_is_without_a_grammar(tiny, smol) -> None:
    for recorded, ids in ((tiny, tiny.ids()), (smol, smol.ids("<|im_start|>user\nHi<|im_end|>\n"))):
        grammar = CallGrammar('root ::= "<call>" "x"', phrases=("<call>",))
        wishes = {"sampling": Sampling(temperature=1.0, seed=3), "max_tokens": 60}
        free, watched = recorded.run(ids, **wishes), recorded.run(ids, **wishes, grammar=grammar)
        assert free.ids == watched.ids
        assert free.finished.constrained is None
        assert watched.finished.constrained.calls == 0


def calls_of_tiny(tiny, seeds, grammar_too):
    chat_format, ids, grammar = kimi(tiny)
    for seed in seeds:
        wishes = {"sampling": replace(HOT, seed=seed), "max_tokens": 300}
        answer = tiny.run(ids, **wishes, grammar=grammar if grammar_too else None)
        yield answer, *judged(answer, chat_format, tiny.engine.model.control_tokens, "<|tool_calls_section_begin|>")


def test_every_call_fits_its_tool(tiny) -> None:
    """The model knows other tools only, and is asked at a temperature at which it writes anything."""
    free = [whole for _, _, whole in calls_of_tiny(tiny, range(10), grammar_too=False)]
    assert not any(free)
    for answer, calls, whole in calls_of_tiny(tiny, range(10), grammar_too=True):
        assert answer.reason is StopReason.LENGTH or (calls and whole), answer.text
        assert answer.finished.constrained.calls >= 1
        assert answer.finished.constrained.replaced > 0


@pytest.mark.parametrize("temperature", [0.8, 2.0])
def test_an_opener_that_is_plain_text_works_as_well(smol, temperature) -> None:
    chat_format = detect(HERMES)
    begun = "Sure.\n<tool_call>\n"
    for seed, city in enumerate(("Rome", "Oslo")):
        prompt = smol.ids(SMOL.format(city))
        written = smol.engine.tokenize([PromptText(begun)])[0]
        grammar = chat_format.call_grammar("", TOOLS, smol.engine.model.control_tokens)
        wishes = {"sampling": Sampling(temperature=temperature, seed=seed), "max_tokens": 200}
        answer = smol.run((*prompt, *written), **wishes, grammar=replace(grammar, begun=len(written)))
        calls, whole = judged(answer, chat_format, smol.engine.model.control_tokens, begun)
        assert answer.reason is StopReason.LENGTH or (calls and whole), answer.text


def test_after_a_call_the_answer_is_free(tiny) -> None:
    """Greedy, with the tools that the model knows: it calls, and ends its turn by itself."""
    tools = [
        {
            "type": "function",
            "function": {
                "name": "calculator",
                "parameters": {"type": "object", "properties": {"expression": {"type": "string"}}},
            },
        }
    ]
    ids = tiny.ids()
    free = tiny.run(ids, max_tokens=200)
    grammar = detect(tiny.engine.model.template).call_grammar("", tools, tiny.engine.model.control_tokens)
    kept = tiny.run(ids, max_tokens=200, grammar=grammar)
    assert kept.ids == free.ids
    assert kept.reason is StopReason.STOP
    report = kept.finished.constrained
    assert (report.calls > 0, report.dropped) == ("section_begin" in free.text, "")


@pytest.mark.parametrize(
    ("rules", "dropped"),
    [
        ("root ::= (((", "invalid"),
        ("root ::= root", "invalid"),
        ("root ::= <[OPEN]> more\nmore ::= [a] more", "loop"),  # it has no end
        ("root ::= <[OPEN]> <[4000000]>", "stuck"),  # no such token
        ("root ::= <[OPEN]> [\\U0010FFFF] [\\u0000]", "stuck"),
    ],
)
def test_a_grammar_that_leads_nowhere_is_given_up(tiny, rules, dropped) -> None:
    opener = tiny.engine.model.control_tokens["<|tool_calls_section_begin|>"]
    text = rules.replace("OPEN", str(opener))
    grammar = CallGrammar(text, openers=frozenset({opener}), markers=frozenset({opener}), begun=1)
    answer = tiny.run((*tiny.ids(), opener), sampling=HOT, max_tokens=600, grammar=grammar)
    assert answer.finished.constrained.dropped == dropped
    assert tiny.run(tiny.ids(), max_tokens=3).ids  # the same process goes on


def test_a_call_that_was_stopped_goes_on_within_its_grammar(tiny) -> None:
    chat_format, ids, grammar = kimi(tiny)
    first = tiny.run(ids, sampling=HOT, max_tokens=25, grammar=grammar)
    assert first.reason is StopReason.LENGTH
    went_on = replace(grammar, begun=1 + len(first.ids))
    rest = tiny.run((*ids, *first.ids), sampling=replace(HOT, seed=8), max_tokens=400, grammar=went_on)
    control = tiny.engine.model.control_tokens
    calls, whole = judged(rest, chat_format, control, "<|tool_calls_section_begin|>" + first.text)
    assert rest.reason is StopReason.LENGTH or (calls and whole), first.text + rest.text


@pytest.mark.parametrize("count", [4, pytest.param(300, marks=pytest.mark.nightly)])
def test_no_model_and_no_schema_ends_the_process(count, make_engine, random_models, tmp_path) -> None:
    """Random weights write any token; openers come from the prompt, in the middle of things, and by chance."""
    path = tmp_path / "random.gguf"
    random_models.write(path, "short convolutions")
    recorded = make_engine()
    model = recorded.engine.load(LoadRequest(str(path), context=1024, threads=1))
    draw = random.Random(5)
    syntaxes = (HERMES, "<|tool_calls_section_begin|>", "<function=<parameter=", "<arg_key>[gMASK]", "[TOOL_CALLS]")
    for number in range(count):
        tools = [{"function": {"name": draw.choice("abc"), "parameters": _schema(draw, 3)}} for _ in range(2)]
        tokens = draw.sample(range(3, model.vocabulary_size), 8)
        chat_format = detect(draw.choice(syntaxes))
        reader = chat_format.family.calls
        markers = [*reader.openers, *reader.markers][: draw.randrange(9)]
        grammar = chat_format.call_grammar("", tools, dict(zip(markers, tokens, strict=False)))
        if grammar is None:
            continue
        begun = list(draw.choices(range(3, model.vocabulary_size), k=draw.randrange(4)))
        if grammar.openers:
            begun.append(draw.choice(sorted(grammar.openers)))
        else:
            begun += [3 + byte for byte in b"\n" + grammar.phrases[0].replace("\0", "").encode()]
        recorded.run(
            (1, *begun),
            sampling=Sampling(temperature=draw.choice((0.5, 1.0, 3.0)), min_p=0.0, seed=number, repeat_penalty=1.1),
            max_tokens=draw.choice((60, 500)),
            grammar=replace(grammar, begun=len(begun)),
        )
    assert not recorded.of(EngineDied)


def _schema(draw, depth):
    kind = draw.choice(("string", "integer", "number", "boolean", "null", "object", "array", "any", "enum"))
    if kind == "enum":
        return {"enum": [draw.choice(("é~", "\n", 1, None, "</b>")) for _ in range(2)]}
    if kind == "any" or not depth:
        return {}
    if kind == "object" or depth == 3:
        names = re.findall(".", draw.choice(("ab", "é", "a<", "")))
        return {
            "type": "object",
            "properties": {name: _schema(draw, depth - 1) for name in names},
            "required": names[:1],
        }
    if kind == "array":
        return {"type": "array", "items": _schema(draw, depth - 1), "minItems": draw.randrange(3)}
    return {"type": kind}
