"""What the developer door says and how it starts other programs: timed steps, signs of life, one-sentence errors."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SIGN_OF_LIFE_S = 30.0


class Stop(Exception):
    """The command cannot go on; the text says in one sentence what is wrong and what to do."""


def say(text: str) -> None:
    print(text, flush=True)


def duration(seconds: float) -> str:
    """``3.2 s``, ``1 min 05 s``."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{int(seconds) // 60} min {int(seconds) % 60:02d} s"


@contextmanager
def step(title: str) -> Iterator[None]:
    """Names a piece of work and, at its end, how long it took; shows every half minute that a long one lives."""
    say(f"-> {title}")
    started = time.monotonic()
    done = threading.Event()

    def show_life() -> None:
        while not done.wait(SIGN_OF_LIFE_S):
            say(f"   still working, {duration(time.monotonic() - started)}")

    clock = threading.Thread(target=show_life, name="sign-of-life", daemon=True)
    clock.start()
    try:
        yield
    finally:
        done.set()
        clock.join()
    say(f"   done in {duration(time.monotonic() - started)}")


def show(command: Sequence[str | Path], *, env: Mapping[str, str] | None = None) -> int:
    """Runs a program in the repository's root with its output in sight; gives its exit status."""
    try:
        return subprocess.run([str(word) for word in command], cwd=ROOT, env=env, check=False).returncode
    except OSError as error:
        raise Stop(f"{command[0]} could not be started ({error.strerror}). Run `setup` again.") from error
    except KeyboardInterrupt:
        return 130


def quiet(command: Sequence[str | Path], failure: str, *, env: Mapping[str, str] | None = None) -> str:
    """Runs a program and gives its output as text. If it fails, shows the end of that and stops with ``failure``."""
    try:
        done = subprocess.run(
            [str(word) for word in command],
            cwd=ROOT,
            env=env,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
    except OSError as error:
        raise Stop(f"{failure} ({command[0]}: {error.strerror})") from error
    if done.returncode != 0:
        print("\n".join(done.stdout.splitlines()[-20:]), file=sys.stderr, flush=True)
        raise Stop(failure)
    return done.stdout


def answers(command: Sequence[str | Path]) -> str | None:
    """The standard output of a short look-up, or None where the program is missing or fails."""
    try:
        done = subprocess.run(
            [str(word) for word in command], cwd=ROOT, check=False, capture_output=True, text=True, timeout=60
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout if done.returncode == 0 else None
