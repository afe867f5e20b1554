"""The program as a person starts it: real processes, real models, a home of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = [sys.executable, "-m", "ui.main"]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    home = tmp_path / "home"
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LD_LIBRARY_PATH", "TMPDIR") if name in os.environ}
    return {
        **kept,
        "ALCOVE_HOME": str(home),
        "PYTHONPATH": str(ROOT),
        "QT_QPA_PLATFORM": "offscreen",
        "PYTHONUTF8": "1",
    }


class Run:
    """What a finished command left behind."""

    def __init__(self, finished: "subprocess.CompletedProcess[str]") -> None:
        self.code = finished.returncode
        self.out = finished.stdout
        self.err = finished.stderr

    @property
    def records(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]

    def events(self, name: str) -> list[dict[str, Any]]:
        return [record for record in self.records if record["event"] == name]

    def text(self, name: str = "text") -> str:
        return "".join(record["text"] for record in self.events(name))


@pytest.fixture
def alcove(environment: dict[str, str], tmp_path: Path) -> Callable[..., Run]:
    """Run a command to its end."""

    def run(*arguments: str, stdin: str | None = None, timeout: float = 90) -> Run:
        return Run(
            subprocess.run(
                [*PROGRAM, *arguments],
                env=environment,
                cwd=tmp_path,
                input=stdin,
                capture_output=True,
                text=True,
                timeout=timeout,
                check=False,
            )
        )

    return run


@pytest.fixture
def start(environment: dict[str, str], tmp_path: Path) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Start a command and leave it running; what still runs at the end of the test is killed."""
    started: list[subprocess.Popen[str]] = []

    def popen(*arguments: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [*PROGRAM, *arguments],
            env=environment,
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield popen
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    """A small folder of documents with plain facts."""
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "garden.md").write_text(
        "# Garden\n\n## Tomatoes\n\nTomatoes need six hours of sun a day and water every morning.\n\n"
        "## Roses\n\nPrune roses in March.\n",
        encoding="utf-8",
    )
    (folder / "boiler.html").write_text(
        "<html><body><h1>Boiler</h1><p>The boiler number is 417.</p><p>It is serviced every May.</p></body></html>",
        encoding="utf-8",
    )
    return folder
