"""Words that the rows of a transcript say, translated."""

import json
import re
from pathlib import PurePath, PureWindowsPath
from typing import NamedTuple

from PySide6.QtCore import QCoreApplication, QLocale

from app.domain.messages import GenerationStats, MessageStatus, StopReason, ToolStatus
from app.domain.sources import Locator
from ui.figures import rate_text

_LONGEST_ARGUMENT = 200  # characters of a call's argument on its card
_FIRST_STRING = re.compile(r':\s*"((?:[^"\\]|\\.)*)')


translate = QCoreApplication.translate  # under this name the translators' tools find the texts


def file_name(path: str) -> str:
    return (PureWindowsPath(path).name if "\\" in path else PurePath(path).name) or path


def source_label(path: str, locator: Locator) -> str:
    place = locator.label()
    return f"{file_name(path)}, {place}" if place else file_name(path)


def seconds_text(seconds: float) -> str:
    """``4 s``, ``2 min 5 s``; tenths below ten seconds where they say something."""
    if seconds < 10:
        return translate("Transcript", "{seconds} s").format(seconds=QLocale().toString(seconds, "f", 1))
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return translate("Transcript", "{seconds} s").format(seconds=rest)
    return translate("Transcript", "{minutes} min {seconds} s").format(minutes=minutes, seconds=rest)


def thought_text(seconds: float | None, tokens: int | None) -> str:
    if seconds is None:
        said = translate("Transcript", "Thought")
    elif seconds < 1:
        said = translate("Transcript", "Thought for a moment")
    else:
        said = translate("Transcript", "Thought for {time}").format(time=_whole_seconds(seconds))
    return f"{said} · {tokens_text(tokens)}" if tokens else said


def thinking_text(seconds: float) -> str:
    return (
        translate("Transcript", "Thinking…")
        if seconds < 1
        else translate("Transcript", "Thinking… {time}").format(time=_whole_seconds(seconds))
    )


def _whole_seconds(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    if not minutes:
        return translate("Transcript", "{seconds} s").format(seconds=rest)
    return translate("Transcript", "{minutes} min {seconds} s").format(minutes=minutes, seconds=rest)


def tokens_text(tokens: int) -> str:
    number = QLocale().toString(tokens)
    return (
        translate("Transcript", "1 token")
        if tokens == 1
        else translate("Transcript", "{number} tokens").format(number=number)
    )


def stats_text(stats: GenerationStats) -> str:
    """``312 tokens · 24.1 tokens/s``"""
    if not stats.generated_tokens:
        return ""
    words = [tokens_text(stats.generated_tokens)]
    if stats.decode_s > 0:
        rate = rate_text(stats.generated_tokens / stats.decode_s)
        words.append(translate("Transcript", "{rate} tokens/s").format(rate=rate))
    return " · ".join(words)


def ending_text(status: MessageStatus, reason: StopReason | None) -> str:
    """Why an answer ended before the model was done; "" where it was done."""
    if status is MessageStatus.INTERRUPTED:
        return translate("Transcript", "Interrupted")
    if status is MessageStatus.STOPPED or reason is StopReason.CANCELLED:
        return translate("Transcript", "Stopped")
    if reason is StopReason.LENGTH:
        return translate("Transcript", "The length limit is reached")
    if reason is StopReason.CONTEXT_FULL:
        return translate("Transcript", "The context is full")
    if reason is StopReason.TOOL_LIMIT:
        return translate("Transcript", "Stopped after many tool calls")
    return ""


class ToolWords(NamedTuple):
    icon: str
    running: str  # with {argument}
    done: str
    argument: str  # which argument is shown


def tool_words(name: str) -> ToolWords | None:
    """How the built-in tools are told of."""
    known = {
        "search_documents": ToolWords(
            "search",
            translate("Transcript", "Searching: {argument}"),
            translate("Transcript", "Searched: {argument}"),
            "query",
        ),
        "read_document": ToolWords(
            "book", translate("Transcript", "Reading: {argument}"), translate("Transcript", "Read: {argument}"), "path"
        ),
        "calculator": ToolWords(
            "calculator",
            translate("Transcript", "Calculating: {argument}"),
            translate("Transcript", "Calculated: {argument}"),
            "expression",
        ),
        "current_datetime": ToolWords(
            "clock", translate("Transcript", "Looking at the clock"), translate("Transcript", "Looked at the clock"), ""
        ),
    }
    return known.get(name)


def tool_text(name: str, arguments: str, status: ToolStatus | None) -> str:
    """One line about a call: ``Searching: tides``, or ``name(arguments)`` for a tool we do not know."""
    words = tool_words(name)
    shown = " ".join(arguments.split())
    if words is None:
        return f"{name}({_cut(_pairs(shown))})"
    sentence = words.done if status is ToolStatus.OK else words.running
    return sentence.format(argument=_cut(_argument(arguments, words.argument))).rstrip(": ")


def _pairs(arguments: str) -> str:
    """``to="ada@example.org", copies=2``; the text itself while it is not whole."""
    try:
        value = json.loads(arguments)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        return arguments.removeprefix("{").removesuffix("}").strip()
    return ", ".join(f"{key}={json.dumps(item, ensure_ascii=False)}" for key, item in value.items())


def _argument(arguments: str, name: str) -> str:
    """The named argument, or what can be read of the first one while the model still writes."""
    try:
        value = json.loads(arguments)
    except ValueError:
        match = _FIRST_STRING.search(arguments)
        return match[1] if match else ""
    if not isinstance(value, dict):
        return ""
    found = value.get(name, next(iter(value.values()), ""))
    return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_ARGUMENT else text[:_LONGEST_ARGUMENT] + "…"


def badge_text(status: ToolStatus | None) -> str:
    match status:
        case ToolStatus.OK:
            return translate("Transcript", "Done")
        case ToolStatus.FAILED:
            return translate("Transcript", "Failed")
        case ToolStatus.DENIED:
            return translate("Transcript", "Denied")
        case ToolStatus.CANCELLED:
            return translate("Transcript", "Cancelled")
        case ToolStatus.INCOMPLETE:
            return translate("Transcript", "Cut off")
        case ToolStatus.WAITING:
            return translate("Transcript", "Waiting for approval")
        case _:
            return ""


def waiting_text(percent: int | None, ahead: int) -> str:
    if ahead == 1:
        return translate("Transcript", "Waiting: another answer comes first")
    if ahead > 1:
        return translate("Transcript", "Waiting: {number} answers come first").format(number=ahead)
    if percent is not None:
        return translate("Transcript", "Reading the prompt… {percent}%").format(percent=percent)
    return translate("Transcript", "Starting…")
