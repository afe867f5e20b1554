"""The transcript's speed, as JSON on standard output.

    QT_QPA_PLATFORM=offscreen python tests/bench/transcript.py [--tokens 10000] [--rate 200] [--only open,scroll,...]

Judged by CPU time of the UI thread and by ratios within one run, so that a busy machine does not spoil it. Each figure
stands beside its goal; ``met`` tells whether it was reached. The load average is noted: above 0.5 a core is busy.
"""

import argparse
import json
import os
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, QTimer
from PySide6.QtWidgets import QApplication

from app.domain.events import PartDelta, PartStarted, TurnFinished, TurnStarted
from app.domain.messages import (
    GenerationStats,
    Message,
    MessageStatus,
    Role,
    StopReason,
    TextPart,
)
from ui.chat.tool_words import ToolWords
from ui.chat.transcript import TranscriptView
from ui.theme import apply_theme, style_sheet

WORDS = (
    "the model attention layer token cache memory kernel value because therefore gradient when we compute each matrix "
    "step result function input output returns list sorted index integer complexity linear time space parser stream"
).split()
CODE = """def solve_{n}(items, limit={m}):
    \"\"\"Return the best subset of items under the limit.\"\"\"
    best = [0] * (limit + 1)
    for weight, value in items:          # classic knapsack
        for cap in range(limit, weight - 1, -1):
            best[cap] = max(best[cap], best[cap - weight] + value)
    return best[limit]
"""
CHARS_PER_TOKEN = 4
DRAIN_S = 0.030  # how often events reach the window


def sentence(rng: random.Random, count: int | None = None) -> str:
    words = [rng.choice(WORDS) for _ in range(count or rng.randint(6, 18))]
    spot = rng.randrange(len(words))
    style = rng.choice(["{}", "{}", "{}", "**{}**", "`{}_x`", "*{}*", "[{}](https://example.org/a)"])
    words[spot] = style.format(words[spot])
    return " ".join(words).capitalize() + "."


def piece(rng: random.Random) -> str:
    kind = rng.random()
    if kind < 0.45:
        return " ".join(sentence(rng) for _ in range(rng.randint(2, 5)))
    if kind < 0.55:
        return "#" * rng.randint(2, 3) + " " + sentence(rng, 5)[:-1]
    if kind < 0.70:
        return "\n".join("- " + sentence(rng) for _ in range(rng.randint(3, 6)))
    if kind < 0.76:
        return "\n".join(f"{i}. {sentence(rng)}" for i in range(1, rng.randint(4, 7)))
    if kind < 0.88:
        return "```python\n" + CODE.format(n=rng.randint(1, 99), m=rng.randint(9, 99)) + "```"
    if kind < 0.94:
        rows = "\n".join(f"| {rng.choice(WORDS)} | {rng.randint(1, 999)} | {sentence(rng, 5)} |" for _ in range(4))
        return "| Name | Cost | Note |\n|---|---:|---|\n" + rows
    if kind < 0.97:
        return "$$\n\\sum_{i=1}^{n} i^2 = \\frac{n(n+1)(2n+1)}{6}\n$$"
    return "> " + sentence(rng)


def answer(rng: random.Random, chars: int) -> str:
    pieces: list[str] = []
    while sum(map(len, pieces)) < chars:
        pieces.append(piece(rng))
    return "\n\n".join(pieces)


def conversation(count: int = 2000) -> list[Message]:
    rng = random.Random(1)
    messages = []
    for number in range(count):
        user = number % 2 == 0
        text = sentence(rng) if user else answer(rng, rng.choice([400, 900, 1500, 2500]))
        role = Role.USER if user else Role.ASSISTANT
        messages.append(
            Message(f"m{number}", "c", None, role, MessageStatus.COMPLETE, (TextPart(text),), 0.0, "alcove-tiny")
        )
    return messages


