"""Decode speed of our engine, through `EngineWorker` as the program uses it, against llama.cpp's own llama-bench.

    python tests/bench/decode.py --llama-bench PATH [--json OUT] [--rounds N] [--depths 0,1024,4096] [--threads 1,2]
    python tests/bench/decode.py --adaptive [--hogs N] [--json OUT] [--rounds N] [--models NAME,...]

Both run the same model at the same depth (tokens already in the context) with the same threads, in turns, because the
machine's speed drifts; every number is a median over the rounds, and what counts is the ratio. "Overhead" is what a
token costs us beyond llama-bench, which neither samples nor makes text: meaningful where the model itself is fast.

``--adaptive`` compares the number of threads that follows the machine with every fixed one, in turns, while ``--hogs``
other processes keep a core busy each: how near to the best fixed number it comes, which nobody knows beforehand.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from app.domain.cancel import CancelToken
from app.domain.models import LoadRequest, ModelInfo, Sampling
from app.engine.protocol import Finished, GenerationRequest, Tokens
from app.engine.worker import EngineWorker
from app.models.library import find_model

MODELS = ("SmolLM2-135M-Instruct", "alcove-tiny")
ATTEMPTS = 100
BUSY = 0.5  # load average beyond which the figures are said to come from a busy machine


@dataclass(frozen=True, slots=True)
class Row:
    """Tokens a second, medians; ``ratio`` is ours by theirs; ``overhead_us`` a token."""

    model: str
    threads: int
    depth: int
    ours: float
    llama_bench: float
    ratio: float
    overhead_us: float
    rounds: int


def theirs(program: Path, model: str, threads: int, depth: int, tokens: int) -> float:
    """One run of llama-bench: tokens a second."""
    command = [str(program), "-m", model, "-p", "0", "-n", str(tokens), "-d", str(depth), "-t", str(threads)]
    result = subprocess.run([*command, "-r", "1", "-o", "json"], capture_output=True, text=True, check=True)
    return float(json.loads(result.stdout)[0]["avg_ts"])


def prompts(model: ModelInfo, length: int) -> Iterator[tuple[int, ...]]:
    """Random tokens without control tokens, the same every time; each prompt differs from the last at its end only."""
    draw = random.Random(length)
    banned = set(model.control_tokens.values())
    allowed = [token for token in range(model.vocabulary_size) if token not in banned]
    ids = draw.choices(allowed, k=length)
    while True:
        yield tuple(ids)
        ids[-8:] = draw.choices(allowed, k=min(8, length))


def endless(engine: EngineWorker, model: ModelInfo, length: int, tokens: int) -> tuple[int, ...]:
    """A prompt of that length after which the model writes ``tokens`` tokens and does not end by itself."""
    for ids in islice(prompts(model, length), ATTEMPTS):
        request = GenerationRequest(ids, Sampling(temperature=0), max_tokens=tokens)
        *_, finished = engine.generate(request, CancelToken())
        if isinstance(finished, Finished) and finished.stats.generated_tokens == tokens:
            return ids
    raise RuntimeError(f"every prompt of {length} tokens made {model.name} stop early")


def ours(engine: EngineWorker, ids: tuple[int, ...], tokens: int) -> float:
    """One generation: tokens a second between the first and the last token, on the caller's clock."""
    first = last = 0.0
    count = 0
    for event in engine.generate(GenerationRequest(ids, Sampling(temperature=0), max_tokens=tokens), CancelToken()):
        if isinstance(event, Tokens):
            last = time.perf_counter()
            first = first or last
            count += len(event.pieces)
    return (count - 1) / (last - first)


