"""Turns through the chat service: real store, scripted engine."""

import pytest

from app.domain.commands import CancelTurn, DecideApproval, SubmitPrompt, TurnOptions
from app.domain.errors import AppError
from app.domain.events import ApprovalRequested, PartDelta, PartFinished, PartStarted, TurnFinished, TurnStarted
from app.domain.messages import (
    CitationPart,
    MessageStatus,
    NotePart,
    ReasoningPart,
    SourcesPart,
    StopReason,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    ToolStatus,
)
from app.domain.sources import Locator, Passage
from app.tools.fixed import FixedToolset


def kinds(message) -> list[str]:
    return [type(part).__name__ for part in message.parts]


def test_an_answer_streams_and_is_stored(plain) -> None:
    plain.engine.script(["Hel", "lo", " there", "."])
    conversation = plain.conversation()
    answer = plain.ask(conversation, "Say hello")
    assert answer.status is MessageStatus.COMPLETE
    assert answer.stop_reason is StopReason.STOP
    assert answer.parts == (TextPart("Hello there."),)
    assert answer.stats.generated_tokens == 4
    assert [span.raw for span in answer.spans] == ["Hello there."]
    history = plain.store.history(plain.store.conversation(conversation.id).active_leaf)
    assert [message.text() for message in history] == ["Say hello", "Hello there."]


def test_watchers_see_the_parts_grow(plain) -> None:
    plain.engine.script(["One ", "two"], auto=False)
    conversation = plain.conversation()
    plain.start(conversation, "Count")
    plain.wait_for(TurnStarted)
    plain.engine.release(1)
    started = plain.wait_for(PartStarted)
    assert started.part == TextPart("")
    plain.engine.release(1)
    plain.wait_for(TurnFinished)
    text = "".join(event.text for event in plain.events if isinstance(event, PartDelta))
    assert text == "One two"
    assert [event.part for event in plain.events if isinstance(event, PartFinished)] == [TextPart("One two")]


def test_the_title_comes_from_the_first_question_and_a_persons_title_stays(plain) -> None:
    plain.engine.script(["a"])
    plain.engine.script(["b"])
    conversation = plain.conversation()
    plain.ask(conversation, "How do I prune roses? They are old.\nAnd when?")
    assert plain.store.conversation(conversation.id).title == "How do I prune roses?"
    plain.store.rename(conversation.id, "Roses")
    plain.ask(conversation, "Another")
    assert plain.store.conversation(conversation.id).title == "Roses"


def test_reasoning_and_a_tool_call_in_kimis_wire_format(kimi, call) -> None:
    kimi.engine.script(["<think>", "I will ", "compute.", "</think>", *call(0, "calculator", '{"expression":"17*23"}')])
    kimi.engine.script(["<think>", "Done.", "</think>", "17*23 = ", "391"])
    answer = kimi.ask(kimi.conversation(), "what is 17*23?")
    assert kinds(answer) == ["ReasoningPart", "ToolCallPart", "ToolResultPart", "ReasoningPart", "TextPart"]
    assert answer.parts[1].arguments == '{"expression":"17*23"}'
    assert answer.parts[2].status is ToolStatus.OK
    assert answer.parts[2].result == "391"
    assert answer.text() == "17*23 = 391"
    assert answer.parts[0] == ReasoningPart("I will compute.", 0.0, 2)
    second = kimi.prompt()
    assert "<think>I will compute.</think>" in second
    assert "## Return of functions.calculator:0\n391<|im_end|>" in second
    assert len(answer.spans) == 2


def test_the_models_own_words_go_back_in_as_its_own_ids(kimi, call) -> None:
    kimi.engine.script(["<think>", "Let me.", "</think>", *call(0, "calculator", '{"expression":"1+1"}')])
    kimi.engine.script(["<think>", "x", "</think>", "It is ", "two"])
    kimi.engine.script(["<think>", "y", "</think>", "Bye"])
    conversation = kimi.conversation()
    first = kimi.ask(conversation, "1+1?")
    generated = first.spans[0].token_ids
    prompt = kimi.engine.requests[1].prompt
    assert any(prompt[i : i + len(generated)] == generated for i in range(len(prompt)))
    # The running tool loop only adds to the prompt, so that nothing is evaluated twice.
    assert prompt[: len(kimi.engine.requests[0].prompt)] == kimi.engine.requests[0].prompt
    kimi.ask(conversation, "Thanks")
    assert "<think></think>It is two<|im_end|>" in kimi.prompt()
    tail = first.spans[1].token_ids[3:]
    prompt = kimi.engine.requests[2].prompt
    assert any(prompt[i : i + len(tail)] == tail for i in range(len(prompt)))


