"""Stored messages as the chat template's messages (OpenAI form)."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import PurePath

from app.domain.answers import given_sources, rounds
from app.domain.messages import (
    Message,
    Part,
    ReasoningPart,
    Role,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    ToolStatus,
)
from app.domain.sources import Source

TemplateMessage = dict[str, object]


def source_line(source: Source) -> str:
    return f"[{source.n}] {PurePath(source.path).name}: {source.text}"


def question_text(text: str, sources: Sequence[Source]) -> str:
    """A question with its numbered sources before it, in the form of the examples in ``instructions``."""
    if not sources:
        return text
    listing = "\n".join(source_line(source) for source in sources)
    return f"{listing}\n\nQuestion: {text}"


def template_messages(history: Sequence[Message], guard: Callable[[str], str]) -> list[TemplateMessage]:
    """``history`` from the root to the answer that is being written. ``guard`` marks strangers' text (see prompt)."""
    result: list[TemplateMessage] = []
    for position, message in enumerate(history):
        if message.role is Role.USER:
            sources = given_sources(history[position + 1].parts) if position + 1 < len(history) else ()
            result.append({"role": "user", "content": guard(question_text(message.text(), sources))})
        else:
            for turn_round in rounds(message.parts):
                result.extend(_round_messages(turn_round, guard))
    return result


def _round_messages(parts: Sequence[Part], guard: Callable[[str], str]) -> Iterator[TemplateMessage]:
    results = {part.call_id: part for part in parts if isinstance(part, ToolResultPart)}
    calls = [
        part
        for part in parts
        if isinstance(part, ToolCallPart)
        and part.id in results
        and results[part.id].status is not ToolStatus.INCOMPLETE
    ]
    reasoning = "".join(part.text for part in parts if isinstance(part, ReasoningPart))
    content = "".join(part.text for part in parts if isinstance(part, TextPart))
    if not (reasoning or content or calls):
        return
    message: TemplateMessage = {"role": "assistant", "content": guard(content)}
    if reasoning:
        message["reasoning_content"] = guard(reasoning)
    if calls:
        message["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": guard(call.arguments)}}
            for call in calls
        ]
    yield message
    for call in calls:
        yield {
            "role": "tool",
            "tool_call_id": call.id,
            "name": call.name,
            "content": guard(results[call.id].result),
        }
