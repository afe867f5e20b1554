"""Reading and writing through `EngineWorker`, as the program does, against llama.cpp's own llama-bench.

    python tests/bench/decode.py --llama-bench PATH [--json OUT] [--rounds N] [--depths 0,1024,4096] [--models NAME,...]

The same model at the same depth (tokens already in the context), in turns, because the machine's speed drifts: ours
with the number of threads that it finds by itself, llama-bench with one and with all. What counts is the ratio to its
better one.
"Overhead" is what a token costs us beyond llama-bench, which neither samples nor makes text.

The second part does without llama-bench: while other processes keep every core busy, the number of threads that follows
the machine against every fixed one, which nobody could choose beforehand.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from app.domain.cancel import CancelToken
from app.domain.models import LoadRequest, ModelInfo, Sampling
from app.engine.protocol import Finished, GenerationRequest, Tokens
from app.engine.states import StateFolder
from app.engine.worker import EngineWorker
from app.models.library import find_model

ROOT = Path(__file__).resolve().parents[2]
MODELS = ("SmolLM2-135M-Instruct", "alcove-tiny")
ATTEMPTS = 100
BUSY = 0.5  # load average a processor beyond which the machine is said to be busy
READ = 512  # tokens of a prompt
GOAL, BUSY_GOAL = 0.98, 0.9
CORES = sorted({1, os.cpu_count() or 1})
LAYOUTS = "from app.engine.llama import bindings; bindings.start(); print(*bindings.layouts())"


@dataclass(frozen=True, slots=True)
class Speed:
    """Tokens a second."""

    read: float
    write: float


@dataclass(frozen=True, slots=True)
class Row:
    """Medians. ``theirs``: of llama-bench by its number of threads; the ratios are to its best one."""

    model: str
    depth: int
    ours: Speed
    theirs: dict[int, Speed]
    read_ratio: float
    write_ratio: float
    overhead_us: float
    rounds: int


def theirs(program: Path, model: str, threads: int, depth: int, tokens: int, *options: str) -> Speed:
    """One run of llama-bench."""
    command = [str(program), "-m", model, "-p", str(READ), "-n", str(tokens), "-d", str(depth), "-t", str(threads)]
    result = subprocess.run([*command, "-r", "1", "-o", "json", *options], capture_output=True, text=True, check=True)
    speeds = {entry["n_gen"] > 0: float(entry["avg_ts"]) for entry in json.loads(result.stdout)}
    return Speed(speeds[False], speeds[True])


def same_layout() -> tuple[str, ...]:
    """Options with which llama-bench lays out weights as our engine does: not for AMX."""
    done = subprocess.run([sys.executable, "-c", LAYOUTS], cwd=ROOT, capture_output=True, text=True, check=True)
    return ("--repack", "0") if "AMX" in done.stdout.split() else ()


def prompts(model: ModelInfo, length: int, seed: int = 0) -> Iterator[tuple[int, ...]]:
    """Random tokens without control tokens, the same every time; each prompt differs from the last at its end only."""
    draw = random.Random(1000 * seed + length)
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


def writing(engine: EngineWorker, ids: tuple[int, ...], tokens: int) -> float:
    """One generation: tokens a second between the first and the last token, on the caller's clock."""
    first = last = 0.0
    count = 0
    for event in engine.generate(GenerationRequest(ids, Sampling(temperature=0), max_tokens=tokens), CancelToken()):
        if isinstance(event, Tokens):
            last = time.perf_counter()
            first = first or last
            count += len(event.pieces)
    return (count - 1) / (last - first)


def reading(engine: EngineWorker, ids: tuple[int, ...]) -> float:
    """Tokens a second of those of a prompt that the engine does not hold."""
    *_, end = engine.generate(GenerationRequest(ids, Sampling(temperature=0), max_tokens=1), CancelToken())
    assert isinstance(end, Finished)
    return (end.stats.prompt_tokens - end.stats.cached_tokens) / end.stats.prefill_s