def test_stop_keeps_what_was_written(plain) -> None:
    plain.engine.script(["Once ", "upon ", "a time"], auto=False)
    conversation = plain.conversation()
    command = plain.start(conversation, "Tell me a story")
    plain.engine.release(2)
    assert plain.engine.wait_until_waiting()
    plain.service.cancel(CancelTurn(conversation.id))
    finished = plain.wait_for(TurnFinished)
    assert finished.stop_reason is StopReason.CANCELLED
    answer = plain.store.message(command.answer_id)
    assert answer.status is MessageStatus.STOPPED
    assert answer.text() == "Once upon "


def test_a_stopped_answer_is_continued_inside_its_round(kimi) -> None:
    kimi.engine.script(["<think>", "Hm.", "</think>", "Once ", "upon", " a time"], auto=False)
    conversation = kimi.conversation()
    command = kimi.start(conversation, "Tell me a story")
    kimi.engine.release(5)
    assert kimi.engine.wait_until_waiting()
    kimi.service.cancel(CancelTurn(conversation.id))
    kimi.wait_for(TurnFinished)
    stopped = kimi.store.message(command.answer_id)
    assert stopped.text() == "Once upon"
    kimi.engine.script([" a hill", "."], auto=True)
    answer = kimi.go_on(stopped)
    assert kimi.prompt().endswith("<|im_assistant|>assistant<|im_middle|><think>Hm.</think>Once upon")
    assert answer.status is MessageStatus.COMPLETE
    assert answer.text() == "Once upon a hill."
    assert kinds(answer) == ["ReasoningPart", "TextPart"]
    assert [span.raw for span in answer.spans] == ["<think>Hm.</think>Once upon a hill."]
    assert [request.grammar.begun for request in kimi.engine.requests] == [0, 5]


def test_the_engine_is_told_what_a_call_looks_like_unless_a_person_does_not_want_it(kimi) -> None:
    kimi.engine.script(["Hello"])
    kimi.ask(kimi.conversation(), "Hi")
    grammar = kimi.engine.requests[0].grammar
    assert kimi.engine.model.control_tokens["<|tool_calls_section_begin|>"] in grammar.openers
    assert "calculator" in grammar.text
    kimi.constrain_calls = False
    kimi.engine.script(["Hello"])
    kimi.ask(kimi.conversation(), "Hi")
    assert kimi.engine.requests[1].grammar is None


def test_a_turn_that_was_cut_between_rounds_goes_on_with_the_result(kimi, call) -> None:
    kimi.engine.script(["<think>", "a", "</think>", *call(0, "calculator", '{"expression":"2*3"}')])
    kimi.engine.script(["<think>"], dies=True)
    conversation = kimi.conversation()
    answer = kimi.ask(conversation, "2*3?")
    assert answer.status is MessageStatus.INTERRUPTED
    kimi.engine.script(["ok", "</think>", "6"])
    answer = kimi.go_on(answer)
    assert answer.text() == "6"
    assert [part.result for part in answer.parts if isinstance(part, ToolResultPart)] == ["6"]


def test_regenerate_adds_a_sibling(plain) -> None:
    plain.engine.script(["first"])
    plain.engine.script(["second"])
    conversation = plain.conversation()
    answer = plain.ask(conversation, "Say something")
    again = plain.regenerate(answer)
    assert [message.text() for message in plain.store.siblings(answer.id)] == ["first", "second"]
    assert plain.store.conversation(conversation.id).active_leaf == again.id
    assert "first" not in plain.prompt()


