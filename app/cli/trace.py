"""What the engine's pipe says for a small question and for one that goes on from it: kinds, sizes and times.

No content. The engine tells of each message at debug level; here those records are listened to.
"""

import contextlib
import logging
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from app.cli.output import JsonLines, Plain
from app.domain.cancel import CancelToken
from app.domain.errors import AppError
from app.domain.messages import GenerationStats
from app.domain.models import LoadRequest, PromptText, Sampling
from app.engine.local import process
from app.engine.local.worker import EngineWorker
from app.engine.protocol import Finished, GenerationRequest

QUESTION = "A lighthouse keeper writes down the ships of each day. On Monday there were"
TOKENS = 24  # written for each
CONTEXT = 512


@dataclass(frozen=True, slots=True)
class Sent:
    """One message. ``at``: seconds since the beginning. ``to``: "engine" or "program"."""

    at: float
    to: str
    kind: str
    bytes: int


class _Listener(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.messages: list[Sent] = []
        self._begun = time.time()

    def emit(self, record: logging.LogRecord) -> None:
        to = {process.TO_CHILD: "engine", process.FROM_CHILD: "program"}.get(str(record.msg))
        if to is not None and isinstance(record.args, tuple):
            kind, size = record.args
            self.messages.append(Sent(round(record.created - self._begun, 4), to, str(kind), int(str(size))))


def trace(path: str, *, as_json: bool) -> None:
    """Load the model at ``path``, ask twice, and print what went through the pipe. Raises AppError."""
    engine = EngineWorker(lambda _event: None)
    with _listening() as listener:
        try:
            info = engine.load(LoadRequest(path, context=CONTEXT))
            (prompt,) = engine.tokenize([PromptText(QUESTION)], add_special=info.add_bos)
            first, written = _ask(engine, prompt)
            second, _ = _ask(engine, (*prompt, *written))
        finally:
            engine.close()
    if as_json:
        _write(listener.messages, [first, second])
    else:
        _print(listener.messages, [first, second])


@contextlib.contextmanager
def _listening() -> Iterator[_Listener]:
    logger, listener = logging.getLogger(process.__name__), _Listener()
    before = logger.level
    logger.setLevel(logging.DEBUG)
    logger.addHandler(listener)
    try:
        yield listener
    finally:
        logger.removeHandler(listener)
        logger.setLevel(before)


def _ask(engine: EngineWorker, prompt: tuple[int, ...]) -> tuple[GenerationStats, tuple[int, ...]]:
    request = GenerationRequest(prompt, Sampling(temperature=0.0), max_tokens=TOKENS, conversation="trace")
    written: list[int] = []
    for event in engine.generate(request, CancelToken()):
        if isinstance(event, Finished):
            return event.stats, tuple(written)
        written += [piece.id for piece in getattr(event, "pieces", ())]
    raise AppError("engine-silent", "The engine ended without a word.", "Try again.")


def _write(messages: list[Sent], asked: list[GenerationStats]) -> None:
    lines = JsonLines()
    for message in messages:
        lines.write({"event": "message", **asdict(message)})
    for stats in asked:
        lines.write(
            {
                "event": "asked",
                "prompt_tokens": stats.prompt_tokens,
                "cached_tokens": stats.cached_tokens,
                "cached_from": stats.cached_from,
                "generated_tokens": stats.generated_tokens,
                "prefill_s": stats.prefill_s,
                "decode_s": stats.decode_s,
                "ttft_s": stats.ttft_s,
            }
        )


def _print(messages: list[Sent], asked: list[GenerationStats]) -> None:
    """Messages of one kind that follow each other are one line."""
    plain = Plain()
    plain.line("seconds            bytes  message")
    at = 0
    while at < len(messages):
        first = messages[at]
        end = at
        while end < len(messages) and (messages[end].to, messages[end].kind) == (first.to, first.kind):
            end += 1
        count, size = end - at, sum(message.bytes for message in messages[at:end])
        until = f"to {messages[end - 1].at:7.3f}" if count > 1 else ""
        arrow = "->" if first.to == "engine" else "<-"
        plain.line(f"{first.at:7.3f} {until:10} {size:6}  {arrow} {first.kind}{f' x{count}' if count > 1 else ''}")
        at = end
    for name, stats in zip(("the question", "going on from it"), asked, strict=True):
        plain.line(
            f"{name}: a prompt of {stats.prompt_tokens} tokens, {stats.cached_tokens} known ({stats.cached_from}); "
            f"{stats.generated_tokens} written in {stats.decode_s:.3f} s, the first after {stats.ttft_s:.3f} s"
        )
