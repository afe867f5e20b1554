"""Nothing read twice: the first token of a long chat, cold, in its second turn, after another chat, after a restart,
on another branch and back.

    python tests/bench/prefix.py [--json OUT] [--rounds N] [--tokens 8000] [--model SmolLM2-135M-Instruct]

Everything goes through `EngineWorker` with a folder for states, as the program does. "Cold" reads the whole chat; the
others add one short user turn to it. What counts are the ratios to the cold time of the same round, because the
machine's speed drifts; every figure is a median over the rounds. The second part is alcove-tiny through ten tool
rounds with a switch to another chat in every one: tokens evaluated against unique tokens.
"""

import argparse
import json
import os
import random
import statistics
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from app.domain.cancel import CancelToken
from app.domain.messages import GenerationStats
from app.domain.models import LoadRequest, ModelInfo, PromptText, Sampling
from app.engine.learned.saved_states import StateFolder
from app.engine.local.worker import EngineWorker
from app.engine.protocol import Finished, GenerationRequest, Tokens
from app.models.library.lookup import named
from app.models.library.shipped import shipped_models

BUSY = 0.5  # load average a processor beyond which the machine is said to be busy
GOALS = {
    "second turn": 0.015,
    "switched away and back": 0.03,
    "after a restart": 0.03,
    "back on the first branch": 0.03,
    "and on the second": 0.03,
}
TURN = "<|im_end|>\n<|im_start|>user\nAnd why is that?<|im_end|>\n<|im_start|>assistant\n"
ANSWER = 16  # tokens
WORDS = "the sea is wide and a ship that left its port last night has seen no land since then because of fog".split()


@dataclass(frozen=True, slots=True)
class Row:
    """``seconds`` to the first token and ``ratio`` to the cold one, medians; ``evaluated`` of ``prompt`` tokens."""

    what: str
    seconds: float
    ratio: float
    goal: float | None
    prompt: int
    evaluated: int
    source: str
    restore_s: float


class Program:
    """An engine that is started and ended as the program does."""

    def __init__(self, path: str, context: int, folder: Path) -> None:
        self._wish = LoadRequest(path, context=context)
        self._folder = folder
        self.start()

    def start(self) -> None:
        self.engine = EngineWorker(lambda event: None, states=StateFolder(self._folder))
        self.model: ModelInfo = self.engine.load(self._wish)

    def tune(self) -> None:
        """What the program does in its first idle time."""
        print(self.engine.tune(self._wish, CancelToken()).sentence, flush=True)

    def restart(self) -> float:
        """Seconds that the end took."""
        started = time.perf_counter()
        self.engine.close()
        seconds = time.perf_counter() - started
        self.start()
        return seconds

    def ids(self, text: str) -> tuple[int, ...]:
        return self.engine.tokenize([PromptText(text)])[0]

    def ask(self, prompt: tuple[int, ...], chat: str, tokens: int = ANSWER) -> tuple[GenerationStats, tuple[int, ...]]:
        request = GenerationRequest(prompt, Sampling(temperature=0), max_tokens=tokens, conversation=chat)
        made: list[int] = []
        for event in self.engine.generate(request, CancelToken()):
            if isinstance(event, Tokens):
                made += [piece.id for piece in event.pieces]
            elif isinstance(event, Finished):
                return event.stats, tuple(made)
        raise RuntimeError("no end")


def chat(program: Program, seed: int, length: int) -> tuple[int, ...]:
    draw = random.Random(seed)
    ids: tuple[int, ...] = program.ids(f"<|im_start|>user\nStory {seed}. ")
    while len(ids) < length:
        ids += program.ids(" ".join(draw.choices(WORDS, k=200)) + ". ")
    return ids[:length]


