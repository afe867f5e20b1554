"""Prompts of the local responder: rendered once, opened as the template opens them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from app.domain.messages import (
    Message,
    MessageStatus,
    Part,
    ReasoningPart,
    Role,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    ToolStatus,
)
from app.engine.fake import FakeEngine
from app.formats import detect
from app.formats.templates.template import ChatTemplate
from app.responders.local.history import template_messages
from app.responders.local.prompt import PromptBuilder, PromptOptions
from app.tools.builtin.calculator import Calculator

COLLECTION = Path(__file__).parents[4] / ".cache" / "llama.cpp-templates"
TEMPLATES = sorted(COLLECTION.glob("*.jinja"))
TOOLS = (Calculator().spec.definition(),)


class Counting(ChatTemplate):
    """Counts how often a history was rendered that holds ``needle``."""

    needle = "a long, long question"
    count = 0

    def _once(self, values: dict[str, Any]) -> str:
        self.count += any(self.needle in str(message.get("content")) for message in values["messages"])
        return super()._once(values)


def said(number: int, role: Role, *parts: Part) -> Message:
    return Message(str(number), "c", None, role, MessageStatus.COMPLETE, parts, 0.0)


def call(number: int) -> tuple[Part, Part, Part]:
    return (
        ReasoningPart("I compute."),
        ToolCallPart(f"call_{number}", "calculator", '{"expression":"1+1"}'),
        ToolResultPart(f"call_{number}", "calculator", ToolStatus.OK, "2"),
    )


ASKED = (said(0, Role.USER, TextPart(Counting.needle)),)
CALLED = (*ASKED, said(1, Role.ASSISTANT, *call(0), *call(1)))
AGAIN = (
    *ASKED,
    said(1, Role.ASSISTANT, *call(0), ReasoningPart("So."), TextPart("It is two.")),
    said(2, Role.USER, TextPart("Thanks. And 1+2?")),
)
HISTORIES = {"question": ASKED, "results": CALLED, "second question": AGAIN}


def builder(template: ChatTemplate) -> PromptBuilder:
    engine = FakeEngine(template=template.source, context=100_000)
    assert engine.model is not None
    return PromptBuilder(engine, engine.model, template, detect(template.source))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_a_short_conversation_opens_as_the_whole_one_does(path: Path) -> None:
    template = ChatTemplate(path.read_text(encoding="utf-8"))
    prompts = builder(template)
    for history in HISTORIES.values():
        for think in (None, True, False):
            for tools in (TOOLS, ()):
                options = PromptOptions("Be brief.", tools=tools, think=think)
                found = prompts.build(history, options)
                assert found.generation_prompt == opening_of_all(prompts, template, history, options)


def opening_of_all(
    prompts: PromptBuilder, template: ChatTemplate, history: Sequence[Message], options: PromptOptions
) -> str:
    messages = [{"role": "system", "content": options.system}, *template_messages(history, prompts.guard)]
    return template.generation_prompt(
        messages, list(options.tools) or None, think=options.think, format=detect(template.source)
    )


@pytest.mark.parametrize("name", ["Kimi-K2-Thinking.jinja", "Qwen3-Coder.jinja", "openai-gpt-oss-120b.jinja"])
def test_a_history_is_rendered_once(name: str) -> None:
    template = Counting((COLLECTION / name).read_text(encoding="utf-8"))
    prompts = builder(template)
    options = PromptOptions("Be brief.", tools=TOOLS, think=True)
    for rounds in range(1, 4):
        history = (*ASKED, said(1, Role.ASSISTANT, *(part for number in range(rounds) for part in call(number))))
        prompts.build(history, options)
        assert template.count == rounds


@pytest.mark.parametrize("name", ["LFM2.5-Instruct.jinja", "HuggingFaceTB-SmolLM3-3B.jinja"])
def test_forms_that_a_template_never_takes_are_tried_once(name: str) -> None:
    template = Counting((COLLECTION / name).read_text(encoding="utf-8"))
    prompts = builder(template)
    options = PromptOptions("Be brief.", tools=TOOLS, think=True)
    prompts.build(CALLED, options)
    tried = template.count
    again = prompts.build(CALLED, options)
    assert template.count == tried + 1
    fresh = ChatTemplate((COLLECTION / name).read_text(encoding="utf-8"))
    assert builder(fresh).build(CALLED, options).ids == again.ids
