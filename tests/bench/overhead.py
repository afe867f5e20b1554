"""What a token costs us beyond llama.cpp, in CPU time: in the child, and in the program around it.

    python tests/bench/overhead.py [--json OUT] [--model alcove-tiny]

The child: the loop's own work between llama.cpp's two calls for each token, with 1k, 8k and 16k tokens in the context.
The program: everything from the pipe to a drained mailbox (messages, parser, store), for the first 1k tokens of an
answer, from 1k to 8k, and from 8k to 16k. "Real" tokens are computed between, which leaves the processor's caches to
the model; for the others llama.cpp is not asked, and they travel "together" in batches, as with a fast model, or each
"alone", as with a slow one. The goal is under 60 microseconds a token and side, and no growth with the length.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import _timed_child
from _timed_child import STEP, Orders

from app.domain.cancel import CancelToken
from app.domain.commands import SubmitPrompt, TurnOptions
from app.domain.events import TurnFinished
from app.domain.models import LoadRequest, PromptText, Sampling
from app.engine.local.worker import EngineWorker
from app.engine.protocol import Finished, GenerationRequest
from app.models.library.lookup import named
from app.models.library.shipped import shipped_models
from app.services import Services
from app.storage.paths import Paths

BUSY = 0.5  # load average a processor beyond which the machine is said to be busy
GOAL_US = 60.0
LENGTHS = (1024, 8192, 16384)
CONTEXT = LENGTHS[-1] + 1024
REAL = 512  # tokens of an answer that is really computed
FRAME_S = 0.03  # the window drains its mailbox at most so often
TEXT = "The sea is wide, and a ship that left its port last night has seen no land since then. "


@dataclass(frozen=True, slots=True)
class Row:
    """``us``: microseconds of CPU a token; ``at``: tokens in the context, or of the answer so far."""

    side: str
    mode: str
    at: int
    us: float


def spelt(path: str) -> tuple[int, ...]:
    """The text as tokens, for the model to write."""
    engine = EngineWorker(lambda event: None)
    try:
        engine.load(LoadRequest(path, threads=1))
        return engine.tokenize([PromptText(TEXT)])[0]
    finally:
        engine.close()


class Child:
    """An engine whose child reports what its own work costs."""

    def __init__(self, orders: Orders, path: str) -> None:
        orders.give()
        self._orders = orders
        self._engine = EngineWorker(lambda event: None, target=_timed_child.run)
        self._engine.load(LoadRequest(path, threads=1))

    def costs(self, before: int, tokens: int) -> list[float]:
        """Microseconds a token, for every ``STEP`` tokens of an answer behind a prompt."""
        words = self._orders.tokens
        prompt = (words * (before // len(words) + 1))[: max(2, before)]
        report = Path(self._orders.report)
        report.unlink(missing_ok=True)
        request = GenerationRequest(prompt, Sampling(temperature=0.6, top_k=20), max_tokens=tokens)
        *_, end = self._engine.generate(request, CancelToken())
        assert isinstance(end, Finished)
        return [int(line.split()[1]) / 1000 for line in report.read_text("utf-8").splitlines()]

    def close(self) -> None:
        self._engine.close()


def child_rows(orders: Orders, path: str) -> list[Row]:
    child = Child(orders, path)
    try:
        if orders.compute:
            return [Row("child", mode(orders), at, statistics.median(child.costs(at - REAL, REAL))) for at in LENGTHS]
        costs = child.costs(0, LENGTHS[-1])
    finally:
        child.close()
    return [  # the last eighth of the way to each length
        Row("child", mode(orders), at, statistics.median(costs[at * 7 // 8 // STEP : at // STEP])) for at in LENGTHS
    ]


def mode(orders: Orders) -> str:
    return "real" if orders.compute else "alone" if orders.alone else "together"


def answer_cpu(services: Services, tokens: int) -> float:
    """CPU seconds of this process, from the question to a drained mailbox and a stored answer."""
    ready, frame = (
        threading.Event(),
        threading.Event(),
    )  # the second one is never set: its waits are the window's frames
    inbox = services.mailbox.subscribe(ready.set)
    command = SubmitPrompt(services.store.create().id, "Go.", options=TurnOptions(max_tokens=tokens, tools=()))
    started = time.process_time()
    services.chat.submit(command)
    ended = False
    while not ended:
        ready.wait()
        ready.clear()
        frame.wait(FRAME_S)
        ended = any(isinstance(event, TurnFinished) for event in inbox.drain())
    spent = time.process_time() - started
    inbox.close()
    return spent


def program_rows(orders: Orders, path: str) -> list[Row]:
    orders.give()
    with tempfile.TemporaryDirectory() as home:
        engine = partial(EngineWorker, target=_timed_child.run)
        services = Services.create(Paths.below(Path(home)).create(), engine=engine, model=path)
        try:
            answer_cpu(services, 2)  # loads the model and everything that is loaded late
            lengths = (2, *LENGTHS)
            rounds = [[answer_cpu(services, length) for length in lengths] for _ in range(3)]
        finally:
            services.close()
    spent = [statistics.median(each) for each in zip(*rounds, strict=True)]
    return [
        Row("program", mode(orders), lengths[i], 1e6 * (spent[i] - spent[i - 1]) / (lengths[i] - lengths[i - 1]))
        for i in range(1, len(lengths))
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--model", default="alcove-tiny")
    options = parser.parse_args()
    load_before = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    busy = load_before > BUSY * (os.cpu_count() or 1)
    print(f"load average {load_before:.2f}{' (busy)' if busy else ''}", flush=True)
    path = named(shipped_models(), options.model).path
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        together = Orders(str(Path(folder) / "report"), spelt(path), CONTEXT)
        alone, real = replace(together, alone=True), replace(together, compute=True)
        for orders, measure in (
            (together, child_rows), (alone, child_rows), (real, child_rows),
            (together, program_rows), (alone, program_rows),
        ):  # fmt: skip
            measured = measure(orders, path)
            rows += measured
            for row in measured:
                print(f"{row.side:8} {row.mode:9} {row.at:6} tokens: {row.us:6.1f} us a token", flush=True)
    summary = summed_up(rows)
    print(summary)
    if options.json:
        report = {"load_average": load_before, "busy": busy, "goal_us": GOAL_US, "summary": summary}
        options.json.write_text(json.dumps({**report, "rows": [asdict(row) for row in rows]}, indent=2), "utf-8")
    return 0


def summed_up(rows: list[Row]) -> str:
    words = []
    for side in ("child", "program"):
        most = max(row.us for row in rows if row.side == side)
        alone = [row.us for row in rows if (row.side, row.mode) == (side, "alone")]
        words.append(f"{side} at most {most:.0f} us a token, at 16k {alone[-1] / alone[0]:.2f} times that at 1k")
    return f"own overhead: {'; '.join(words)} (goal {GOAL_US:.0f}, flat)"


if __name__ == "__main__":
    sys.exit(main())
