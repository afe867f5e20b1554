"""`dev.py bench`: builds llama.cpp's own bench from the cached source and runs every script in tests/bench/."""

import json
import shutil
from pathlib import Path, PurePosixPath

import downloads
from compiler import MARK, compiler_environment
from console import ROOT, Stop, quiet, say, show, step
from environment import CACHE, WINDOWS, find_uv, program

RESULTS = ROOT / "bench-results"
BUILD_TOOLS = ("--from", "cmake==4.4.4", "--with", "ninja")
# What llama-cpp-python's own build sets for ggml (its defaults, shared libraries, Release), and nothing that the bench
# does not need. tests/bench compares with this, so a flag here that the wheel lacks would make the comparison unfair.
CMAKE_FLAGS = (
    "-DCMAKE_BUILD_TYPE=Release",
    "-DBUILD_SHARED_LIBS=ON",
    "-DLLAMA_CURL=OFF",
    "-DLLAMA_OPENSSL=OFF",
    "-DLLAMA_BUILD_COMMON=ON",
    "-DLLAMA_BUILD_TOOLS=ON",
    "-DLLAMA_BUILD_SERVER=OFF",
    "-DLLAMA_BUILD_APP=OFF",
    "-DLLAMA_BUILD_EXAMPLES=OFF",
    "-DLLAMA_BUILD_TESTS=OFF",
)


def llama_bench() -> Path:
    """The llama-bench of the same llama.cpp that the environment has, built once into the cache."""
    version, _checksum = downloads.locked_source()
    home = CACHE / "llama-bench" / f"{version}-{MARK}"
    bench = home / "build" / "bin" / ("llama-bench.exe" if WINDOWS else "llama-bench")
    if (home / "built").is_file():
        return bench
    archive = downloads.fetch_source()
    cmake: list[str | Path] = [find_uv(), "tool", "run", "--quiet", *BUILD_TOOLS, "cmake"]
    with step("Building llama-bench (once; about as long as llama.cpp itself)"):
        shutil.rmtree(home.parent, ignore_errors=True)
        downloads.unpack_source(archive, PurePosixPath("."), home / "source")
        failure = "llama-bench could not be built: see the words above."
        configure = (*cmake, "-G", "Ninja", "-S", home / "source", "-B", home / "build", *CMAKE_FLAGS)
        quiet(configure, failure, env=compiler_environment())
        quiet([*cmake, "--build", home / "build", "--target", "llama-bench"], failure)
        (home / "built").touch()
    return bench


def scripts(names: list[str], folder: Path = ROOT / "tests" / "bench") -> list[Path]:
    """The benchmark scripts, or those of the given names. Raises ``Stop`` for a name that is none."""
    found = {path.stem: path for path in sorted(folder.glob("*.py")) if not path.stem.startswith(("_", "conftest"))}
    unknown = [name for name in names if name not in found]
    if unknown:
        raise Stop(f"There is no benchmark {', '.join(unknown)}. There are: {', '.join(found) or 'none yet'}.")
    return [found[name] for name in names] if names else list(found.values())


def run(names: list[str]) -> int:
    """Runs the benchmarks one after another, each with its JSON in bench-results/, then sums up. 1 if one failed."""
    chosen = scripts(names)
    if not chosen:
        raise Stop("tests/bench/ holds no benchmark yet.")
    RESULTS.mkdir(exist_ok=True)
    failed = []
    for script in chosen:
        result = RESULTS / f"{script.stem}.json"
        result.unlink(missing_ok=True)
        command: list[str | Path] = [program("python"), script, "--json", result]
        if "--llama-bench" in script.read_text(encoding="utf-8"):
            command += ["--llama-bench", llama_bench()]
        with step(f"Benchmark {script.stem}"):
            if show(command) != 0:
                failed.append(script.stem)
    say("")
    for script in chosen:
        say(f"{script.stem}: {'FAILED' if script.stem in failed else summary(RESULTS / f'{script.stem}.json')}")
    return 1 if failed else 0


def summary(result: Path) -> str:
    """One line of a result: its "summary" where it has one, else its top-level numbers."""
    try:
        figures = json.loads(result.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return "wrote no result"
    if not isinstance(figures, dict):
        return f"see {result.relative_to(ROOT)}"
    if isinstance(figures.get("summary"), str):
        return str(figures["summary"])
    numbers = [f"{name} {value:.4g}" for name, value in figures.items() if type(value) in (int, float)]
    return ", ".join(numbers) or f"see {result.relative_to(ROOT)}"
