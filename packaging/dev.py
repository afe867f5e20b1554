#!/usr/bin/env python3
"""The one door for developers: `python3 packaging/dev.py COMMAND`. Standard library only; needs Python 3.11 or newer.

Everything it makes lies in `.venv` and `.cache`; delete both to start over.
"""

import argparse
import subprocess
import sys

if sys.version_info < (3, 11):
    sys.exit("Alcove needs Python 3.11 or newer, and this is %d.%d. Run this with python3.11." % sys.version_info[:2])

# The sibling modules use what only Python 3.11 has, so the check comes before them.
import benchmarks
import demo
import downloads
import environment
import freeze
import installer
import system
from console import ROOT, Stop, say, show, step


def setup(*more: tuple[system.Need, ...]) -> None:
    """Everything that a fresh checkout needs; what is there already is left alone."""
    system.ensure(system.COMPILER, system.OFFSCREEN, *more)
    environment.make()
    downloads.fetch_models(downloads.starter_models())
    downloads.fetch_source()


def run(arguments: list[str]) -> int:
    """Opens the window, or does the main job on the command line where there is no display."""
    if arguments or system.can_open_a_window():
        setup(system.WINDOW)
        return show([environment.program("alcove"), *arguments])
    setup()
    say("There is no display here, so no window can open. This is the main job on the command line instead:")
    return demo.run()


def check(_arguments: list[str]) -> int:
    """Lint, formatting, types and the import contracts."""
    setup()
    checks = (
        ("Lint", ["ruff", "check", "."]),
        ("Formatting", ["ruff", "format", "--check", "."]),
        ("Types", ["mypy"]),
        ("Import contracts", ["lint-imports", "--no-logo"]),
    )
    failed = []
    for title, (tool, *options) in checks:
        with step(title):
            if show([environment.program(tool), *options]) != 0:
                failed.append(title)
    with step("Dead code"):
        if dead := unused():
            say("\n".join(dead))
            failed.append("Dead code")
    if failed:
        raise Stop(f"These checks failed: {', '.join(failed)}. Mend what they name above and run the command again.")
    return 0


def unused() -> list[str]:
    """What nobody calls. Tests count as callers; in them fixtures are found by name, so they are let be."""
    done = subprocess.run([environment.program("vulture")], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 3):  # 3: something is unused
        return [done.stderr.strip() or done.stdout.strip()]
    return [line for line in done.stdout.splitlines() if not line.startswith("tests")]


def test(arguments: list[str]) -> int:
    """The checks, then the tests; what follows goes to pytest. Its summary is the last that is printed."""
    setup(system.WINDOW, system.XVFB)
    check([])
    say("-> Tests")
    return show([environment.program("python"), "-m", "pytest", *arguments])


def bench(arguments: list[str]) -> int:
    """The benchmarks of tests/bench/, or those named, beside llama.cpp's own."""
    setup(system.WINDOW, system.XVFB)
    return benchmarks.run(arguments)


def lock(arguments: list[str]) -> int:
    """Writes the lock files from pyproject.toml; what follows goes to uv, for example --upgrade."""
    environment.write_locks(arguments)
    return 0


def only_setup(_arguments: list[str]) -> int:
    """Makes the environment, fetches what ships beside it, and says how to start."""
    setup()
    say(f"Ready: {environment.program('alcove').relative_to(ROOT)} starts Alcove.")
    return 0


def frozen(arguments: list[str]) -> int:
    """Freezes the program into dist/, with its own Python and a llama.cpp for every processor."""
    setup(*freeze_needs())
    return freeze.run(arguments)


def packed(arguments: list[str]) -> int:
    """Makes the installer of this system in dist/; --try installs, uses and removes it in a bare Debian 12."""
    setup(*freeze_needs())
    return installer.run(arguments)


def freeze_needs() -> tuple[tuple[system.Need, ...], ...]:
    return (system.WINDOW, freeze.BINUTILS)


COMMANDS = {
    "setup": only_setup,
    "run": run,
    "test": test,
    "check": check,
    "bench": bench,
    "lock": lock,
    "freeze": frozen,
    "installer": packed,
}


def main(words: list[str]) -> int:
    meanings = {name: (command.__doc__ or "").partition("\n")[0] for name, command in COMMANDS.items()}
    summary = "\n".join(f"  {name:<10} {meaning}" for name, meaning in meanings.items())
    parser = argparse.ArgumentParser(
        prog="dev.py",
        description="The one door for developers of Alcove.",
        epilog=f"commands:\n{summary}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, metavar="...", help="passed on by the command")
    chosen = parser.parse_args(words)
    try:
        return COMMANDS[chosen.command](chosen.arguments)
    except Stop as stop:
        print(f"dev.py: {stop}", file=sys.stderr, flush=True)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
