"""How the cost of parsing grows: 100,000 characters of reasoning and 200 calls, the last tenth against the first.

Run: ``python tests/bench/parse.py``. Prints one JSON a family. The goal is a ratio of at most 1.2.
"""

import importlib.util
import json
import statistics
import time
from pathlib import Path
from types import ModuleType

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
    loaded = wires()
    for wire in loaded.WIRES:
        source = wire.template
        if "{" not in source:
            source = (ROOT / ".cache" / "llama.cpp-templates" / source).read_text(encoding="utf-8")
        sentence = "I look at it again; what if `x` < 3? Then {no}. "
        reasoning = sentence * (REASONING // len(sentence))
        call = ("get_weather", {"city": "Paris " * 20, "days": 3})
        found = detect(source)
        if wire.think:
            print(json.dumps({"wire": wire.name, "part": "reasoning", **measure(found, wire, loaded, reasoning, [])}))
        if not wire.single:
            print(json.dumps({"wire": wire.name, "part": "calls", **measure(found, wire, loaded, "", [call] * CALLS)}))


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
