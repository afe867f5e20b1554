"""Conversations in the shapes that templates want: ids, arguments, names of reasoning, and plainer fallbacks."""

import copy
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.formats.protocol import ChatFormat

Messages = list[dict[str, Any]]

_ARGUMENTS_AS_TEXT = re.compile(r"(?:arguments'?\]?|arguments_json)\s*is\s*(?:not\s*)?string")
_WORD = re.compile(r"[A-Za-z0-9]{4,}")
_NONE_ASKED = re.compile(r"content['\"]?\]?\s+is\s+(?:not\s+)?none")


def variants(
    messages: Sequence[Mapping[str, Any]],
    tools: Sequence[dict[str, object]] | None,
    template: str,
    format: ChatFormat | None,  # noqa: A002 - the word for it
    *,
    think: bool | None,
    now: Callable[[], datetime],
) -> Iterator[dict[str, Any]]:
    """Template variables to try, most faithful first."""
    family = getattr(format, "family", None)
    text = bool(family and family.raw_arguments and _ARGUMENTS_AS_TEXT.search(template))
    blocks = "'thinking'" in template and "block['type']" in template
    base = _prepared(messages, template, family, think=think)
    called = any(message.get("tool_calls") for message in base)
    defaults: dict[str, Any] = {"datetime": now().strftime("%B %d, %Y"), "functions": _dump(list(tools or []))}

    empties: tuple[str | None, ...] = (None, "") if _NONE_ASKED.search(template) else ("", None)

    def with_tools(shape: Messages) -> Iterator[dict[str, Any]]:
        copied = copy.deepcopy(list(tools)) if tools else None
        yield {**defaults, "messages": copy.deepcopy(shape), "tools": copied}
        other = described(tools) if tools else []
        if other != copied:
            yield {**defaults, "messages": copy.deepcopy(shape), "tools": other}

    for shape in (base, system_in_user(base)):
        for as_text in (text, not text) if called else (text,):
            arranged = _arguments(shape, as_text=as_text)
            for empty in empties if called else ("",):
                yield from with_tools(_contents(arranged, empty=empty, blocks=blocks))
    if called:
        apart = text_apart(base)
        for as_text in (text, not text):
            yield from with_tools(_contents(_arguments(apart, as_text=as_text), empty=None, blocks=blocks))
    flat = flattened(base)
    for shape in (flat, system_in_user(flat)):
        yield from with_tools(_merged(shape))


@dataclass(frozen=True, slots=True)
class Kind:
    """What templates differ in taking: system messages, and calls."""

    system: bool
    calls: bool

    @classmethod
    def of(cls, messages: Sequence[Mapping[str, Any]]) -> "Kind":
        roles = {message["role"] for message in messages}
        return cls("system" in roles, any(message.get("tool_calls") for message in messages))


def shortest(kind: Kind) -> Messages:
    """The shortest conversation of a kind."""
    messages: Messages = [{"role": "system", "content": "Probe-system-7391"}] if kind.system else []
    messages.append({"role": "user", "content": "Probe-question-7391"})
    if kind.calls:
        call = {"name": "probe_tool", "arguments": '{"word": "probe7391"}'}
        messages += [
            {
                "role": "assistant",
                "content": "",
                "tool_calls": [{"id": "call_0", "type": "function", "function": call}],
            },
            {"role": "tool", "tool_call_id": "call_0", "name": "probe_tool", "content": "Probe-result-7391"},
        ]
    return messages


def described(tools: Sequence[dict[str, object]]) -> list[dict[str, Any]]:
    """Tools with a description for everything, if only an empty one, for templates that take it for granted."""
    shaped: list[dict[str, Any]] = copy.deepcopy(list(tools))
    for tool in shaped:
        function = tool.get("function", tool)
        if not isinstance(function, dict):
            continue
        function.setdefault("description", "")
        parameters = function.get("parameters")
        properties = parameters.get("properties") if isinstance(parameters, dict) else None
        for schema in properties.values() if isinstance(properties, dict) else ():
            if isinstance(schema, dict):
                schema.setdefault("description", "")
    return shaped


def says_all(text: str, messages: Sequence[Mapping[str, Any]]) -> bool:
    """Whether nothing that must be in the prompt was silently dropped: system text, questions, calls, results.

    Looks for the longest word of each, as often as it must occur; only ASCII, because the rest may be escaped.
    """
    needed: Counter[str] = Counter()
    for message in messages:
        parts = [] if message["role"] == "assistant" else [message.get("content")]
        for call in message.get("tool_calls") or ():
            given = call["function"].get("arguments")
            parts += [call["function"]["name"], *_texts(_loaded(given) if isinstance(given, str) else given)]
        for part in parts:
            if isinstance(part, str) and (words := _WORD.findall(part)):
                needed[max(words, key=len)] += 1
    return all(text.count(word) >= count for word, count in needed.items())


def _texts(value: object) -> Iterator[str]:
    """Every key, text and number in ``value``, without the escapes that some templates write and others do not."""
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        yield str(value)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from (str(key), *_texts(item))
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _prepared(messages: Sequence[Mapping[str, Any]], template: str, family: Any, *, think: bool | None) -> Messages:
    shaped = [
        {key: copy.deepcopy(value) for key, value in message.items() if value is not None} for message in messages
    ]
    for message in shaped:
        if not message.get("tool_calls"):
            message.pop("tool_calls", None)
        if reasoning := next((message.pop(key) for key in REASONING if message.get(key)), None):
            message |= dict.fromkeys(REASONING, reasoning)
    shaped = _renamed(shaped, template, getattr(family, "call_id", None))
    if getattr(family, "single", False):
        shaped = one_call_each(shaped)
    said = family.thinking.said if family is not None else None
    if think is not None and said is not None and said[1] in template:
        shaped = _said(shaped, said[0] if think else said[1])
    return shaped