def endless(kind: str, chars: int) -> str:
    rng = random.Random(7)
    if kind == "mixed":
        return answer(rng, chars)
    if kind == "list":
        return "\n".join("- " + sentence(rng) for _ in range(chars // 95))
    if kind == "paragraph":
        return " ".join(sentence(rng) for _ in range(chars // 93))
    return "```python\n" + "".join(CODE.format(n=i, m=9) for i in range(chars // 330)) + "```\n"


class Bench:
    def __init__(self, app: QApplication) -> None:
        self._app = app
        self.results: dict[str, dict[str, float | bool]] = {}

    def note(self, name: str, value: float, goal: float) -> None:
        self.results[name] = {"value": round(value, 3), "goal": goal, "met": value <= goal}

    def settle(self) -> None:
        for _ in range(3):
            self._app.processEvents()
            self._app.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)

    def new_view(self) -> TranscriptView:
        view = TranscriptView(ToolWords())
        view.resize(1000, 900)
        view.show()
        self.settle()
        return view

    def drop(self, view: TranscriptView) -> None:
        view.close()
        view.deleteLater()
        self.settle()

    def open(self) -> None:
        messages = conversation()
        times = []
        for _ in range(5):
            view = self.new_view()
            begun = time.thread_time()
            view.show_conversation(messages)
            self._app.processEvents()
            times.append((time.thread_time() - begun) * 1000)
            self.drop(view)
        self.note("open_2000_messages_cpu_ms", statistics.median(times), 80)

    def scroll(self) -> None:
        view = self.new_view()
        view.show_conversation(conversation())
        self.settle()
        steps = [self._cpu_ms(lambda: view.scroll_by(-60)) for _ in range(400)]
        self.note("scroll_step_cpu_p95_ms", percentile(steps, 0.95), 10)
        rng = random.Random(3)
        bar = view.verticalScrollBar()
        jumps = [self._cpu_ms(lambda: bar.setValue(rng.randint(1, bar.maximum() - 1))) for _ in range(40)]
        self.note("jump_cpu_median_ms", statistics.median(jumps), 60)
        self.drop(view)

    def _cpu_ms(self, action: Callable[[], None]) -> float:
        begun = time.thread_time()
        action()
        self._app.processEvents()
        return (time.thread_time() - begun) * 1000

    def flush_cost(self, kind: str, tokens: int) -> None:
        """Without waiting: what a drain of 30 ms at 200 tokens a second costs, first and last quarter."""
        view = self.new_view()
        begin_turn(view, TextPart(""))
        costs = []
        for text in pieces(endless(kind, tokens * CHARS_PER_TOKEN), 26):
            begun = time.thread_time()
            view.apply(PartDelta("c", "a", 0, text))
            view.flush()
            self._app.processEvents()
            costs.append((time.thread_time() - begun) * 1000)
        quarter = len(costs) // 4
        first, last = statistics.mean(costs[:quarter]), statistics.mean(costs[-quarter:])
        self.results[f"flush_{kind}"] = {"first_quarter_ms": round(first, 2), "last_quarter_ms": round(last, 2)}
        if kind == "mixed":
            self.note("flush_last_over_first_quarter", last / first, 1.25)
        # The view waits eight times what an update cost, between 33 and 250 ms.
        interval = min(250.0, max(33.0, 8 * last))
        self.note(f"implied_busy_{kind}", last / interval, 0.12 if kind == "mixed" else 0.15)
        self.drop(view)

    def stream(self, tokens: int, rate: float, kind: str = "mixed") -> None:
        """In real time, as the bridge does it: events every 30 ms, updates when the view wants them."""
        view = self.new_view()
        view.show_conversation(conversation(200))
        self.settle()
        begin_turn(view, TextPart(""))
        source = pieces(endless(kind, tokens * CHARS_PER_TOKEN), max(1, int(rate * DRAIN_S * CHARS_PER_TOKEN)))
        late: list[float] = []
        blocks: list[float] = []  # CPU between two beats: how long the thread was away, whatever else the machine does
        last, last_cpu = time.perf_counter(), time.thread_time()

        def beat() -> None:
            nonlocal last, last_cpu
            now, now_cpu = time.perf_counter(), time.thread_time()
            late.append((now - last) * 1000 - 5)
            blocks.append((now_cpu - last_cpu) * 1000)
            last, last_cpu = now, now_cpu

        def drain() -> None:
            text = next(source, None)
            if text is None:
                self._app.exit()
            else:
                view.apply(PartDelta("c", "a", 0, text))

        heart, pump = QTimer(), QTimer()
        heart.timeout.connect(beat)
        pump.timeout.connect(drain)
        heart.start(5)
        pump.start(int(DRAIN_S * 1000))
        wall, cpu = time.perf_counter(), time.thread_time()
        self._app.exec()
        cpu, wall = time.thread_time() - cpu, time.perf_counter() - wall
        heart.stop()
        pump.stop()
        self.note(f"stream_{kind}_busy", cpu / wall, 0.12 if kind == "mixed" else 0.15)
        self.note(f"stream_{kind}_latency_p95_ms", percentile(late, 0.95), 8)
        self.note(f"stream_{kind}_latency_max_ms", max(late), 50)
        self.note(f"stream_{kind}_block_cpu_p95_ms", percentile(blocks, 0.95), 8)
        self.note(f"stream_{kind}_block_cpu_max_ms", max(blocks), 50)
        view.apply(TurnFinished("c", "a", MessageStatus.COMPLETE, StopReason.STOP, GenerationStats()))
        self.drop(view)


def begin_turn(view: TranscriptView, part: TextPart) -> None:
    view.apply(TurnStarted("c", "u", "a"))
    view.apply(PartStarted("c", "a", 0, part))


def pieces(text: str, size: int) -> Iterator[str]:
    return (text[start : start + size] for start in range(0, len(text), size))


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=int, default=10_000)
    parser.add_argument("--rate", type=float, default=200.0, help="tokens a second")
    parser.add_argument("--only", default="open,scroll,flush,stream")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    only = arguments.only.split(",")
    app = QApplication(sys.argv[:1])
    app.setStyleSheet(style_sheet(apply_theme(app, "light")))
    bench = Bench(app)
    if "open" in only:
        bench.open()
    if "scroll" in only:
        bench.scroll()
    if "flush" in only:
        for kind in ("mixed", "list", "paragraph", "code"):
            bench.flush_cost(kind, arguments.tokens)
    if "stream" in only:
        bench.stream(arguments.tokens, arguments.rate)
    load = os.getloadavg()[0] / (os.cpu_count() or 1)
    text = json.dumps({"load_per_core": round(load, 2), "busy": load > 0.5, "results": bench.results}, indent=2)
    print(text)
    if arguments.json is not None:
        arguments.json.write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
