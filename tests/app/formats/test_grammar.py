"""Grammars for calls: llama.cpp takes them, they take what families write, and nothing that breaks the schema."""

import dataclasses
import json
import re
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.models import CallGrammar
from app.formats import detect

Piece = tuple[str, bool]
LEFT_FREE = {  # their calls are Python, are nested in tags, or may begin like ordinary text
    "command-r-plus", "ernie-4.5", "firefunction", "functionary-v3.1", "functionary-v3.2", "gemma-4", "generic", "lfm2",
    "llama-3", "llama-4", "minicpm-4", "minicpm-5", "minimax-m3", "olmo-3",
}  # fmt: skip


def gguf(path: Path, control: Sequence[str]) -> dict[str, int]:
    """Write a file that is a vocabulary and nothing else: bytes, printable ASCII and control tokens."""
    printable = [chr(code) for code in range(0x21, 0x7F)] + ["\u2581"]
    texts = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), *printable, *control]
    types = [2, 3, 3, *[6] * 256, *[1] * len(printable), *[3] * len(control)]

    def string(text: str) -> bytes:
        data = text.encode()
        return struct.pack("<Q", len(data)) + data

    def listed(kind: int, items: Sequence[bytes]) -> bytes:
        return struct.pack("<IIQ", 9, kind, len(items)) + b"".join(items)

    entries = {
        "general.architecture": struct.pack("<I", 8) + string("llama"),
        "tokenizer.ggml.model": struct.pack("<I", 8) + string("llama"),
        "tokenizer.ggml.tokens": listed(8, [string(text) for text in texts]),
        "tokenizer.ggml.scores": listed(6, [struct.pack("<f", 0.0)] * len(texts)),
        "tokenizer.ggml.token_type": listed(5, [struct.pack("<i", kind) for kind in types]),
        "tokenizer.ggml.bos_token_id": struct.pack("<II", 4, 1),
        "tokenizer.ggml.eos_token_id": struct.pack("<II", 4, 2),
        "tokenizer.ggml.add_space_prefix": struct.pack("<IB", 7, 0),
    }
    head = b"GGUF" + struct.pack("<IQQ", 3, 0, len(entries))
    path.write_bytes(head + b"".join(string(key) + value for key, value in entries.items()))
    return {text: len(texts) - len(control) + place for place, text in enumerate(control)}


class Follower:
    """llama.cpp in a child process."""

    def __init__(self, vocabulary: Path) -> None:
        script = Path(__file__).with_name("grammar_child.py")
        command = [sys.executable, str(script), str(vocabulary)]
        root = Path(__file__).parents[3]
        self._process = subprocess.Popen(
            command, cwd=root, env={"PYTHONPATH": str(root)}, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def __call__(self, grammar: CallGrammar, pieces: Sequence[Piece]) -> dict[str, Any]:
        fields = {
            key: sorted(value) if isinstance(value, frozenset) else value
            for key, value in dataclasses.asdict(grammar).items()
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"grammar": fields, "pieces": pieces}) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "llama.cpp ended the process"
        found: dict[str, Any] = json.loads(answer)
        return found

    def close(self) -> None:
        with self._process:
            assert self._process.stdin is not None
            self._process.stdin.close()
            self._process.wait(20)


Start = Callable[[Sequence[str]], tuple[Follower, dict[str, int]]]


@pytest.fixture
def follower(tmp_path: Path) -> Iterator[Start]:
    """Starts the child with a vocabulary that has these control tokens; gives their ids."""
    started: list[Follower] = []

    def start(control: Sequence[str]) -> tuple[Follower, dict[str, int]]:
        path = tmp_path / "vocabulary.gguf"
        ids = gguf(path, control)
        started.append(Follower(path))
        return started[-1], ids

    yield start
    for one in started:
        one.close()


TURNS = (
    [("get_weather", {"city": 'Par"is\n<b>', "days": 2})],
    [("get_weather", {"city": "Rome"}), ("ping", {})],
    [("make_note", {"text": "a {b} </c> é 漢", "tags": ["x"], "meta": {"depth": -1}, "urgent": True, "ratio": 0.5})],
)


@pytest.mark.model
def test_takes_what_every_family_writes(
    follower: Start,
    wires: ModuleType,
    template_source: Callable[[str], str],
) -> None:
    turns = {wire.name: [wire.compose(calls=calls) for calls in TURNS] for wire in wires.WIRES if wire.calls}
    control = {text for written in turns.values() for turn in written for text, is_control in turn if is_control}
    follow, ids = follower(sorted(control))
    left_free = set()
    for wire in (wire for wire in wires.WIRES if wire.calls):
        own = {text: ids[text] for turn in turns[wire.name] for text, is_control in turn if is_control}
        grammar = detect(template_source(wire.template)).call_grammar(wire.prompt, wires.TOOLS, own)
        if grammar is None:
            left_free.add(detect(template_source(wire.template)).name)
            continue
        for turn in turns[wire.name]:
            for call in opened(turn, grammar, own):
                answer = follow(grammar, call)
                rest = "".join(text for text, _ in call).encode()[answer["taken"] :].decode()
                where = (wire.name, rest)
                assert answer["loads"], where
                assert answer["complete"] or not rest, where
                assert not any(f'"{name}"' in rest for name in ("get_weather", "make_note", "ping")), where
    assert left_free <= LEFT_FREE, left_free - LEFT_FREE


