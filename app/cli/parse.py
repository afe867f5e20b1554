"""``alcove parse --batch``: recorded outputs of models in, what they mean out; one JSON a line."""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import NoReturn, TypeAlias

from app.domain.errors import AppError
from app.domain.output import CallClosed, Content, Note, OutputEvent, Reasoning
from app.formats import Format, detect
from app.formats.protocol import ChatFormat
from app.formats.samples import Samples
from app.formats.templates.template import ChatTemplate

Delta: TypeAlias = tuple[str, bool | None]  # text, and whether it is a control token


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Read recorded outputs of models and print what they mean. Input, one JSON a line: id, template (a file), "
        "tools (OpenAI definitions), generation_prompt, deltas (strings, or text and control), truncated."
    )
    parser.add_argument("--batch", action="store_true", required=True, help="read cases from standard input")
    parser.add_argument("--json", action="store_true", help="the only form of output; accepted for uniformity")


def run(args: argparse.Namespace) -> int:  # noqa: ARG001 - one shape for all commands
    for line in parsed(getattr(sys.stdin, "buffer", sys.stdin)):
        print(line, flush=True)
    return 0


def parsed(lines: Iterable[str | bytes]) -> Iterator[str]:
    """A line of JSON for each case; what is wrong with a case is said in its own line, and the next one is read."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        case = _case(line)
        yield json.dumps(
            result(case)
            if case is not None
            else _failed(None, f"Line {number} of the input is not a JSON object. Give one case a line.")
        )


def _case(line: str | bytes) -> Mapping[str, object] | None:
    try:
        text = line.decode("utf-8") if isinstance(line, bytes) else line
        case = json.loads(text.removeprefix("\ufeff"), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None
    return case if isinstance(case, Mapping) else None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _failed(name: object, error: str) -> dict[str, object]:
    return {"id": name, "format": None, "reasoning": None, "content": None, "tool_calls": [], "error": error}


def result(case: Mapping[str, object]) -> dict[str, object]:
    """What the output of one case means, in the form of the command's contract."""
    try:
        source, found = _template(_text(case, "template"))
        deltas = _deltas(case)
        prompt = case.get("generation_prompt")
        if not isinstance(prompt, str):
            prompt = ChatTemplate(source).generation_prompt(format=found)
        if not case.get("generation_prompt"):
            prompt += _opened(found, deltas)
        events = _events(found, prompt, deltas, case)
    except AppError as error:
        return _failed(case.get("id"), error.info.text())
    except Exception as error:  # noqa: BLE001 - a fault here shall not take the answers to the other lines away
        return _failed(case.get("id"), f"Alcove itself failed at this case, please report it: {error!r}")
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


def _events(found: ChatFormat, prompt: str, deltas: list[Delta], case: Mapping[str, object]) -> list[OutputEvent]:
    parser = found.parser(prompt, [tool for tool in _list(case, "tools") if isinstance(tool, dict)])
    events = [event for text, control in deltas for event in parser.feed(text, control)]
    return events + parser.finish(truncated=bool(case.get("truncated")))


def _deltas(case: Mapping[str, object]) -> list[Delta]:
    if "deltas" not in case:
        raise _bad("deltas", "given")
    found: list[Delta] = []
    for delta in _list(case, "deltas"):
        text, control = (delta.get("text"), delta.get("control")) if isinstance(delta, Mapping) else (delta, None)
        if not isinstance(text, str):
            raise _bad("deltas", "strings, or objects with a text")
        found.append((text, control if isinstance(control, bool) else None))
    return found


def _opened(found: Format, deltas: list[Delta]) -> str:
    """What a prompt that was not recorded must have opened: an output that ends reasoning before any began goes on
    with it."""
    family = found.family
    text = "".join(text for text, _ in deltas)
    known = "".join(" " * len(text) if control is False else text for text, control in deltas)
    places = {
        marker: (text if marker in family.spelt else known).find(marker)
        for marker in (*family.think_open, *family.think_close)
    }
    first = min((marker for marker in places if places[marker] >= 0), key=lambda marker: places[marker], default="")
    if first not in family.think_close or first in family.ends:
        return ""
    samples = Samples()
    samples.see(text[: places[first]])
    return "" if samples.inside() else family.think_open[0]


def _text(case: Mapping[str, object], key: str) -> str:
    value = case.get(key) or ""
    if not isinstance(value, str):
        raise _bad(key, "a string")
    return value


def _list(case: Mapping[str, object], key: str) -> list[object]:
    value = case.get(key) or []
    if not isinstance(value, list):
        raise _bad(key, "a list")
    return value


def _bad(key: str, wanted: str) -> AppError:
    return AppError("bad-case", 'In this case "{key}" is not {wanted}.', "Correct the case.", key=key, wanted=wanted)


@lru_cache(maxsize=256)
def _template(path: str) -> tuple[str, Format]:
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
