"""The agent loop over a scripted responder: rounds, calls, ends. No engine, no template."""

import json
from pathlib import Path

import pytest

from app.agent.approval import Approvals
from app.agent.calls import ToolRunner
from app.agent.loop import MAX_ROUNDS, Turn, TurnRequest, TurnResources
from app.domain.cancel import CancelToken
from app.domain.clock import SystemClock
from app.domain.commands import TurnOptions
from app.domain.errors import AppError
from app.domain.events import Event, PrefillProgress, TokenRate, TurnFinished, TurnQueued
from app.domain.messages import (
    Message,
    MessageStatus,
    NotePart,
    ReasoningPart,
    Role,
    SourcesPart,
    StopReason,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    ToolStatus,
)
from app.domain.models import ModelAbilities
from app.domain.output import CallBroken, CallClosed, CallOpened, Content, Reasoning
from app.domain.sources import Locator, Passage
from app.responders.protocol import Abilities, Intake, Queued, Rate, Reading
from app.responders.scripted import Script
from app.storage.chats.conversations import ConversationStore
from app.tools.builtin.calculator import Calculator
from app.tools.fixed import FixedToolset
from app.tools.toolsets import Toolsets


class Shelf:
    """Documents that hold one passage."""

    def __init__(self) -> None:
        self.passages = [Passage("/docs/sun.md", Locator(), "Tomatoes need six hours of sun.")]

    def search(self, query: str, scope: object, k: int, cancel: object = None) -> list[Passage]:
        return self.passages[:k]

    def files(self, scope: object, cancel: object = None) -> list[str]:
        return []

    def read(self, *_args: object) -> None:
        raise AssertionError


class Stage:
    """One conversation with a question, and turns that answer it."""

    def __init__(self, home: Path) -> None:
        self.store = ConversationStore(home / "chats.db")
        self.events: list[Event] = []
        self.script = Script()
        self.cancel = CancelToken()
        self.shelf = Shelf()
        self.conversation = self.store.create()
        self.question = Message(
            "q", self.conversation.id, None, Role.USER, MessageStatus.COMPLETE, (TextPart("what is 2*3?"),), 0.0
        )
        self.store.add_message(self.question)

    def answer(self, *, documents: tuple[str, ...] = (), tools: bool = True) -> tuple[TurnFinished, Message]:
        message = Message("a", self.conversation.id, "q", Role.ASSISTANT, MessageStatus.STREAMING, (), 0.0)
        self.store.add_message(message)
        return self.run(message, documents=documents, tools=tools)

    def go_on(self) -> tuple[TurnFinished, Message]:
        self.store.reopen("a")
        return self.run(self.store.message("a"))

    def run(self, message: Message, *, documents: tuple[str, ...] = (), tools: bool = True):
        clock = SystemClock()
        offer = Toolsets([FixedToolset("own", [Calculator()])]).offer()
        request = TurnRequest(
            (self.question,), offer.specs if tools else (), documents, TurnOptions(seed=7), system="Be brief."
        )
        runner = ToolRunner(
            offer,
            Approvals(),
            self.events.append,
            clock,
            conversation_id=self.conversation.id,
            answer_id=message.id,
            allow=frozenset(),
        )
        resources = TurnResources(self.store, self.shelf, self.events.append, clock)
        turn = Turn(resources, request, message, self.script.responder, runner, self.cancel)
        finished = turn.run()
        turn.settle()
        return finished, self.store.message("a")


@pytest.fixture
def stage(tmp_path: Path):
    made = Stage(tmp_path)
    yield made
    made.store.close()


def calculation(expression: str, index: int = 0) -> list[CallOpened | CallClosed]:
    return [
        CallOpened(index, "calculator"),
        CallClosed(index, "calculator", json.dumps({"expression": expression})),
    ]


def test_a_call_is_run_and_the_model_goes_on_with_its_result(stage) -> None:
    stage.script.add(Reasoning("I compute."), *calculation("2*3"))
    stage.script.add(Content("It is "), Content("6."))
    finished, answer = stage.answer()
    assert (finished.status, finished.stop_reason) == (MessageStatus.COMPLETE, StopReason.STOP)
    assert [type(part) for part in answer.parts] == [ReasoningPart, ToolCallPart, ToolResultPart, TextPart]
    assert (answer.parts[2].result, answer.text(), answer.model) == ("6", "It is 6.", "scripted")
    assert [span.round for span in answer.spans] == [0, 1]
    assert finished.stats.generated_tokens == 5
    first, second = stage.script.asked
    assert (first.options.round, second.options.round) == (0, 1)
    assert first.options.turn.seed == 7
    assert "Be brief." in first.options.system
    assert second.messages[-1].parts == answer.parts[:3]
    assert [messages[-1].text() for messages in stage.script.settled] == ["It is 6."]