def test_an_edited_question_is_a_sibling_of_the_old_one(plain) -> None:
    for word in ("a", "b", "c"):
        plain.engine.script([word])
    conversation = plain.conversation()
    plain.ask(conversation, "one")
    second = plain.start(conversation, "two")
    plain.wait_for(TurnFinished)
    plain.ask(conversation, "zwei", edits=second.user_message_id)
    assert [m.text() for m in plain.store.siblings(second.user_message_id)] == ["two", "zwei"]
    assert "two" not in plain.prompt()
    assert "one" in plain.prompt()


def test_sources_are_put_beside_the_question_and_cited(plain) -> None:
    plain.shelf.put("/docs/garden.md", "Tomatoes need six hours of sun.")
    plain.shelf.put("/docs/house.md", "The boiler is serviced in May.")
    plain.engine.script(["They need six hours [1]. ", "See [7] and `x[2]`."])
    answer = plain.ask(plain.conversation("/docs"), "How much sun?")
    assert kinds(answer) == ["SourcesPart", "TextPart", "CitationPart"]
    assert answer.parts[2] == CitationPart(1, "/docs/garden.md", Locator(page=1), "Tomatoes need six hours of sun.")
    assert "[1] garden.md: Tomatoes need six hours of sun." in plain.prompt()
    assert "Question: How much sun?" in plain.prompt()


def test_source_numbers_run_on_through_a_turn(kimi, call) -> None:
    found = [Passage(f"/d/{n}.md", Locator(), f"text {n}", 1.0) for n in range(3)]

    class Lookup:
        from app.domain.tools import ToolSpec

        spec = ToolSpec("search", "Search", {"type": "object", "properties": {"query": {"type": "string"}}})

        def run(self, arguments, context):
            from app.domain.sources import Source
            from app.domain.tools import ToolOutcome

            passage = found.pop(0)
            return ToolOutcome(ToolStatus.OK, "ok", (Source(context.next_source, passage.path, passage.locator, "t"),))

    kimi.tools.add(FixedToolset("shelf", [Lookup()]))
    kimi.engine.script(["<think>", "</think>", *call(0, "shelf__search", '{"query":"a"}')])
    kimi.engine.script(["<think>", "</think>", *call(1, "shelf__search", '{"query":"b"}')])
    kimi.engine.script(["<think>", "</think>", "As [2] says"])
    answer = kimi.ask(kimi.conversation("/d"), "search the documents for a and b")
    assert [s.n for part in answer.parts if isinstance(part, SourcesPart) for s in part.sources] == [1, 2]
    assert [part.n for part in answer.parts if isinstance(part, CitationPart)] == [2]


def test_an_effect_waits_for_the_person(kimi, call) -> None:
    kimi.engine.script(["<think>", "</think>", *call(0, "stamp", '{"text":"a"}')])
    kimi.engine.script(["<think>", "</think>", "done"])
    conversation = kimi.conversation()
    command = kimi.start(conversation, "stamp it", options=TurnOptions(tools=("stamp",)))
    asked = kimi.wait_for(ApprovalRequested)
    assert kimi.stamp.runs == []
    kimi.service.decide(DecideApproval(conversation.id, asked.call_id, allowed=True, always=True))
    kimi.wait_for(TurnFinished)
    assert kimi.stamp.runs == ["a"]
    assert kimi.store.message(command.answer_id).status is MessageStatus.COMPLETE
    kimi.engine.script(["<think>", "</think>", *call(1, "stamp", '{"text":"b"}')])
    kimi.engine.script(["<think>", "</think>", "done"])
    kimi.ask(conversation, "again", options=TurnOptions(tools=("stamp",)))
    assert kimi.stamp.runs == ["a", "b"]


def test_a_denied_call_is_told_to_the_model(kimi, call) -> None:
    kimi.engine.script(["<think>", "</think>", *call(0, "stamp", '{"text":"a"}')])
    kimi.engine.script(["<think>", "</think>", "As you wish"])
    conversation = kimi.conversation()
    kimi.start(conversation, "stamp it", options=TurnOptions(tools=("stamp",)))
    asked = kimi.wait_for(ApprovalRequested)
    kimi.service.decide(DecideApproval(conversation.id, asked.call_id, allowed=False, reason="not now"))
    kimi.wait_for(TurnFinished)
    assert kimi.stamp.runs == []
    assert "Reason: not now" in kimi.prompt()


