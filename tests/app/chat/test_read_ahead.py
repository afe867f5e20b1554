"""What is read ahead is what the next prompt begins with."""

from pathlib import Path

import pytest

from app.domain.cancel import CancelToken
from app.domain.commands import TurnOptions
from app.domain.errors import AppError
from app.domain.events import TurnFinished
from app.domain.messages import (
    GeneratedSpan,
    Message,
    MessageStatus,
    ReasoningPart,
    Role,
    StopReason,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    ToolStatus,
)
from app.domain.models import LoadRequest, PromptText, Sampling
from app.engine.local.worker import EngineWorker
from app.engine.protocol import Finished, GenerationRequest
from app.models.library.lookup import named
from app.models.library.shipped import shipped_models
from app.responders.local.prompt import PromptBuilder, PromptOptions
from app.responders.local.read_ahead import sure_beginning
from app.responders.local.style import ModelStyle
from app.tools.builtin.calculator import Calculator


def test_the_next_prompt_begins_with_it(kimi, call) -> None:
    kimi.engine.script(["<think>", "I will ", "compute.", "</think>", *call(0, "calculator", '{"expression":"17*23"}')])
    kimi.engine.script(["<think>", "Done.", "</think>", "17*23 = ", "391"])
    conversation = kimi.conversation()
    kimi.ask(conversation, "what is 17*23?")
    kimi.restart()  # what comes after an answer has come
    ((beginning, whose),) = kimi.engine.was_read_ahead
    assert whose == conversation.id
    text = kimi.engine.detokenize(beginning)
    assert "17*23 = 391<|im_end|>" in text
    assert "I will compute" not in text
    for number, question in enumerate(("And now?", "1+1", "[1]")):
        kimi.engine.script(["<think>", "Hm.", "</think>", "Yes."])
        kimi.ask(conversation, question)
        kimi.restart()
        prompt = kimi.engine.requests[-1].prompt
        beginning = kimi.engine.was_read_ahead[number][0]
        assert prompt[: len(beginning)] == beginning
        assert kimi.engine.detokenize(prompt[len(beginning) :]).startswith(question)


def test_with_sources_and_without_thinking(plain, kimi) -> None:
    plain.shelf.put("/roses.txt", "Roses are pruned in March.")
    plain.engine.script(["In March [1]."])
    conversation = plain.conversation("/roses.txt")
    plain.ask(conversation, "When are roses pruned?")
    plain.engine.script(["Yes."])
    plain.ask(conversation, "In March roses?")
    plain.restart()
    beginning = plain.engine.was_read_ahead[0][0]
    assert plain.engine.requests[1].prompt[: len(beginning)] == beginning
    assert "Roses are pruned in March." in plain.engine.detokenize(beginning)
    for _ in range(2):
        kimi.engine.script(["Yes."])
    conversation = kimi.conversation()
    kimi.ask(conversation, "Are you there?", options=TurnOptions(think=False, tools=()))
    kimi.ask(conversation, "Still?", options=TurnOptions(think=False, tools=()))
    kimi.restart()
    beginning = kimi.engine.was_read_ahead[0][0]
    assert kimi.engine.requests[1].prompt[: len(beginning)] == beginning


def test_an_answer_that_may_go_on_stays_as_it_is(plain) -> None:
    plain.engine.script(["One ", "two ", "three"], stop_reason=StopReason.LENGTH)
    answer = plain.ask(plain.conversation(), "Count")
    assert answer.status is MessageStatus.COMPLETE
    plain.engine.script(["One "], error=AppError("too-bad", "Too bad."))
    plain.ask(plain.conversation(), "Count")
    plain.restart()
    assert plain.engine.was_read_ahead == []


def test_an_engine_that_is_gone_spoils_nothing(plain, monkeypatch) -> None:
    def closed(prompt: object, conversation: object) -> None:
        raise AppError("engine-closed", "The engine is closed.")

    monkeypatch.setattr(plain.engine, "read_ahead", closed)
    plain.engine.script(["One."])
    assert plain.ask(plain.conversation(), "Count").status is MessageStatus.COMPLETE
    plain.restart()
    assert [event.error for event in plain.events if isinstance(event, TurnFinished)] == [None]