def measure(program: Path, model: str, depth: int, tokens: int, rounds: int) -> Row:
    with tempfile.TemporaryDirectory() as folder:
        engine = EngineWorker(lambda event: None, states=StateFolder(Path(folder)))
        try:
            return measure_with(engine, program, model, depth, tokens, rounds)
        finally:
            engine.close()


def measure_with(engine: EngineWorker, program: Path, model: str, depth: int, tokens: int, rounds: int) -> Row:
    path = find_model(model).path
    options = same_layout()
    mine: list[Speed] = []
    others: dict[int, list[Speed]] = {threads: [] for threads in CORES}

    def our_turn() -> None:
        more = next(prompts(info, READ, seed=len(mine)))
        read = reading(engine, (*ids[:depth], *more))
        mine.append(Speed(read, writing(engine, ids, tokens)))

    def their_turn() -> None:
        for threads, speeds in others.items():
            speeds.append(theirs(program, path, threads, depth, tokens, *options))

    request = LoadRequest(path, context=depth + max(READ, tokens) + 16)
    print(engine.tune(request, CancelToken()).sentence, flush=True)  # what the program does in its first idle time
    info = engine.load(request)
    ids = endless(engine, info, max(1, depth), tokens)  # from now on it is in the cache
    for turn in range(rounds):
        for each in (our_turn, their_turn) if turn % 2 else (their_turn, our_turn):
            each()
    own, best = median(mine), {threads: median(speeds) for threads, speeds in others.items()}
    read, write = max(speed.read for speed in best.values()), max(speed.write for speed in best.values())
    return Row(model, depth, own, best, own.read / read, own.write / write, 1e6 / own.write - 1e6 / write, rounds)


def median(speeds: list[Speed]) -> Speed:
    return Speed(statistics.median(s.read for s in speeds), statistics.median(s.write for s in speeds))


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
                speeds[threads].append(writing(engine, ids, tokens))
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
    theirs = ", ".join(f"{threads}: {speed.read:.0f}/{speed.write:.1f}" for threads, speed in row.theirs.items())
    print(
        f"{row.model:24} depth {row.depth:5}: read/write {row.ours.read:.0f}/{row.ours.write:.1f} tokens/s, "
        f"llama-bench by threads {theirs}: ratios {row.read_ratio:.3f}/{row.write_ratio:.3f}, "
        f"overhead {row.overhead_us:.0f} us/token",
        flush=True,
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--llama-bench", type=Path, help="without it there is the second part only")
    parser.add_argument("--hogs", type=int, default=os.cpu_count() or 1, help="processes that burn a core each")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--depths", default="0,1024,4096")
    options = parser.parse_args()
    load_before = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    busy = load_before > BUSY * (os.cpu_count() or 1)
    print(f"load average {load_before:.2f}{' (busy: only the ratios mean something)' if busy else ''}", flush=True)
    rows: list[Row] = []
    models = options.models.split(",")
    for model in models if options.llama_bench else ():
        for depth in map(int, options.depths.split(",")):
            rows.append(measure(options.llama_bench, model, depth, options.tokens, options.rounds))
            print_row(rows[-1])
    crowded = adaptive(models[0], options.hogs, CORES, options.tokens, options.rounds)
    summary = f"among {options.hogs} busy processes {crowded.ratio:.2f} of the best fixed threads (goal {BUSY_GOAL})"
    if rows:
        worst = min(rows, key=lambda row: row.write_ratio)
        reads = min(row.read_ratio for row in rows)
        summary = (
            f"writes at {worst.write_ratio:.3f} of llama-bench's best or better ({worst.model} at {worst.depth}; "
            f"goal {GOAL}), reads at {reads:.3f}; {summary}"
        )
    summary += ", measured on a busy machine" if busy else ""
    print(summary)
    if options.json:
        report = {"load_average": load_before, "busy": busy, "summary": summary, "adaptive": asdict(crowded)}
        options.json.write_text(json.dumps({**report, "rows": [asdict(row) for row in rows]}, indent=2), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