REASONING = ("reasoning_content", "reasoning", "thinking")
"""The names under which templates look for a message's reasoning."""


def _said(messages: Messages, word: str) -> Messages:
    """``word`` at the end of the last question."""
    for message in reversed(messages):
        if message["role"] == "user":
            message["content"] = f"{message.get('content') or ''} {word}"
            break
    return messages


def _renamed(messages: Messages, template: str, call_id: Callable[[str, int], str] | None) -> Messages:
    """Ids as the family writes them; calls are numbered through the conversation."""
    if call_id is None and "length != 9" in template.replace("|", " ").replace("  ", " "):
        call_id = _nine
    names: dict[str, tuple[str, str]] = {}
    index = 0
    for message in messages:
        for call in message.get("tool_calls") or ():
            name, old = call["function"]["name"], call.get("id") or f"call{index}"
            call.setdefault("type", "function")
            call["id"] = call_id(name, index) if call_id else old
            names[old] = (call["id"], name)
            index += 1
        if message["role"] == "tool":
            new, name = names.get(message.get("tool_call_id", ""), (message.get("tool_call_id", ""), ""))
            message["tool_call_id"] = new
            if name:
                message.setdefault("name", name)
    return messages


def _nine(name: str, index: int) -> str:  # noqa: ARG001 - one shape for all id makers
    return f"call{index:05d}"


def one_call_each(messages: Messages) -> Messages:
    """A message a call, each followed by its result, for templates that render only one call a message."""
    shaped: Messages = []
    for place, message in enumerate(messages):
        calls = message.get("tool_calls") or []
        if len(calls) < 2:
            if message["role"] != "tool" or message not in shaped:
                shaped.append(message)
            continue
        results = {m.get("tool_call_id"): m for m in _results(messages[place + 1 :])}
        for number, call in enumerate(calls):
            kept = message if number == 0 else {"role": "assistant", "content": ""}
            shaped.append({**kept, "tool_calls": [call]})
            if result := results.get(call["id"]):
                shaped.append(result)
    return shaped


def _results(messages: Messages) -> Iterator[dict[str, Any]]:
    for message in messages:
        if message["role"] != "tool":
            return
        yield message


def _arguments(messages: Messages, *, as_text: bool) -> Messages:
    shaped = copy.deepcopy(messages)
    for message in shaped:
        for call in message.get("tool_calls") or ():
            given = call["function"].get("arguments")
            if as_text and not isinstance(given, str):
                call["function"]["arguments"] = _dump(given or {})
            elif not as_text and isinstance(given, str):
                call["function"]["arguments"] = _loaded(given)
    return shaped


def _loaded(text: str) -> Any:
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _contents(messages: Messages, *, empty: str | None, blocks: bool) -> Messages:
    shaped: Messages = []
    for message in messages:
        content = message.get("content") or (
            "" if message["role"] != "assistant" or "tool_calls" not in message else empty
        )
        if blocks and message["role"] == "assistant" and message.get("reasoning_content"):
            parts = [{"type": "thinking", "thinking": message["reasoning_content"]}]
            content = parts + ([{"type": "text", "text": content}] if content else [])
        shaped.append({**message, "content": content})
    return shaped


def text_apart(messages: Messages) -> Messages:
    """Text and calls of one message as two, for templates that render only one of them."""
    shaped: Messages = []
    for message in messages:
        if message.get("tool_calls") and message.get("content"):
            shaped.append({key: value for key, value in message.items() if key != "tool_calls"})
            shaped.append({"role": message["role"], "content": "", "tool_calls": message["tool_calls"]})
        else:
            shaped.append(message)
    return shaped


def system_in_user(messages: Messages) -> Messages:
    """System messages as the beginning of the next question."""
    shaped: Messages = []
    waiting = ""
    for message in messages:
        if message["role"] in ("system", "developer"):
            waiting = f"{waiting}{message.get('content') or ''}\n\n"
        elif waiting and message["role"] == "user":
            shaped.append({**message, "content": f"{waiting}{message.get('content') or ''}"})
            waiting = ""
        else:
            shaped.append(message)
    return shaped if not waiting else [*shaped, {"role": "user", "content": waiting.strip()}]


def flattened(messages: Messages) -> Messages:
    """Calls and results as plain text, for templates that know no tools."""
    shaped: Messages = []
    for message in messages:
        if message["role"] == "tool":
            name = message.get("name") or "tool"
            shaped.append({"role": "user", "content": f"Result of {name}:\n{message.get('content') or ''}"})
        elif message.get("tool_calls"):
            lines = [message.get("content") or ""]
            for call in message["tool_calls"]:
                given = call["function"].get("arguments")
                lines.append(f"[{call['function']['name']} {given if isinstance(given, str) else _dump(given or {})}]")
            shaped.append({"role": "assistant", "content": "\n".join(line for line in lines if line)})
        else:
            shaped.append({**message, "content": message.get("content") or ""})
    return shaped


def _merged(messages: Messages) -> Messages:
    """Neighbours of the same role as one message."""
    shaped: Messages = []
    for message in messages:
        if shaped and shaped[-1]["role"] == message["role"]:
            shaped[-1] = {**shaped[-1], "content": f"{shaped[-1]['content']}\n\n{message['content']}"}
        else:
            shaped.append(message)
    return shaped
