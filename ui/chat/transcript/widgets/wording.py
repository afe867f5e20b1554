"""Words that the rows of a transcript say, translated."""

from pathlib import PurePath, PureWindowsPath

from PySide6.QtCore import QCoreApplication, QLocale

from app.domain.messages import GenerationStats, MessageStatus, StopReason, ToolStatus
from app.domain.sources import Locator
from ui.figures import rate_text

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
