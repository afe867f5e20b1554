"""How long from starting the program to a painted window: frozen (dist/alcove) against from source.

Run: ``python tests/bench/first_paint.py [--json OUT] [--rounds N]``. Both take turns, without a screen; the median
counts. The goal is a ratio of at most 1.3. Without a frozen program only the source is measured.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
GOAL = 1.3
PROGRAMS = {
    "source": [str(Path(sys.executable).with_name("alcove")), "--paint-check"],
    "frozen": [str(ROOT / "dist" / "alcove" / "alcove"), "--paint-check"],
}


def first_paint(command: list[str]) -> float:
    """Seconds until the program says that it painted; it says so at once and ends afterwards."""
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as program:
        assert program.stdout is not None
        line = program.stdout.readline()
        seconds = time.perf_counter() - started
    if program.returncode != 0:
        raise RuntimeError(f"{command[0]} ended with {program.returncode}: {line!r}")
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--rounds", type=int, default=11)
    options = parser.parse_args()
    programs = {name: command for name, command in PROGRAMS.items() if Path(command[0]).exists()}
    times: dict[str, list[float]] = {name: [] for name in programs}
    for number in range(options.rounds + 1):
        for name, command in programs.items():
            seconds = first_paint(command)
            if number > 0:  # the first round reads the files into memory
                times[name].append(seconds)
    result: dict[str, object] = {f"{name}_s": round(statistics.median(values), 3) for name, values in times.items()}
    words = ", ".join(f"{name} {statistics.median(values):.3f} s" for name, values in times.items())
    if len(times) == 2:
        ratio = statistics.median(times["frozen"]) / statistics.median(times["source"])
        result |= {"ratio": round(ratio, 3), "goal": GOAL}
        words += f": {ratio:.2f} times as long (goal {GOAL})"
    else:
        words += " (no frozen program in dist/)"
    result["summary"] = f"first paint {words}"
    print(result["summary"])
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
