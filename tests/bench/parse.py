"""How the cost of parsing grows: 100,000 characters of reasoning and 200 calls, the last tenth against the first.

Run: ``python tests/bench/parse.py --json OUT``. Prints one JSON a family. The goal is a ratio of at most 1.2.
"""

import argparse
import importlib.util
import json
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from app.chat.formats import detect

ROOT = Path(__file__).parents[2]
REASONING = 100_000
CALLS = 200
TENTHS = 10
REPEATS = 5


def wires() -> ModuleType:
    path = ROOT / "tests" / "app" / "chat" / "formats" / "wires.py"
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


def measure(found: object, wire: object, loaded: ModuleType, reasoning: str, calls: list[object]) -> dict[str, float]:
    """Seconds in all, characters a second, and the cost of the last tenth over that of the first (medians)."""
    text = "".join(piece for piece, _ in wire.compose(reasoning, "", calls, ""))  # type: ignore[attr-defined]
    pieces = [text[place : place + 4] for place in range(0, len(text), 4)]
    size = len(pieces) // TENTHS
    times: list[list[float]] = [[] for _ in range(TENTHS)]
    for _ in range(REPEATS):
        parser = found.parser(wire.prompt, loaded.TOOLS)  # type: ignore[attr-defined]
        for tenth in range(TENTHS):
            begin = time.perf_counter()
            for piece in pieces[tenth * size : (tenth + 1) * size]:
                parser.feed(piece)
            times[tenth].append(time.perf_counter() - begin)
        parser.finish()
    medians = [statistics.median(column) for column in times]
    total = sum(medians)
    return {
        "seconds": round(total, 3),
        "characters_a_second": round(len(text) / total),
        "last_over_first": round(medians[-1] / medians[0], 2),
    }


if __name__ == "__main__":
    main()
