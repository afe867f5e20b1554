"""``alcove bench``: how fast a model reads and writes here, and how soon the first token comes."""

import argparse
import os
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.cli.arguments import positive
from app.cli.local_model import local_model
from app.cli.output import JsonLines, Plain
from app.domain.cancel import CancelToken
from app.domain.errors import AppError
from app.domain.messages import GenerationStats
from app.domain.models import LoadRequest, ModelInfo, PromptText, Sampling
from app.engine.learned.saved_states import StateFolder
from app.engine.local.worker import EngineWorker
from app.engine.protocol import Finished, GenerationRequest

_TEXT = "The lighthouse keeper wrote down the weather, the ships and the birds of every day in a long green book. "
_TOKENS = 64  # written at each depth
_BUSY = 0.5  # load average a core above which figures mean little


@dataclass(frozen=True, slots=True)
class Figures:
    """At one depth. Speeds in tokens a second, times to the first token in seconds."""

    depth: int
    prefill: float
    decode: float
    cold: float
    warm: float
    restarted: float


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="a GGUF file, or the name of a model that is there")
    parser.add_argument(
        "--depth", metavar="N", type=positive, nargs="+", default=[512], help="tokens before the answer"
    )
    parser.add_argument("--json", action="store_true", help="answer in JSON Lines")


def run(arguments: argparse.Namespace) -> int:
    path = str(local_model(arguments.model))
    load = os.getloadavg()[0] / (os.cpu_count() or 1) if hasattr(os, "getloadavg") else 0.0
    lines, plain = JsonLines(), Plain()
    with tempfile.TemporaryDirectory(prefix="alcove-bench-") as folder:
        for depth in arguments.depth:
            figures = _measure(path, depth, Path(folder))
            if arguments.json:
                record = {name: getattr(figures, name) for name in Figures.__slots__}
                lines.write({"model": path, **record, "load": round(load, 2), "busy": load > _BUSY})
            else:
                speeds = f"reads {figures.prefill:.0f}/s, writes {figures.decode:.1f}/s"
                firsts = f"cold {figures.cold:.3f} s, warm {figures.warm:.3f} s, restarted {figures.restarted:.3f} s"
                plain.line(f"{figures.depth:6} tokens: {speeds}; first token {firsts}")
    if not arguments.json and load > _BUSY:
        plain.line("This machine is busy with something else, so these figures mean little.")
    return 0


def _measure(path: str, depth: int, folder: Path) -> Figures:
    states = StateFolder(folder / "states")
    engine = EngineWorker(lambda _event: None, states=states)
    try:
        info = engine.load(LoadRequest(path))
        if not 1 <= depth <= info.context - 2 * _TOKENS:
            raise AppError(
                "bench-depth",
                "{model} holds {context} tokens, so a depth of {depth} cannot be measured.",
                "Choose a smaller --depth.",
                model=info.name,
                context=info.context,
                depth=depth,
            )
        prompt = _prompt(engine, info, depth)
        cold = _ask(engine, prompt)
        warm = _ask(engine, (*prompt, *prompt[:8]))
    finally:
        engine.close()
    engine = EngineWorker(lambda _event: None, states=states)
    try:
        engine.load(LoadRequest(path))
        restarted = _ask(engine, (*prompt, *prompt[8:16]))
    finally:
        engine.close()
    decode = statistics.median(stats.generated_tokens / max(stats.decode_s, 1e-9) for stats in (cold, warm, restarted))
    read = cold.prompt_tokens - cold.cached_tokens
    return Figures(depth, read / max(cold.prefill_s, 1e-9), decode, cold.ttft_s, warm.ttft_s, restarted.ttft_s)


def _prompt(engine: EngineWorker, info: ModelInfo, depth: int) -> tuple[int, ...]:
    (once,) = engine.tokenize([PromptText(_TEXT)], add_special=info.add_bos)
    return (once * (depth // len(once) + 1))[:depth]


def _ask(engine: EngineWorker, prompt: Sequence[int]) -> GenerationStats:
    request = GenerationRequest(tuple(prompt), Sampling(temperature=0.0), max_tokens=_TOKENS, conversation="bench")
    for event in engine.generate(request, CancelToken()):
        if isinstance(event, Finished):
            return event.stats
    raise AppError("engine-silent", "The engine ended without a word.", "Try again.")
