"""What a turn evaluates again, and the reason that it gives."""

import pytest

from app.domain.commands import SubmitPrompt, TurnOptions
from app.domain.events import TurnFinished
from app.domain.messages import Change, GeneratedSpan, GenerationStats, Message, MessageStatus, Role
from app.responders.local.prompt import PromptOptions
from app.responders.local.reuse import PromptFacts, explained

THINKS = ["<think>", "One long thought about it.", "</think>", "Yes", "."]


def ask(chat, conversation, text: str, **wishes: object):
    chat.engine.script(THINKS)
    return chat.ask(conversation, text, **wishes).stats


def test_the_first_question_has_nothing_to_evaluate_again(plain) -> None:
    plain.engine.script(["a"])
    stats = plain.ask(plain.conversation(), "One").stats
    assert stats.evaluated_tokens == stats.prompt_tokens - stats.cached_tokens > 0
    assert (stats.again_tokens, stats.again_because) == (0, Change.NONE)


def test_the_last_token_of_an_answer_was_never_evaluated_so_it_is_new() -> None:
    past = Message(
        "a", "c", "q", Role.ASSISTANT, MessageStatus.STOPPED, (), 0.0, "m", None, GenerationStats(6, generated_tokens=4)
    )
    facts = PromptFacts(("m", 4096), PromptOptions("Be short."), 0, ("q", "a", "b"), 30, thinks=False)
    stats = explained(GenerationStats(prompt_tokens=20, cached_tokens=9), facts, None, [past])
    assert (stats.evaluated_tokens, stats.again_tokens, stats.again_because) == (11, 0, Change.NONE)


def test_of_an_answer_in_rounds_only_the_last_one_comes_behind_its_prompt() -> None:
    spans = tuple(GeneratedSpan(number, "", tuple(range(size)), "v") for number, size in enumerate((9, 4)))
    stats = GenerationStats(20, generated_tokens=13)
    past = Message("a", "c", "q", Role.ASSISTANT, MessageStatus.COMPLETE, (), 0.0, "m", None, stats, spans=spans)
    facts = PromptFacts(("m", 4096), PromptOptions("Be short."), 0, ("q", "a", "b"), 50, thinks=False)
    stats = explained(GenerationStats(prompt_tokens=40, cached_tokens=23), facts, None, [past])
    assert (stats.evaluated_tokens, stats.again_tokens, stats.again_because) == (17, 0, Change.NONE)


def test_going_on_evaluates_only_what_is_new(plain) -> None:
    conversation = plain.conversation()
    for text in ("One", "Two", "Three"):
        plain.engine.script(["It", " is."])
        stats = plain.ask(conversation, text).stats
    assert stats.again_tokens == 0
    assert stats.evaluated_tokens < stats.prompt_tokens / 2


def test_old_reasoning_that_the_template_leaves_out(kimi) -> None:
    conversation = kimi.conversation()
    ask(kimi, conversation, "One")
    stats = ask(kimi, conversation, "Two")
    assert stats.again_because is Change.REASONING
    assert 0 < stats.again_tokens < stats.evaluated_tokens


def test_rounds_of_one_turn_are_counted_together(kimi, call) -> None:
    kimi.engine.script(["<think>", "x", "</think>", *call(0, "calculator", '{"expression":"1+1"}')])
    kimi.engine.script(["<think>", "y", "</think>", "Two"])
    stats = kimi.ask(kimi.conversation(), "1+1?").stats
    assert stats.again_tokens == 0
    first, second = kimi.engine.requests
    assert stats.evaluated_tokens < len(first.prompt) + len(second.prompt)
    assert stats.evaluated_tokens >= len(second.prompt) - stats.generated_tokens


def test_a_changed_tool_list_and_changed_instructions(kimi) -> None:
    conversation = kimi.conversation()
    ask(kimi, conversation, "One")
    stats = ask(kimi, conversation, "Two", options=TurnOptions(tools=()))
    assert stats.again_because is Change.TOOLS
    kimi.system = "Be long."
    stats = ask(kimi, conversation, "Three", options=TurnOptions(tools=()))
    assert stats.again_because is Change.INSTRUCTIONS


def test_another_branch(plain) -> None:
    conversation = plain.conversation()
    plain.engine.script(["It", " is."])
    first = plain.ask(conversation, "A long first question about roses")
    plain.engine.script(["It", " is."])
    plain.ask(conversation, "Second")
    plain.engine.script(["It", " is."])
    edited = SubmitPrompt(conversation.id, "Another beginning about tulips", edits=first.parent_id)
    plain.service.submit(edited)
    plain.wait_for(TurnFinished)
    assert plain.store.message(edited.answer_id).stats.again_because is Change.BRANCH


def test_what_the_engine_forgot(plain) -> None:
    conversation, other = plain.conversation(), plain.conversation()
    plain.engine.script(["It", " is."])
    plain.ask(conversation, "A question")
    plain.engine.unload()
    plain.engine.script(["It", " is."])
    stats = plain.ask(conversation, "Another").stats
    assert stats.again_because is Change.FORGOTTEN
    assert stats.again_tokens > 0
    plain.engine.script(["It", " is."])
    assert plain.ask(other, "What has nothing to do with it").stats.again_tokens == 0


@pytest.mark.parametrize("cached", [False, True])
def test_after_a_restart_the_stored_answer_tells_how_long_the_prompt_was(kimi, cached: bool) -> None:
    conversation = kimi.conversation()
    ask(kimi, conversation, "One")
    kimi.restart()
    if not cached:
        kimi.engine.unload()
    stats = ask(kimi, conversation, "Two")
    assert stats.again_because is (Change.REASONING if cached else Change.FORGOTTEN)
    assert stats.again_tokens > 0