def opened(turn: Sequence[Piece], grammar: CallGrammar, vocabulary: Mapping[str, int]) -> list[list[Piece]]:
    """What follows from each of the turn's outermost openers on."""
    texts = [text for text, token in vocabulary.items() if token in grammar.openers]
    texts += [text.replace("\0", "") for text in grammar.phrases]
    whole = "".join(text for text, _ in turn)
    opener = min((text for text in texts if text in whole), key=whole.find, default="")
    starts = [match.start() for match in re.finditer(re.escape(opener), whole)] if opener else []
    return [cut(turn, start, end) for start, end in zip(starts, [*starts[1:], len(whole)], strict=True)]


def cut(turn: Sequence[Piece], start: int, end: int) -> list[Piece]:
    pieces: list[Piece] = []
    done = 0
    for text, control in turn:
        kept = text[max(0, start - done) : max(0, end - done)]
        pieces += [(kept, control)] if kept else []
        done += len(text)
    return pieces


# -- schemas

SCALARS = (
    st.sampled_from([{"type": name} for name in ("string", "integer", "number", "boolean", "null")])
    | st.lists(st.text(max_size=6) | st.integers(-99, 99) | st.booleans() | st.none(), min_size=1, max_size=4).map(
        lambda values: {"enum": values}
    )
    | st.text(max_size=6).map(lambda value: {"const": value})
)
KEYS = st.text("abcxyz_é", min_size=1, max_size=4)


