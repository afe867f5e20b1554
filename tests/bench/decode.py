"""Reading and writing through `EngineWorker`, as the program does, against llama.cpp's own llama-bench.

    python tests/bench/decode.py --llama-bench PATH [--json OUT] [--rounds N] [--depths 0,1024,4096] [--models NAME,...]

The same model at the same depth (tokens already in the context): ours with the number of threads that it finds by
itself, llama-bench with the better one of one and all, in turns. The machine's speed drifts, so what counts is the
median of the ratios of neighbouring turns. Both compute attention in the same way, the faster one behind a
conversation.
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
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from app.domain.cancel import CancelToken
from app.domain.models import LoadRequest, ModelInfo, Sampling
from app.engine.learned.saved_states import StateFolder
from app.engine.local.worker import EngineWorker
from app.engine.placement.shape import read_shape
from app.engine.probe import ask
from app.engine.protocol import Finished, GenerationRequest, Tokens
from app.models.library.lookup import named
from app.models.library.shipped import shipped_models

ROOT = Path(__file__).resolve().parents[2]
MODELS = ("SmolLM2-135M-Instruct", "alcove-tiny")
ATTEMPTS = 100
BUSY = 0.5  # load average a processor beyond which the machine is said to be busy
READ = 512  # tokens of a prompt
LONGEST_S = 5.0  # of an answer
GOAL, BUSY_GOAL = 0.98, 0.9
CORES = sorted({1, os.cpu_count() or 1})
HOG = "import os, sys\nwhile os.getppid() == int(sys.argv[1]): sum(range(10000))"  # ends with whoever started it


@dataclass(frozen=True, slots=True)
class Pair:
    """Medians of tokens a second, llama-bench with its better number of ``threads``, and of the rounds' ratios."""

    ours: float
    theirs: float
    threads: int
    ratio: float


@dataclass(frozen=True, slots=True)
class Row:
    model: str
    depth: int
    read: Pair
    write: Pair
    overhead_us: float
    rounds: int


def theirs(program: Path, model: str, threads: int, depth: int, *options: str) -> float:
    """One run of llama-bench with one test: tokens a second."""
    command = [str(program), "-m", model, "-d", str(depth), "-t", str(threads), "-r", "1", "-o", "json", *options]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    (entry,) = json.loads(result.stdout)
    return float(entry["avg_ts"])


def same_layout(path: str) -> tuple[str, ...]:
    """Options with which llama-bench lays out weights as our engine does: there are models that it cannot lay out for
    AMX, and it dies of trying."""
    return ("--repack", "0") if ask()[1] and read_shape(Path(path)).amx is None else ()


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
    """One generation: tokens a second between the first and the last token, on the caller's clock. Ends early where it
    takes far too long: among busy processes two threads may need seconds for a token."""
    first = last = 0.0
    count, cancel = 0, CancelToken()
    for event in engine.generate(GenerationRequest(ids, Sampling(temperature=0), max_tokens=tokens), cancel):
        if isinstance(event, Tokens):
            last = time.perf_counter()
            first = first or last
            count += len(event.pieces)
            if last - first > LONGEST_S:
                cancel.cancel()
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
    path = named(shipped_models(), model).path
    whole = LoadRequest(path, context=depth + max(READ, tokens) + 16)
    tuning = engine.tune(whole, CancelToken())  # as the program does in its first idle time
    print(tuning.sentence, flush=True)
    chosen = tuning.chosen
    options = (*same_layout(path), "-fa", "0" if chosen.flash_attention is False else "1")

    def pair(ours: Callable[[int], float], *test: str) -> Pair:
        run = partial(theirs, program, path)
        tried = {threads: run(threads, depth, *options, *test) for threads in CORES}
        threads = max(tried, key=lambda threads: tried[threads])
        mine, others = [], []
        for turn in range(rounds):
            if turn % 2:
                mine.append(ours(turn))
            others.append(run(threads, depth, *options, *test))
            if not turn % 2:
                mine.append(ours(turn))
        ratio = statistics.median(own / other for own, other in zip(mine, others, strict=True))
        return Pair(statistics.median(mine), statistics.median(others), threads, ratio)

    info = engine.load(replace(whole, context=depth + tokens + 16, variant=chosen))  # llama-bench's has no more room
    ids = endless(engine, info, max(1, depth), tokens)  # from now on it is in the cache
    write = pair(lambda _: writing(engine, ids, tokens), "-p", "0", "-n", str(tokens))
    engine.load(whole)
    reading(engine, ids)

    def read_more(turn: int) -> float:
        return reading(engine, (*ids[:depth], *next(prompts(info, READ, seed=turn))))

    read = pair(read_more, "-p", str(READ), "-n", "0")
    return Row(model, depth, read, write, 1e6 / write.ours - 1e6 / write.theirs, rounds)


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
    path = named(shipped_models(), model).path
    choices: list[int | None] = [None, *against]
    engines = [EngineWorker(lambda event: None) for _ in choices]
    speeds: dict[int | None, list[float]] = {choice: [] for choice in choices}
    ids: tuple[int, ...] = ()
    burning = [subprocess.Popen([sys.executable, "-c", HOG, str(os.getpid())]) for _ in range(hogs)]
    try:
        for engine, threads in zip(engines, choices, strict=True):
            info = engine.load(LoadRequest(path, context=2 * tokens + 64, threads=threads))
            ids = ids or endless(engine, info, 8, tokens)
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
    print(f"{row.model:24} depth {row.depth:5}: {said('reads', row.read)}; {said('writes', row.write)}", flush=True)


def said(verb: str, pair: Pair) -> str:
    by = f"llama-bench {pair.theirs:.1f} with {pair.threads} threads"
    return f"{verb} {pair.ours:.1f} tokens/s, {by}, ratio {pair.ratio:.3f}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--llama-bench", type=Path, help="without it there is the second part only")
    parser.add_argument("--hogs", type=int, default=os.cpu_count() or 1, help="processes that burn a core each")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--rounds", type=int, default=7)
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
        worst = min(rows, key=lambda row: row.write.ratio)
        reads = min(row.read.ratio for row in rows)
        summary = (
            f"writes at {worst.write.ratio:.3f} of llama-bench's best or better ({worst.model} at {worst.depth}; "
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