def test_an_effect_is_not_offered_unless_it_is_named(kimi) -> None:
    kimi.engine.script(["<think>", "</think>", "hi"])
    kimi.ask(kimi.conversation(), "hello")
    assert "calculator" in kimi.prompt()
    assert "stamp" not in kimi.prompt()


@pytest.mark.parametrize(
    ("name", "arguments", "word"),
    [
        ("calculator", '{"expression":', "not valid JSON"),
        ("calculator", "{}", "expression"),
        ("unknown", '{"a":1}', "no tool"),
    ],
)
def test_a_wrong_call_is_told_to_the_model(kimi, call, name, arguments, word) -> None:
    kimi.engine.script(["<think>", "</think>", *call(0, name, arguments)])
    kimi.engine.script(["<think>", "</think>", "sorry"])
    kimi.engine.script(["<think>", "</think>", "sorry"])
    answer = kimi.ask(kimi.conversation(), "go")
    results = [part for part in answer.parts if isinstance(part, ToolResultPart)]
    if arguments.endswith(":"):
        assert results == [] or results[0].status is ToolStatus.INCOMPLETE
    else:
        assert results[0].status is ToolStatus.FAILED
        assert word in results[0].result


def test_an_identical_call_is_not_run_again(kimi, call) -> None:
    kimi.engine.script(["<think>", "</think>", *call(0, "calculator", '{"expression":"2+2"}')])
    kimi.engine.script(["<think>", "</think>", *call(1, "calculator", '{"expression":"2+2"}')])
    kimi.engine.script(["<think>", "</think>", "4"])
    answer = kimi.ask(kimi.conversation(), "2+2 twice")
    assert [part.result for part in answer.parts if isinstance(part, ToolResultPart)] == ["4", "4"]


def test_a_call_cut_off_by_the_limit_is_never_run(kimi) -> None:
    pieces = ["<think>", "</think>", "<|tool_calls_section_begin|>", "<|tool_call_begin|>", "functions.calculator:0"]
    kimi.engine.script([*pieces, "<|tool_call_argument_begin|>", '{"expr'], stop_reason=StopReason.LENGTH)
    answer = kimi.ask(kimi.conversation(), "compute")
    assert answer.stop_reason is StopReason.LENGTH
    results = [part for part in answer.parts if isinstance(part, ToolResultPart)]
    assert [part.status for part in results] == [ToolStatus.INCOMPLETE]
    kimi.engine.script(['ession":"3*3"}', "<|tool_call_end|>", "<|tool_calls_section_end|>"])
    kimi.engine.script(["<think>", "</think>", "9"])
    answer = kimi.go_on(answer)
    assert [part.arguments for part in answer.parts if isinstance(part, ToolCallPart)] == ['{"expression":"3*3"}']
    assert answer.text() == "9"


def test_the_engines_death_keeps_the_partial_answer_and_the_next_question_works(plain) -> None:
    plain.engine.script(["half an ", "answer"], dies=True)
    conversation = plain.conversation()
    answer = plain.ask(conversation, "go")
    assert answer.status is MessageStatus.INTERRUPTED
    assert answer.text() == "half an answer"
    plain.engine.script(["fine"])
    assert plain.ask(conversation, "again").text() == "fine"


def test_a_model_that_does_not_load_is_one_sentence(plain) -> None:
    plain.engine.fail_next_load(AppError("bad-model", "This is no model.", "Choose another."))
    answer = plain.ask(plain.conversation(), "go")
    assert answer.status is MessageStatus.FAILED
    assert answer.error == "This is no model. Choose another."


def test_a_question_longer_than_the_context_is_one_sentence(plain) -> None:
    answer = plain.ask(plain.conversation(), "word " * 2000)
    assert answer.status is MessageStatus.FAILED
    assert "context holds 4000" in answer.error


