import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import AppError, Cancelled
from app.domain.messages import ToolStatus
from app.domain.tools import Effect, ToolContext, ToolOutcome, ToolSpec
from app.tools.registry import ToolRegistry, parse_arguments
from app.tools.schema import problem

MakeContext = Callable[..., ToolContext]

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "text": {"type": "string"},
        "count": {"type": "integer", "minimum": 1, "maximum": 9},
        "mode": {"type": "string", "enum": ["fast", "slow"]},
        "tags": {"type": "array", "items": {"type": "string"}},
        "nested": {"type": "object", "properties": {"deep": {"type": ["number", "null"]}}, "required": ["deep"]},
    },
    "required": ["text"],
    "additionalProperties": False,
}


class Echo:
    def __init__(self, name: str = "echo", effect: Effect = Effect.NONE, action: Exception | None = None) -> None:
        self.spec = ToolSpec(name, "says it again", SCHEMA, effect)
        self.action = action

    def run(self, arguments: Mapping[str, object], context: ToolContext) -> ToolOutcome:
        if self.action:
            raise self.action
        return ToolOutcome(ToolStatus.OK, str(arguments["text"]))


@pytest.fixture
def registry() -> ToolRegistry:
    return ToolRegistry([Echo(), Echo("write", effect=Effect.WRITES)])


def test_specs_are_those_without_effect_or_those_named(registry: ToolRegistry) -> None:
    assert [spec.name for spec in registry.specs()] == ["echo"]
    assert [spec.name for spec in registry.specs(["write", "echo", "write"])] == ["write", "echo"]
    assert registry.specs([]) == ()
    with pytest.raises(AppError, match="no tool called nope") as caught:
        registry.specs(["nope"])
    assert caught.value.code == "tool-unknown"
    assert registry.get("nope") is None
    assert registry.specs(["write"])[0].effect.acts_outside
    assert registry.names() == ("echo", "write")


def test_a_call_runs_and_its_result_is_cut_to_the_room_there_is(
    registry: ToolRegistry, make_context: MakeContext
) -> None:
    assert registry.run("echo", '{"text": "hi"}', make_context()).text == "hi"
    long = registry.run("echo", json.dumps({"text": "x" * 500}), make_context(max_chars=100))
    assert len(long.text) == 100
    assert long.text.endswith("… (cut)")
    assert len(registry.run("echo", '{"text": "xxxxx"}', make_context(max_chars=3)).text) == 3


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ("{", "no valid JSON"),
        ("[" * 100_000, "nested too deeply"),
        ("[]", "the arguments must be an object"),
        ("null", "the arguments must be an object"),
        ("", "the arguments must have 'text'"),
        ("{}", "the arguments must have 'text'"),
        ('{"text": 1}', "'text' must be a string"),
        ('{"text": "", "more": 1}', "must not have 'more'"),
        ('{"text": "", "count": "1"}', "'count' must be an integer"),
        ('{"text": "", "count": true}', "'count' must be an integer"),
        ('{"text": "", "count": 1.5}', "'count' must be an integer"),
        ('{"text": "", "count": 0}', "'count' must be at least 1"),
        ('{"text": "", "count": 10}', "'count' must be at most 9"),
        ('{"text": "", "mode": "lazy"}', "'mode' must be one of fast, slow"),
        ('{"text": "", "tags": ["a", 1]}', "item 2 of 'tags' must be a string"),
        ('{"text": "", "nested": {}}', "'nested' must have 'deep'"),
        ('{"text": "", "nested": {"deep": "x"}}', "'deep' must be a number or null"),
    ],
)
def test_wrong_arguments_are_told_to_the_model(
    registry: ToolRegistry, make_context: MakeContext, arguments: str, error: str
) -> None:
    outcome = registry.run("echo", arguments, make_context())
    assert outcome.status is ToolStatus.FAILED
    assert outcome.text.startswith("Error: ")
    assert error in outcome.text


def test_right_arguments_pass(registry: ToolRegistry) -> None:
    arguments = {"text": "", "count": 2.0, "mode": "slow", "tags": [], "nested": {"deep": None, "more": 1}}
    assert parse_arguments(registry.specs(["echo"])[0], json.dumps(arguments)) == arguments


def test_an_unknown_tool_is_told_to_the_model(registry: ToolRegistry, make_context: MakeContext) -> None:
    outcome = registry.run("nope", "{}", make_context())
    assert outcome.status is ToolStatus.FAILED
    assert "echo, write" in outcome.text


def test_failures_of_a_tool_become_text_and_a_stop_goes_through(
    make_context: MakeContext, caplog: pytest.LogCaptureFixture
) -> None:
    known = ToolRegistry([Echo(action=AppError("gone", "{what} is gone.", what="It"))])
    assert known.run("echo", '{"text": ""}', make_context()).text == "Error: It is gone."
    assert not caplog.records
    bug = ToolRegistry([Echo(action=KeyError("secret"))])
    outcome = bug.run("echo", '{"text": ""}', make_context())
    assert outcome.status is ToolStatus.FAILED
    assert "secret" not in outcome.text
    assert caplog.records[0].levelno == logging.ERROR
    assert caplog.records[0].exc_info
    with pytest.raises(Cancelled):
        ToolRegistry([Echo(action=Cancelled())]).run("echo", '{"text": ""}', make_context())
    stopped = make_context()
    stopped.cancel.cancel()
    with pytest.raises(Cancelled):
        known.run("echo", '{"text": ""}', stopped)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(list(SCHEMA["properties"])), inner),
    max_leaves=6,
)


@given(json_values)
def test_any_value_is_judged_without_an_exception(value: object) -> None:
    wrong = problem(value, SCHEMA, "it")
    assert wrong is None or wrong