def _objects(members: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    def schema(properties: dict[str, Any], draw: int) -> dict[str, Any]:
        required = [name for place, name in enumerate(properties) if draw >> place & 1]
        return {"type": "object", "properties": properties, "required": required}

    return st.builds(schema, st.dictionaries(KEYS, members, max_size=4), st.integers(0, 15))


def _lists(items: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    def schema(item: Any, bounds: tuple[int, int]) -> dict[str, Any]:
        return {"type": "array", "items": item, "minItems": min(bounds), "maxItems": max(bounds)}

    return st.builds(schema, items, st.tuples(st.integers(0, 3), st.integers(0, 4)))


SCHEMAS = st.recursive(
    SCALARS,
    lambda inner: _objects(inner) | _lists(inner) | st.lists(inner, min_size=1, max_size=3).map(lambda v: {"anyOf": v}),
    max_leaves=8,
)


@st.composite
def instances(draw: st.DrawFn, schema: dict[str, Any]) -> Any:
    """A value that is valid, with its properties in the schema's order."""
    if "enum" in schema:
        return draw(st.sampled_from(schema["enum"]))
    if "const" in schema:
        return schema["const"]
    if "anyOf" in schema:
        return draw(instances(draw(st.sampled_from(schema["anyOf"]))))
    match schema["type"]:
        case "object":
            names = [n for n in schema["properties"] if n in schema["required"] or draw(st.booleans())]
            return {name: draw(instances(schema["properties"][name])) for name in names}
        case "array":
            count = draw(st.integers(schema["minItems"], schema["maxItems"]))
            return [draw(instances(schema["items"])) for _ in range(count)]
        case "string":
            return draw(st.text(st.characters(exclude_categories=["Cs"]), max_size=8))
        case "integer":
            return draw(st.integers(-(10**17), 10**17))
        case "number":
            return draw(st.floats(-1e9, 1e9, allow_nan=False) | st.integers(-99, 99))
        case "boolean":
            return draw(st.booleans())
    return None


def valid(value: Any, schema: dict[str, Any]) -> bool:
    if "enum" in schema:
        return any(value == choice and type(value) is type(choice) for choice in schema["enum"])
    if "const" in schema:
        return bool(value == schema["const"])
    if "anyOf" in schema:
        return any(valid(value, variant) for variant in schema["anyOf"])
    match schema["type"]:
        case "object":
            return (
                isinstance(value, dict)
                and set(schema["required"]) <= set(value) <= set(schema["properties"])
                and all(valid(item, schema["properties"][name]) for name, item in value.items())
            )
        case "array":
            fits = isinstance(value, list) and schema["minItems"] <= len(value) <= schema["maxItems"]
            return fits and all(valid(item, schema["items"]) for item in value)
        case "string":
            return isinstance(value, str)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "boolean":
            return isinstance(value, bool)
    return value is None


def kimi_call(arguments: str) -> list[Piece]:
    return [
        ("<|tool_calls_section_begin|>", True), ("<|tool_call_begin|>", True), ("functions.f:0", False),
        ("<|tool_call_argument_begin|>", True), (arguments, False), ("<|tool_call_end|>", True),
    ]  # fmt: skip


KIMI = [text for text, control in kimi_call("") if control] + ["<|tool_calls_section_end|>"]


def declared(schema: object) -> list[dict[str, object]]:
    return [{"type": "function", "function": {"name": "f", "parameters": schema}}]


@pytest.mark.model
@pytest.mark.parametrize("examples", [60, pytest.param(3000, marks=pytest.mark.nightly)])
def test_takes_valid_arguments_and_no_others(follower: Start, examples: int) -> None:
    follow, ids = follower(KIMI)

    @settings(max_examples=examples, deadline=None, database=None)
    @given(st.data())
    def check(data: st.DataObject) -> None:
        schema = data.draw(_objects(SCHEMAS))
        grammar = detect(KIMI[0]).call_grammar("", declared(schema), ids)
        assert grammar is not None
        value = data.draw(instances(schema))
        answer = follow(grammar, kimi_call(json.dumps(value, ensure_ascii=data.draw(st.booleans()))))
        assert answer == {"loads": True, "taken": answer["taken"], "complete": True}
        other = data.draw(
            st.just(value) | instances(data.draw(_objects(SCHEMAS))) | st.integers() | st.text(max_size=3)
        )
        answer = follow(grammar, kimi_call(json.dumps(other)))
        assert valid(other, schema) or not answer["complete"]

    check()


@pytest.mark.model
@pytest.mark.parametrize(
    ("template", "before", "after", "lines"),
    [
        ("Qwen3-Coder.jinja", "\n<function=f>\n<parameter=x>", "</parameter>\n</function>\n", True),
        ("ByteDance-Seed-OSS.jinja", "\n<function=f>\n<parameter=x>", "</parameter>\n</function>\n", False),
        ("MiniMax-M2.jinja", '\n<invoke name="f">\n<parameter name="x">', "</parameter>\n</invoke>\n", False),
    ],
)
def test_a_choice_has_lines_of_its_own_only_where_they_are_not_part_of_it(
    follower: Start, template_source: Callable[[str], str], template: str, before: str, after: str, lines: bool
) -> None:
    found = detect(template_source(template))
    (open_tag,), (close_tag,) = found.family.calls.openers[:1], found.family.calls.markers[-1:]  # type: ignore[union-attr]
    follow, ids = follower([open_tag, close_tag])
    schema = {"type": "object", "properties": {"x": {"enum": ["red", "blue"]}}, "required": ["x"]}
    grammar = found.call_grammar("", declared(schema), ids)
    assert grammar is not None
    for value, fits in (("red", True), ("\nred\n", lines), ("green", False)):
        answer = follow(grammar, [(open_tag, True), (before + value + after, False), (close_tag, True)])
        assert answer["complete"] == fits, value


@pytest.mark.model
@pytest.mark.parametrize(
    "schema",
    [
        {}, {"type": "object"}, {"properties": {"a": True}}, {"type": "object", "properties": {"a": {"type": "date"}}},
        {"type": "object", "properties": {"a": {"$ref": "#/$defs/x"}}, "$defs": {"x": {"$ref": "#/$defs/x"}}},
        {"$ref": "#/$defs/n", "$defs": {"n": {"type": "object", "properties": {"next": {"$ref": "#/$defs/n"}}}}},
        {"type": "object", "properties": {"a": {"anyOf": [{"$ref": "#"}, {"allOf": [{"$ref": "#"}, {}]}]}}},
        {"type": ["object", "null"], "additionalProperties": {"type": "integer"}}, {"type": 7, "properties": []},
        {"type": "object", "required": ["a"], "patternProperties": {"x": {}}}, {"not": {}}, {"enum": []}, 3, None,
        {"type": "object", "properties": {"a": {"type": "array", "minItems": 9000, "maxItems": 9001}}},
        {"type": "object", "properties": {"a": {"type": "array", "prefixItems": [{}]}, "b": {"items": {}}}},
        {"type": "object", "properties": {"\u0000\"\\]": {"enum": ["\n\x00", {"a": [1.5]}]}}},
    ],
)  # fmt: skip
def test_takes_any_schema(follower: Start, schema: object) -> None:
    """What is not understood means any value."""
    follow, ids = follower(KIMI)
    grammar = detect(KIMI[0]).call_grammar("", declared(schema), ids)
    assert grammar is not None
    assert follow(grammar, kimi_call(""))["loads"]


def test_a_schema_beyond_all_measure_is_not_used() -> None:
    properties = {f"p{number}": {"enum": [f"{number}-{choice}" for choice in range(400)]} for number in range(40)}
    assert detect(KIMI[0]).call_grammar("", declared({"type": "object", "properties": properties}), {}) is None


@pytest.mark.model
def test_a_marker_is_no_text_and_text_is_no_marker(follower: Start) -> None:
    follow, ids = follower([*KIMI, "<|im_end|>"])
    grammar = detect(KIMI[0]).call_grammar("", declared({"properties": {"a": {"type": "string"}}}), ids)
    assert grammar is not None
    for token in ("<|tool_call_end|>", "<|im_end|>"):
        start = [*kimi_call('{"a": "x')[:-1]]
        length = len("".join(text for text, _ in start))
        assert follow(grammar, [*start, (token, True), ('"}', False)])["taken"] == length
        spelt = follow(grammar, [*start, (token, False), ('"}', False)])
        assert spelt["taken"] == length + len(token) + 2