def test_old_turns_are_left_out_when_the_context_is_full(plain) -> None:
    conversation = plain.conversation()
    for n in range(12):
        plain.engine.script([f"answer {n}"])
        answer = plain.ask(conversation, f"question {n} " + "x" * 400)
        assert answer.status is MessageStatus.COMPLETE
    assert "question 11" in plain.prompt()
    assert "question 0 " not in plain.prompt()
    assert "Be brief." in plain.prompt()


def test_marker_text_from_a_stranger_stays_text(plain) -> None:
    plain.engine.script(["ok"])
    plain.ask(plain.conversation(), "What does <|im_end|> mean?")
    control = plain.engine.model.control_tokens["<|im_end|>"]
    prompt = plain.engine.requests[-1].prompt
    assert "<|im_end|> mean?" in plain.prompt()
    assert prompt.count(control) == 2  # the template's own, after the system prompt and after the question


def test_one_turn_a_conversation(plain) -> None:
    plain.engine.script(["a"], auto=False)
    conversation = plain.conversation()
    plain.start(conversation, "one")
    with pytest.raises(AppError, match="still being answered"):
        plain.service.submit(SubmitPrompt(conversation.id, "two"))
    plain.engine.release(1)
    plain.wait_for(TurnFinished)


def test_closing_stores_the_running_answer(plain) -> None:
    plain.engine.script(["par", "tial", "!"], auto=False)
    conversation = plain.conversation()
    command = plain.start(conversation, "go")
    plain.engine.release(2)
    assert plain.engine.wait_until_waiting()
    plain.service.close()
    answer = plain.store.message(command.answer_id)
    assert (answer.text(), answer.status) == ("partial", MessageStatus.STOPPED)


def test_continuing_where_nothing_fits_any_more_keeps_the_answer(plain) -> None:
    plain.engine.script(["x "] * 1500, stop_reason=StopReason.CONTEXT_FULL)
    answer = plain.ask(plain.conversation(), "word " * 560)
    assert answer.stop_reason is StopReason.CONTEXT_FULL
    again = plain.go_on(answer)
    assert again.stop_reason is StopReason.CONTEXT_FULL
    assert again.text() == answer.text() != ""


def test_an_answer_is_not_continued_by_another_model(plain) -> None:
    plain.engine.script(["half"], dies=True)
    answer = plain.ask(plain.conversation(), "go")
    plain.engine.vocabulary = "another"
    again = plain.go_on(answer)
    assert again.status is MessageStatus.FAILED
    assert "begun by another model (kimi)" in again.error
    assert again.text() == "half"


def test_a_broken_call_does_not_cut_its_round_in_two(kimi) -> None:
    malformed = [
        "<|tool_call_begin|>",
        "functions.calculator:0",
        "<|tool_call_argument_begin|>",
        "{]",
        "<|tool_call_end|>",
    ]
    good = ["<|tool_call_begin|>", "functions.calculator:1", "<|tool_call_argument_begin|>", '{"expression":"3*3"}']
    kimi.engine.script(
        [
            "<think>",
            "</think>",
            "<|tool_calls_section_begin|>",
            *malformed,
            *good,
            "<|tool_call_end|>",
            "<|tool_calls_section_end|>",
        ]
    )
    kimi.engine.script(["<think>", "</think>", "ni", "ne"], dies=True)
    answer = kimi.ask(kimi.conversation(), "3*3")
    assert answer.status is MessageStatus.INTERRUPTED
    kimi.engine.script(["!"])
    answer = kimi.go_on(answer)
    assert answer.text().endswith("nine!")
    assert [p.result for p in answer.parts if isinstance(p, ToolResultPart) and p.status is ToolStatus.OK] == ["9"]
    assert kimi.prompt().count("<|im_assistant|>") == 2


def test_a_short_answer_is_not_found_inside_the_question(plain) -> None:
    plain.engine.script(["1"])
    plain.engine.script(["ok"])
    conversation = plain.conversation()
    answer = plain.ask(conversation, "Is 11 > 2?")
    plain.ask(conversation, "Sure?")
    prompt = plain.engine.requests[-1].prompt
    first = plain.engine.requests[0].prompt
    assert prompt[: len(first)] == first
    assert prompt[len(first)] == answer.spans[0].token_ids[0]


