"""``alcove parse --batch``: recorded outputs of models in, what they mean out; one JSON a line."""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from app.chat.formats import detect
from app.chat.formats.protocol import CallClosed, ChatFormat, Content, FormatEvent, Note, Reasoning
from app.chat.template import ChatTemplate
from app.domain.errors import AppError


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Read recorded outputs of models and print what they mean. Input, one JSON a line: id, template (a file), "
        "tools (OpenAI definitions), generation_prompt, deltas (strings, or text and control), truncated."
    )
    parser.add_argument("--batch", action="store_true", required=True, help="read cases from standard input")
    parser.add_argument("--json", action="store_true", help="the only form of output; accepted for uniformity")


def run(args: argparse.Namespace) -> int:  # noqa: ARG001 - one shape for all commands
    for line in parsed(sys.stdin):
        print(line, flush=True)
    return 0


def parsed(lines: Iterable[str]) -> Iterator[str]:
    """A line of JSON for each case; what is wrong with a case is said in its own line."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            case = json.loads(line)
        except ValueError:
            case = None
        if not isinstance(case, Mapping):
            raise AppError(
                "bad-case", "Line {line} of the input is not a JSON object.", "Give one case a line.", line=number
            )
        yield json.dumps(result(case))


def result(case: Mapping[str, object]) -> dict[str, object]:
    """What the output of one case means, in the form of the command's contract."""
    empty = {"id": case.get("id"), "format": None, "reasoning": None, "content": None, "tool_calls": []}
    try:
        source, found = _template(str(case.get("template") or ""))
        prompt = case.get("generation_prompt")
        if not isinstance(prompt, str):
            prompt = ChatTemplate(source).generation_prompt(format=found)
        events = _events(found, prompt, case)
    except AppError as error:
        return {**empty, "error": error.info.text()}
    except (TypeError, KeyError, AttributeError) as error:
        return {**empty, "error": f"The case is not in the expected form: {error!r}"}
    reasoning = "".join(event.text for event in events if isinstance(event, Reasoning))
    content = "".join(event.text for event in events if isinstance(event, Content))
    notes = [f"{event.code}: {event.text}" for event in events if isinstance(event, Note)]
    return {
        "id": case.get("id"),
        "format": found.name,
        "reasoning": reasoning if reasoning.strip() else None,
        "content": content if content.strip() else None,
        "tool_calls": [
            {"name": event.name, "arguments": event.arguments} for event in events if isinstance(event, CallClosed)
        ],
        "error": " ".join(notes) or None,
    }


def _events(found: ChatFormat, prompt: str, case: Mapping[str, object]) -> list[FormatEvent]:
    tools = case.get("tools") or []
    deltas = case.get("deltas") or []
    if not isinstance(tools, list) or not isinstance(deltas, list):
        raise TypeError("tools and deltas are lists")
    parser = found.parser(prompt, tools)
    events: list[FormatEvent] = []
    for delta in deltas:
        if isinstance(delta, str):
            events += parser.feed(delta)
        else:
            control = delta.get("control")
            events += parser.feed(delta["text"], control if isinstance(control, bool) else None)
    return events + parser.finish(truncated=bool(case.get("truncated")))


@lru_cache(maxsize=256)
def _template(path: str) -> tuple[str, ChatFormat]:
    try:
        source = Path(path).read_text(encoding="utf-8") if path else ""
    except (OSError, ValueError) as error:
        raise AppError(
            "template-unreadable",
            "The template {path} cannot be read.",
            "Check the path.",
            path=path,
            detail=str(error),
        ) from None
    return source, detect(source)