def test_what_is_going_on_is_told(stage) -> None:
    stage.script.add(Queued(2), Reading(5, 10, 3), Content("Hi"), Rate(12.5, 30, 4096))
    stage.answer()
    told = [event for event in stage.events if isinstance(event, TurnQueued | PrefillProgress | TokenRate)]
    assert [
        (told[0].ahead),
        (told[1].done, told[1].total, told[1].cached),
        (told[2].tokens_per_second, told[2].context_used, told[2].context_size),
    ] == [2, (5, 10, 3), (12.5, 30, 4096)]


def test_a_responder_without_tools_is_offered_none_and_its_remark_is_told(stage) -> None:
    stage.script.abilities = Abilities("old", 2048, remark=NotePart("unknown-template", "It is not known."))
    stage.script.add(Content("6"))
    _, answer = stage.answer()
    assert stage.script.asked[0].tools == ()
    assert [part.code for part in answer.parts if isinstance(part, NotePart)] == ["unknown-template"]


def test_passages_stand_beside_the_question_as_the_model_takes_them(stage) -> None:
    stage.script.abilities = Abilities("small", 2048, intake=Intake(sources=1, source_chars=40))
    stage.script.add(Content("Six hours [1]."))
    _, answer = stage.answer(documents=("/docs",))
    assert isinstance(answer.parts[0], SourcesPart)
    assert stage.script.asked[0].options.examples
    assert "sources" in stage.script.asked[0].options.system


@pytest.mark.parametrize(
    ("end", "status", "reason"),
    [
        (AppError("engine-died", "It died."), MessageStatus.INTERRUPTED, None),
        (AppError("too-bad", "Too bad."), MessageStatus.FAILED, None),
    ],
)
def test_an_error_keeps_what_was_written(stage, end, status, reason) -> None:
    stage.script.add(Content("Half a "), Content("sentence"), end)
    finished, answer = stage.answer()
    assert (finished.status, finished.stop_reason, finished.error) == (status, reason, end.info)
    assert (answer.text(), answer.spans[0].raw) == ("Half a sentence", "Half a sentence")
    assert stage.script.settled == []


@pytest.mark.expect_log("A turn failed")
def test_a_bug_seals_the_answer(stage) -> None:
    stage.script.add(Content("Half"), ZeroDivisionError())
    finished, answer = stage.answer()
    assert (finished.error.code, answer.status, answer.text()) == ("turn-bug", MessageStatus.FAILED, "Half")


def test_stop_ends_a_round_and_a_broken_off_answer_is_taken_up_in_its_round(stage) -> None:
    stage.script.add(Reasoning("Hm. "), Content("Once "), stage.cancel.cancel, Content("upon"))
    finished, answer = stage.answer()
    assert (finished.status, finished.stop_reason, answer.text()) == (
        MessageStatus.STOPPED,
        StopReason.CANCELLED,
        "Once ",
    )
    stage.cancel = CancelToken()
    stage.script.add(Reasoning("Hm. "), Content("Once "), Content("upon"))
    finished, answer = stage.go_on()
    assert [type(part) for part in answer.parts] == [ReasoningPart, TextPart]
    assert (answer.text(), len(answer.spans), stage.script.asked[-1].options.round) == ("Once upon", 1, 0)


def test_an_answer_cut_between_rounds_goes_on_with_its_calls(stage) -> None:
    def broken() -> None:
        raise AppError("engine-died", "It died.")

    stage.script.add(*calculation("2*3"))
    stage.script.add(broken)
    _, answer = stage.answer()
    assert answer.status is MessageStatus.INTERRUPTED
    stage.script.add(Content("6"))
    _, answer = stage.go_on()
    assert [part.result for part in answer.parts if isinstance(part, ToolResultPart)] == ["6"]
    assert answer.text() == "6"


def test_a_call_that_was_cut_off_is_not_run(stage) -> None:
    stage.script.add(
        CallOpened(0, "calculator"),
        CallBroken(0, "calculator", "incomplete", '{"expr'),
        stop_reason=StopReason.LENGTH,
    )
    finished, answer = stage.answer()
    assert finished.stop_reason is StopReason.LENGTH
    assert [part.status for part in answer.parts if isinstance(part, ToolResultPart)] == [ToolStatus.INCOMPLETE]


def test_results_share_the_room_that_the_round_left(stage) -> None:
    stage.script.abilities = Abilities("small", 2048, ModelAbilities(takes_tools=True), intake=Intake(result_chars=12))
    many = "+".join(["1000000007"] * 3)
    stage.script.add(*calculation(f"10**30+{many}"), *calculation(f"10**40+{many}", 1), room=24)
    stage.script.add(Content("Large."))
    _, answer = stage.answer()
    results = [part.result for part in answer.parts if isinstance(part, ToolResultPart)]
    assert [len(result) for result in results] == [12, 12]


def test_calls_without_end_are_ended(stage) -> None:
    for number in range(MAX_ROUNDS):
        stage.script.add(*calculation(f"{number}+1"))
    finished, answer = stage.answer()
    assert finished.stop_reason is StopReason.TOOL_LIMIT
    assert answer.parts[-1].status is ToolStatus.CANCELLED
    assert len(stage.script.asked) == MAX_ROUNDS