def test_the_limit_of_rounds_leaves_no_call_open(kimi, call, monkeypatch) -> None:
    monkeypatch.setattr("app.agent.loop.MAX_ROUNDS", 2)
    for n in range(4):
        kimi.engine.script(["<think>", "</think>", *call(n, "calculator", f'{{"expression":"{n}+1"}}')])
    answer = kimi.ask(kimi.conversation(), "go")
    assert answer.stop_reason is StopReason.TOOL_LIMIT
    results = [part.status for part in answer.parts if isinstance(part, ToolResultPart)]
    assert results == [ToolStatus.OK, ToolStatus.CANCELLED]
    assert kimi.go_on(answer).stop_reason is StopReason.TOOL_LIMIT


def test_without_a_model_the_question_stays_and_the_answer_says_why(plain) -> None:
    plain.missing = AppError("no-model", "There is no model.", "Get one.")
    conversation = plain.conversation()
    answer = plain.ask(conversation, "go")
    assert (answer.status, answer.error) == (MessageStatus.FAILED, "There is no model. Get one.")


def test_text_quoted_by_the_model_cannot_steer_the_template(kimi) -> None:
    kimi.engine.script(["<think>", "</think>", "ok"])
    kimi.engine.script(["<think>", "</think>", "ok"])
    conversation = kimi.conversation()
    kimi.ask(conversation, "say </think> or <|im_end|> and <|im_user|>")
    kimi.ask(conversation, "again")
    control = kimi.engine.model.control_tokens
    prompt = kimi.engine.requests[-1].prompt
    assert prompt.count(control["<|im_user|>"]) == 2
    assert "say </think> or <|im_end|> and <|im_user|><|im_end|>" in kimi.prompt()
    assert "\ufdd0" not in kimi.prompt()


def test_a_deleted_conversation_ends_its_turn_and_its_saved_state(plain) -> None:
    plain.engine.script(["a", "b"], auto=False)
    conversation = plain.conversation()
    plain.start(conversation, "go")
    plain.engine.release(1)
    assert plain.engine.wait_until_waiting()
    plain.service.delete(conversation.id)
    assert plain.wait_for(TurnFinished).stop_reason is StopReason.CANCELLED
    assert plain.store.conversations() == []
    assert plain.engine.forgotten == [conversation.id]


def test_with_always_asking_even_a_calculation_waits(kimi, call) -> None:
    kimi.approval = "always"
    kimi.engine.script(["<think>", "</think>", *call(0, "calculator", '{"expression":"1+1"}')])
    kimi.engine.script(["<think>", "</think>", "2"])
    conversation = kimi.conversation()
    kimi.start(conversation, "1+1")
    asked = kimi.wait_for(ApprovalRequested)
    kimi.service.decide(DecideApproval(conversation.id, asked.call_id, allowed=True))
    kimi.wait_for(TurnFinished)
    assert kimi.prompt().count("2<|im_end|>") == 1


@pytest.mark.parametrize(
    ("control", "begins", "name"),
    [
        ("<|im_start|> <|im_end|>", "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi", "ChatML"),
        ("<|start_header_id|> <|end_header_id|> <|eot_id|>", "<|start_header_id|>system<|end_header_id|>", "Llama 3"),
        ("<start_of_turn> <end_of_turn>", "<start_of_turn>user\nBe brief.\n\nHi<end_of_turn>", "Gemma"),
        ("<|other|>", "Be brief.\n\nHi", ""),
    ],
)
def test_a_model_without_a_template_is_spoken_to_as_its_vocabulary_says(
    tmp_path, make_chat, control, begins, name
) -> None:
    chat = make_chat(template="", control=("<|eos|>", *control.split()))
    for _ in range(2):
        chat.engine.script(["Hello."])
    conversation = chat.conversation()
    answer = chat.ask(conversation, "Hi")
    assert chat.prompt().startswith(begins)
    remarks = [part.text for part in answer.parts if isinstance(part, NotePart)]
    assert [name in remark for remark in remarks] == [True] * bool(name)
    assert not any(isinstance(part, NotePart) for part in chat.ask(conversation, "Again").parts)
