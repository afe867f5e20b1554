"""Tools that come and go while an answer is written, and calls that cannot be run."""

from app.domain.commands import TurnOptions
from app.domain.events import ApprovalRequested
from app.domain.messages import ToolResultPart, ToolStatus
from app.domain.tools import ToolContext, ToolOutcome, ToolSpec
from app.tools.fixed import FixedToolset


class Ping:
    spec = ToolSpec("ping", "Ping the box", {"type": "object"})

    def __init__(self, then) -> None:
        self.then = then

    def run(self, arguments: object, context: ToolContext) -> ToolOutcome:
        self.then()
        return ToolOutcome(ToolStatus.OK, "pong")


def test_a_tool_that_goes_is_told_and_one_that_comes_is_for_the_next_answer(kimi, call) -> None:
    def change() -> None:
        kimi.tools.remove("box")
        kimi.tools.add(FixedToolset("crate", [Ping(lambda: None)]))

    kimi.tools.add(FixedToolset("box", [Ping(change)]))
    kimi.engine.script(["<think>", "</think>", *call(0, "box__ping", "{}")])
    kimi.engine.script(["<think>", "</think>", *call(1, "box__ping", '{"again":1}')])
    kimi.engine.script(["<think>", "</think>", "It is gone."])
    conversation = kimi.conversation()
    answer = kimi.ask(conversation, "ping it twice")
    results = [(part.status, part.result) for part in answer.parts if isinstance(part, ToolResultPart)]
    gone = "Error: the tool box__ping is no longer there; go on without it"
    assert results == [(ToolStatus.OK, "pong"), (ToolStatus.FAILED, gone)]
    assert gone in kimi.prompt()
    tools = kimi.prompt().partition("ping it twice")[0]
    assert "box__ping" in tools
    assert "crate__ping" not in tools
    kimi.engine.script(["<think>", "</think>", "hi"])
    kimi.ask(conversation, "hello")
    tools = kimi.prompt().partition("ping it twice")[0]
    assert "crate__ping" in tools
    assert "box__ping" not in tools


def test_nobody_is_asked_about_a_call_that_cannot_be_run(kimi, call) -> None:
    kimi.constrain_calls = False
    kimi.engine.script(["<think>", "</think>", *call(0, "stamp", '{"text":7}')])
    kimi.engine.script(["<think>", "</think>", "sorry"])
    answer = kimi.ask(kimi.conversation(), "stamp it", options=TurnOptions(tools=("stamp",)))
    results = [part.result for part in answer.parts if isinstance(part, ToolResultPart)]
    assert results == ["Error: 'text' must be a string"]
    assert not any(isinstance(event, ApprovalRequested) for event in kimi.events)
    assert kimi.stamp.runs == []