def one_round(program: Program, seed: int, length: int) -> dict[str, GenerationStats]:
    """Stats of each way to the first token."""
    turn = program.ids(TURN)
    prompt = chat(program, seed, length)
    found: dict[str, GenerationStats] = {}

    def ask(what: str, prompt: tuple[int, ...], name: str) -> tuple[int, ...]:
        found[what], made = program.ask(prompt, name)
        return (*prompt, *made)

    history = ask("cold", prompt, f"chat {seed}")
    history = ask("second turn", (*history, *turn), f"chat {seed}")
    program.ask(chat(program, seed + 1000, 600), f"other {seed}")
    history = ask("switched away and back", (*history, *turn), f"chat {seed}")
    program.restart()
    history = ask("after a restart", (*history, *turn), f"chat {seed}")
    half = length // 2
    branch = (*prompt[:half], *chat(program, seed + 2000, length - half))
    branch = ask("a branch from the middle", branch, f"chat {seed}")
    history = ask("back on the first branch", (*history, *turn), f"chat {seed}")
    ask("and on the second", (*branch, *turn), f"chat {seed}")
    return found


def long_chat(path: str, length: int, rounds: int) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        program = Program(path, length + 192, Path(folder))
        try:
            program.tune()
            runs = [one_round(program, seed, length) for seed in range(rounds)]
        finally:
            program.engine.close()
    rows = []
    for what, last in runs[-1].items():
        times = [run[what].ttft_s for run in runs]
        ratios = [run[what].ttft_s / run["cold"].ttft_s for run in runs]
        restore = statistics.median(run[what].restore_s for run in runs)
        rows.append(
            Row(
                what, statistics.median(times), statistics.median(ratios), GOALS.get(what), last.prompt_tokens,
                last.prompt_tokens - last.cached_tokens, last.cached_from, restore,
            )
        )  # fmt: skip
    return rows


def tool_rounds(path: str, count: int = 10) -> dict[str, int]:
    """Tokens evaluated in the rounds of one answer, another chat asked in between, against the tokens there are."""
    with tempfile.TemporaryDirectory() as folder:
        program = Program(path, 2048, Path(folder))
        try:
            history = chat(program, 1, 300)
            other = chat(program, 2, 200)
            evaluated = 0
            for number in range(count):
                stats, made = program.ask(history, "tools", 40)
                evaluated += stats.prompt_tokens - stats.cached_tokens + stats.generated_tokens - 1
                result = program.ids(f"<|im_system|>result {number}: {number * 37}<|im_end|><|im_assistant|>")
                last, history = history, (*history, *made, *result)
                other += program.ask(other, "other", 8)[1]
            unique = len(last) + stats.generated_tokens - 1
        finally:
            program.engine.close()
    return {"rounds": count, "evaluated": evaluated, "unique": unique}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--model", default="SmolLM2-135M-Instruct")
    parser.add_argument("--tokens", type=int, default=7800)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    load_before = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    busy = load_before > BUSY * (os.cpu_count() or 1)
    print(f"load average {load_before:.2f}{' (busy: only the ratios mean something)' if busy else ''}", flush=True)
    rows = long_chat(named(shipped_models(), options.model).path, options.tokens, options.rounds)
    for row in rows:
        goal = f", goal {row.goal:.1%}" if row.goal else ""
        print(
            f"{row.what:24} {row.seconds:8.3f} s, {row.ratio:7.2%} of cold{goal}; evaluated {row.evaluated} of "
            f"{row.prompt} tokens, rest from {row.source}, looking and restoring {row.restore_s * 1000:.0f} ms"
        )
    tools = tool_rounds(named(shipped_models(), "alcove-tiny").path)
    print(f"{tools['rounds']} tool rounds: {tools['evaluated']} tokens evaluated, {tools['unique']} unique")
    goals = ", ".join(f"{row.what} {row.ratio:.2%} (goal {row.goal:.1%})" for row in rows if row.goal)
    twice = tools["evaluated"] - tools["unique"]
    summary = f"first token against a cold start: {goals}; {tools['rounds']} tool rounds read {twice} tokens twice"
    summary += ", measured on a busy machine" if busy else ""
    print(summary)
    if options.json:
        report = {"load_average": load_before, "busy": busy, "summary": summary, "tools": tools}
        options.json.write_text(json.dumps({**report, "rows": [asdict(row) for row in rows]}, indent=2), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
