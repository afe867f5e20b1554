"""How the cost of parsing grows: 100,000 characters of reasoning and 200 calls, the last tenth against the first.

Run: ``python tests/bench/parse.py --json OUT``. Prints one JSON a family and part: reasoning alone, calls alone, and
both in one output, where the last tenth is calls and the first is reasoning. The goal is a ratio of at most 1.2.

The input comes in pieces of four characters. The time is this thread's processor time; of each tenth the fastest of
several whole runs counts, because another program can only make it slower.
"""

import argparse
import gc
import importlib.util
import json
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from app.formats import detect

ROOT = Path(__file__).parents[2]
REASONING = 100_000
CALLS = 200
TENTHS = 10
REPEATS = 5
SECONDS = 0.4  # short inputs are parsed more often than REPEATS, until this much time is spent
PIECE = 4  # characters


def wires() -> ModuleType:
    path = ROOT / "tests" / "app" / "formats" / "wires.py"
    spec = importlib.util.spec_from_file_location("wires", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows = list(rows_of(wires()))
    for row in rows:
        print(json.dumps(row))
    if options.json is not None:
        worst = max(rows, key=lambda row: row["last_over_first"])
        summary = f"worst last tenth / first tenth {worst['last_over_first']} ({worst['wire']}, {worst['part']})"
        options.json.write_text(json.dumps({"summary": summary, "rows": rows}, indent=1) + "\n", encoding="utf-8")


def rows_of(loaded: ModuleType) -> Iterator[dict[str, Any]]:
    for wire in loaded.WIRES:
        source = wire.template
        if "{" not in source:
            source = (ROOT / ".cache" / "llama.cpp-templates" / source).read_text(encoding="utf-8")
        sentence = "I look at it again; what if `x` < 3? Then {no}. "
        reasoning = sentence * (REASONING // len(sentence))
        call = ("get_weather", {"city": "Paris " * 20, "days": 3})
        found = detect(source)
        if wire.think:
            yield {"wire": wire.name, "part": "reasoning", **measure(found, wire, loaded, reasoning, [])}
        if not wire.single:
            yield {"wire": wire.name, "part": "calls", **measure(found, wire, loaded, "", [call] * CALLS)}
        if wire.think and not wire.single:
            yield {"wire": wire.name, "part": "both", **measure(found, wire, loaded, reasoning, [call] * CALLS)}


def measure(found: object, wire: object, loaded: ModuleType, reasoning: str, calls: list[object]) -> dict[str, float]:
    """Seconds in all, characters a second, and the cost of the last tenth over that of the first."""
    text = "".join(piece for piece, _ in wire.compose(reasoning, "", calls, ""))  # type: ignore[attr-defined]
    pieces = [text[place : place + PIECE] for place in range(0, len(text), PIECE)]
    size = len(pieces) // TENTHS
    tenths = [pieces[tenth * size : (tenth + 1) * size] for tenth in range(TENTHS)]
    best = [float("inf")] * TENTHS
    gc.collect()
    gc.disable()
    runs, began = 0, time.thread_time()
    while runs < REPEATS or time.thread_time() - began < SECONDS:
        runs += 1
        parser = found.parser(wire.prompt, loaded.TOOLS)  # type: ignore[attr-defined]
        for number, tenth in enumerate(tenths):
            begin = time.thread_time()
            for piece in tenth:
                parser.feed(piece)
            best[number] = min(best[number], time.thread_time() - begin)
        parser.finish()
    gc.enable()
    total = sum(best)
    return {
        "seconds": round(total, 3),
        "characters_a_second": round(size * PIECE * TENTHS / total),
        "last_over_first": round(best[-1] / best[0], 2),
    }


if __name__ == "__main__":
    main()