ROUNDS = 10


@pytest.mark.model
def test_after_ten_tool_rounds_the_next_question_waits_for_nothing(tmp_path: Path) -> None:
    """With alcove-tiny's template, which drops old reasoning: the question alone is read, instead of the whole turn."""
    read_later, whole = _next_turn(tmp_path, ahead=False)
    read_ahead, same = _next_turn(tmp_path, ahead=True)
    assert same == whole
    assert read_later > 300
    assert read_ahead < 32


def _next_turn(folder: Path, *, ahead: bool) -> tuple[int, int]:
    """Tokens that the next turn evaluates before its first, and all of its prompt."""
    engine = EngineWorker(lambda event: None)
    try:
        model = engine.load(LoadRequest(named(shipped_models(), "alcove-tiny").path, threads=1, threads_batch=1))
        style = ModelStyle.of(model)
        builder = PromptBuilder(engine, model, style.template, style.chat_format)
        options = PromptOptions("Be brief.", tools=(Calculator().spec.definition(),), think=True)
        question = _message("q", None, Role.USER, (TextPart("what is 17*23?"),))
        answer = _rounds(engine, model.vocabulary)
        _ask(engine, builder.build((question, answer), options).ids)
        history = (question, _finished(engine, answer, model.vocabulary))
        if ahead:
            beginning = sure_beginning(builder, history, options)
            _ask(engine, beginning)  # what the engine does in idle time, waited for
        again = _message("q2", "a", Role.USER, (TextPart("and what is 3*4?"),))
        prompt = builder.build((*history, again, _message("b", "q2", Role.ASSISTANT, ())), options).ids
        return _ask(engine, prompt), len(prompt)
    finally:
        engine.close()


def _message(name: str, parent: str | None, role: Role, parts: tuple[object, ...], spans: object = ()) -> Message:
    return Message(name, "chat", parent, role, MessageStatus.COMPLETE, parts, 0.0, spans=spans)  # type: ignore[arg-type]


def _rounds(engine: EngineWorker, vocabulary: str) -> Message:
    parts: list[object] = []
    spans = []
    for number in range(ROUNDS):
        thought, arguments = f"I multiply the numbers of step {number} again.", f'{{"expression":"17*{number}"}}'
        parts += [
            ReasoningPart(thought, 0.0, 5),
            ToolCallPart(f"functions.calculator:{number}", "calculator", arguments),
            ToolResultPart(f"functions.calculator:{number}", "calculator", ToolStatus.OK, str(17 * number)),
        ]
        raw = (
            f"<think>{thought}</think><|tool_calls_section_begin|><|tool_call_begin|>functions.calculator:{number}"
            f"<|tool_call_argument_begin|>{arguments}<|tool_call_end|><|tool_calls_section_end|>"
        )
        spans.append(GeneratedSpan(number, raw, engine.tokenize([PromptText(raw)])[0], vocabulary))
    return _message("a", "q", Role.ASSISTANT, tuple(parts), tuple(spans))


def _finished(engine: EngineWorker, answer: Message, vocabulary: str) -> Message:
    raw = "<think>Now I know.</think>17*23 = 391"
    span = GeneratedSpan(ROUNDS, raw, engine.tokenize([PromptText(raw)])[0], vocabulary)
    parts = (*answer.parts, ReasoningPart("Now I know.", 0.0, 3), TextPart("17*23 = 391"))
    return _message("a", "q", Role.ASSISTANT, parts, (*answer.spans, span))


def _ask(engine: EngineWorker, prompt: tuple[int, ...]) -> int:
    """Tokens of the prompt that were evaluated."""
    request = GenerationRequest(prompt, Sampling(temperature=0), max_tokens=1, conversation="chat")
    (finished,) = [e for e in engine.generate(request, CancelToken()) if isinstance(e, Finished)]
    return finished.stats.prompt_tokens - finished.stats.cached_tokens
