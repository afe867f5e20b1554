"""``alcove ask``: the main job without a window. Streams the answer, with reasoning, tool calls and sources."""

import argparse
import json
import signal
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import Protocol

from app.cli.arguments import positive
from app.cli.output import JsonLines, Plain
from app.domain.answers import all_sources, new_answer
from app.domain.commands import CancelTurn, DecideApproval, SubmitPrompt, TurnOptions
from app.domain.errors import AppError
from app.domain.events import (
    ApprovalRequested,
    BackgroundFailed,
    Event,
    PartDelta,
    PartFinished,
    PartStarted,
    TurnFinished,
)
from app.domain.fold import AnswerFold
from app.domain.messages import (
    MessageStatus,
    NotePart,
    Part,
    ReasoningPart,
    SourcesPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from app.domain.sources import Source
from app.mailbox import Subscription
from app.services import Services

VECTORS_S = 10.0  # how long a small collection's first search waits to be one by meaning, too
_STREAMED: dict[type[Part], str] = {ReasoningPart: "reasoning", TextPart: "text"}  # printed while they are written
_STOPPED = 130  # as a shell reports Ctrl+C


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("question", metavar="QUESTION")
    parser.add_argument("--model", metavar="PATH_OR_NAME", help="a GGUF file, or the name of a model that is there")
    parser.add_argument("--docs", metavar="PATH", nargs="+", action="extend", default=[], help="files and folders")
    parser.add_argument("--tools", metavar="NAME,...", help="tools the model may call, or none")
    parser.add_argument("--allow", metavar="NAME", action="append", default=[], help="run this tool without asking")
    parser.add_argument("--max-tokens", metavar="N", type=positive)
    parser.add_argument("--seed", metavar="N", type=int)
    parser.add_argument("--temperature", metavar="T", type=_temperature)
    parser.add_argument("--no-think", dest="think", action="store_const", const=False, help="answer without reasoning")
    parser.add_argument("--json", action="store_true", help="answer in JSON Lines")


def run(arguments: argparse.Namespace) -> int:
    question = arguments.question.strip()
    if not question:
        raise AppError("empty-question", "The question is empty.", "Write it after: alcove ask")
    documents = tuple(str(Path(path).expanduser().absolute()) for path in arguments.docs)
    writer: _Writer = _JsonWriter() if arguments.json else _PlainWriter()
    services = Services.create(model=arguments.model)
    try:
        return _ask(services, question, documents, _options(services, arguments), writer)
    finally:
        services.close()


def _ask(services: Services, question: str, documents: tuple[str, ...], options: TurnOptions, writer: "_Writer") -> int:
    if documents:
        report = services.documents.update(documents)
        report.require_readable()
        for path, reason in report.skipped:
            writer.skipped(path, reason)
        services.documents.await_vectors(documents, VECTORS_S)
    conversation = services.store.create(documents=documents)
    command = SubmitPrompt(conversation.id, question, options=options)

    def stop(_signal: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a second Ctrl+C ends at once
        # On a thread of its own: the handler may have interrupted somebody who holds the service's lock.
        threading.Thread(target=services.chat.cancel, args=(CancelTurn(conversation.id),)).start()

    signal.signal(signal.SIGINT, stop)
    inbox = services.mailbox.subscribe()
    services.chat.submit(command)
    answer = AnswerFold(new_answer(conversation.id, command.answer_id))
    for event in _events(inbox):
        if isinstance(event, BackgroundFailed):
            raise AppError.of(event.error)
        if answer.apply(event):
            writer.event(event, answer)
        if isinstance(event, ApprovalRequested):  # nobody is there to be asked
            reason = f"It is not allowed here; --allow {event.name} allows it."
            services.chat.decide(DecideApproval(conversation.id, event.call_id, allowed=False, reason=reason))
        if isinstance(event, TurnFinished):
            if event.error is not None:
                raise AppError.of(event.error)
            return _STOPPED if event.status is MessageStatus.STOPPED else 0
    return 1


def _events(inbox: Subscription) -> Iterator[Event]:
    while True:
        # Windows does not interrupt a wait without end for Ctrl+C.
        yield from inbox.wait(1.0)


def _options(services: Services, arguments: argparse.Namespace) -> TurnOptions:
    tools: tuple[str, ...] | None = None
    if arguments.tools is not None:
        names = [name.strip() for name in arguments.tools.split(",") if name.strip()]
        tools = () if names == ["none"] else tuple(names)
    services.tools.offer((*(tools or ()), *arguments.allow))  # raises for an unknown name
    return TurnOptions(
        temperature=arguments.temperature,
        seed=arguments.seed,
        max_tokens=arguments.max_tokens,
        think=arguments.think,
        tools=tools,
        allow=frozenset(arguments.allow),
    )


def _temperature(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 5:
        raise argparse.ArgumentTypeError("must be between 0 and 5")
    return value


class _Writer(Protocol):
    def event(self, event: Event, answer: AnswerFold) -> None:
        """``answer``: with this event, which changed it."""
        ...

    def skipped(self, path: str, reason: str) -> None: ...


class _JsonWriter:
    def __init__(self) -> None:
        self._lines = JsonLines()

    def event(self, event: Event, answer: AnswerFold) -> None:
        match event:
            case PartDelta(index=index, text=text) if (name := _STREAMED.get(answer.kind(index))) is not None:
                self._lines.write({"event": name, "text": text})
            case PartFinished(part=ToolCallPart(id=call_id, name=name, arguments=arguments)):
                self._lines.write({"event": "tool_call", "id": call_id, "name": name, "arguments": arguments})
            case PartFinished(part=ToolResultPart() as result):
                self._lines.write(
                    {
                        "event": "tool_result",
                        "id": result.call_id,
                        "name": result.name,
                        "status": result.status.value,
                        "result": result.result,
                        "seconds": result.seconds,
                    }
                )
            case PartFinished(part=SourcesPart(sources)):
                self._lines.write({"event": "sources", "sources": [_source(source) for source in sources]})
            case PartFinished(part=NotePart(code, text)):
                self._lines.write({"event": "note", "code": code, "text": text})
            case TurnFinished():
                self._finished(event)

    def skipped(self, path: str, reason: str) -> None:
        self._lines.write({"event": "skipped", "path": path, "reason": reason})

    def _finished(self, event: TurnFinished) -> None:
        stats = event.stats
        self._lines.write(
            {
                "event": "finished",
                "stop_reason": event.stop_reason.value if event.stop_reason else "error",
                "conversation": event.conversation_id,
                "prompt_tokens": stats.prompt_tokens,
                "cached_tokens": stats.cached_tokens,
                "generated_tokens": stats.generated_tokens,
                "prefill_s": round(stats.prefill_s, 6),
                "decode_s": round(stats.decode_s, 6),
                "ttft_s": round(stats.ttft_s, 6),
            }
        )


class _PlainWriter:
    """Text on standard output; reasoning and tools dimmed on a terminal, marked by words elsewhere."""

    def __init__(self) -> None:
        self._out = Plain()

    def event(self, event: Event, answer: AnswerFold) -> None:
        match event:
            case PartStarted(part=ReasoningPart()):
                self._out.line("[thinking]", dim=True)
            case PartStarted(part=TextPart()):
                self._out.end()
            case PartDelta(index=index, text=text) if (kind := answer.kind(index)) in _STREAMED:
                self._out.write(text, dim=kind is ReasoningPart)
            case PartFinished(part=part):  # calls and results are printed when they are whole
                self._part(part)
            case TurnFinished():
                self._out.end()
                self._list(all_sources(answer.message.parts))

    def _part(self, part: Part) -> None:
        match part:
            case ReasoningPart() | TextPart():
                self._out.end()
            case ToolCallPart(name=name, arguments=arguments):
                self._out.line(f"[tool] {name} {_compact(arguments)}", dim=True)
            case ToolResultPart(status=status, result=result, seconds=seconds):
                self._out.line(f"[{status.value}, {seconds:.2f} s] {result}", dim=True)
            case NotePart(text=text):
                self._out.line(f"({text})", dim=True)

    def skipped(self, path: str, reason: str) -> None:
        self._out.line(f"(left out {path}: {reason})", dim=True)

    def _list(self, sources: Mapping[int, Source]) -> None:
        if sources:
            self._out.line()
        for n, source in sorted(sources.items()):
            self._out.line(f"[{n}] {source.path} {source.locator.label()}".rstrip(), dim=True)


def _compact(arguments: str) -> str:
    try:
        return json.dumps(json.loads(arguments), ensure_ascii=False)
    except ValueError:
        return arguments


def _source(source: Source) -> dict[str, object]:
    return {"n": source.n, "path": source.path, "locator": source.locator.label(), "text": source.text}