def measure(program: Path, model: str, threads: int, depths: list[int], tokens: int, rounds: int) -> list[Row]:
    path = find_model(model).path
    rows: list[Row] = []
    engine = EngineWorker(lambda event: None)
    try:
        room = max(depths) + tokens + 16
        info = engine.load(LoadRequest(path, context=room, threads=threads, threads_batch=threads))
        for depth in depths:
            ids = endless(engine, info, max(1, depth), tokens)  # from now on it is in the cache
            mine: list[float] = []
            other: list[float] = []
            for turn in range(rounds):
                for side in (mine, other) if turn % 2 else (other, mine):
                    speed = ours(engine, ids, tokens) if side is mine else theirs(program, path, threads, depth, tokens)
                    side.append(speed)
            a, b = statistics.median(mine), statistics.median(other)
            rows.append(Row(model, threads, depth, a, b, a / b, 1e6 / a - 1e6 / b, rounds))
            print_row(rows[-1])
    finally:
        engine.close()
    return rows


@dataclass(frozen=True, slots=True)
class Adaptive:
    """Tokens a second, medians; ``ratio`` is adaptive by the best fixed number of threads."""

    model: str
    hogs: int
    adaptive: float
    fixed: dict[int, float]
    ratio: float
    rounds: int


def adaptive(model: str, hogs: int, against: list[int], tokens: int, rounds: int) -> Adaptive:
    path = find_model(model).path
    choices: list[int | None] = [None, *against]
    engines = [EngineWorker(lambda event: None) for _ in choices]
    speeds: dict[int | None, list[float]] = {choice: [] for choice in choices}
    burning = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(hogs)]
    try:
        for engine, threads in zip(engines, choices, strict=True):
            info = engine.load(LoadRequest(path, context=2 * tokens + 64, threads=threads))
            ids = endless(engine, info, 8, tokens)
        for turn in range(rounds):
            order = list(zip(engines, choices, strict=True))
            for engine, threads in order if turn % 2 else reversed(order):
                speeds[threads].append(ours(engine, ids, tokens))
    finally:
        for hog in burning:
            hog.kill()
            hog.wait()
        for engine in engines:
            engine.close()
    fixed = {choice: statistics.median(values) for choice, values in speeds.items() if choice is not None}
    mine = statistics.median(speeds[None])
    result = Adaptive(model, hogs, mine, fixed, mine / max(fixed.values()), rounds)
    others = ", ".join(f"{threads}: {speed:.1f}" for threads, speed in fixed.items())
    print(f"{model:24} {hogs} hogs: adaptive {mine:.1f} tokens/s, fixed {others}, ratio {result.ratio:.3f}", flush=True)
    return result


def print_row(row: Row) -> None:
    print(
        f"{row.model:24} {row.threads:2} threads, depth {row.depth:5}: ours {row.ours:8.1f}, llama-bench "
        f"{row.llama_bench:8.1f} tokens/s, ratio {row.ratio:.3f}, overhead {row.overhead_us:6.0f} us/token",
        flush=True,
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--llama-bench", type=Path)
    parser.add_argument("--adaptive", action="store_true")
    parser.add_argument("--hogs", type=int, default=0)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--depths", default="0,1024,4096")
    parser.add_argument("--threads", default=",".join(map(str, sorted({1, os.cpu_count() or 1}))))
    options = parser.parse_args()
    load_before = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    busy = load_before > BUSY
    print(f"load average {load_before:.2f}{' (busy: only the ratios mean something)' if busy else ''}")
    rows: list[Row | Adaptive] = []
    for model in options.models.split(","):
        if options.adaptive:
            against = [int(number) for number in options.threads.split(",")]
            rows.append(adaptive(model, options.hogs, against, options.tokens, options.rounds))
            continue
        if options.llama_bench is None:
            parser.error("--llama-bench or --adaptive")
        for threads in map(int, options.threads.split(",")):
            depths = [int(depth) for depth in options.depths.split(",")]
            rows += measure(options.llama_bench, model, threads, depths, options.tokens, options.rounds)
    if options.json:
        report = {"load_average": load_before, "busy": busy, "rows": [asdict(row) for row in rows]}
        options.json.write_text(json.dumps(report, indent=2), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
