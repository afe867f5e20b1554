"""``alcove doctor``: what was found on this machine, and what to do about what is missing."""

import argparse
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from app.cli.local_model import local_model
from app.cli.output import JsonLines, Plain
from app.cli.trace import trace
from app.diagnostics.libraries import missing_libraries, no_window
from app.diagnostics.log import FILE_NAME
from app.diagnostics.report import program, report, versions
from app.domain.cancel import CancelToken
from app.domain.errors import AppError
from app.domain.library import ModelFile
from app.domain.models import LoadRequest, ModelInfo, PromptText, Sampling
from app.domain.sizes import disk_size
from app.engine.local.worker import EngineWorker
from app.engine.probe import this_machine
from app.engine.protocol import GenerationRequest, Tokens
from app.models.library.shipped import default_roots, shipped_models
from app.storage.chats.conversations import ConversationStore
from app.storage.paths import Paths
from app.storage.secrets import Secrets

PAINT_S = 120.0  # how long painting a window may take on the slowest machine


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report. ``status``: ok, warning (something is missing that one can live without) or error."""

    check: str
    status: str
    text: str
    hint: str = ""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--selftest", action="store_true", help="also paint a window and let a shipped model answer")
    parser.add_argument("--report", action="store_true", help="print what to send with a report of a fault")
    parser.add_argument(
        "--trace",
        metavar="MODEL",
        nargs="?",
        const="",
        help="print what the engine's pipe says for a small question; MODEL: not the smallest that came with Alcove",
    )
    parser.add_argument("--json", action="store_true", help="answer in JSON Lines")


def run(arguments: argparse.Namespace) -> int:
    """Exit 1 where something is broken; what is merely missing is a warning."""
    lines, plain = JsonLines(), Plain()
    paths = Paths.default(os.environ)
    if arguments.report:
        text = report(paths.logs, paths.data, this_machine(measure=False), None)
        if arguments.json:
            lines.write({"report": text})
        else:
            plain.write(text)
        return 0
    if arguments.trace is not None:
        trace(_model_to_trace(arguments.trace), as_json=arguments.json)
        return 0
    broken = False
    for finding in findings(paths, selftest=arguments.selftest):
        broken = broken or finding.status == "error"
        if arguments.json:
            lines.write({"check": finding.check, "status": finding.status, "text": finding.text, "hint": finding.hint})
        else:
            mark = {"ok": "ok     ", "warning": "missing", "error": "BROKEN "}[finding.status]
            plain.line(f"{mark}  {finding.check:12} {finding.text}")
            if finding.hint:
                plain.line(f"{'':23}{finding.hint}")
    return 1 if broken else 0


def _model_to_trace(name: str) -> str:
    shipped = shipped_models(default_roots())
    if name or not shipped:
        return str(local_model(name))
    return _smallest(shipped).path


def _smallest(models: list[ModelFile]) -> ModelFile:
    return min(models, key=lambda model: model.size)


def findings(paths: Paths, *, selftest: bool) -> Iterator[Finding]:
    """The report, line by line as it is found out."""
    yield Finding("program", "ok", program())
    yield _guarded("libraries", _libraries)
    yield _guarded("folders", lambda: _folders(paths))
    yield Finding("log", "ok", str(paths.logs / FILE_NAME))
    yield _guarded("conversations", lambda: _conversations(paths))
    yield _guarded("search", _search)
    yield _guarded("keyring", _keyring)
    models = shipped_models(default_roots())
    yield _models(models)
    yield _display()
    if selftest:
        yield _guarded("window", _window)
    if models:
        yield _guarded("engine", lambda: _engine(models, answer=selftest))


def _guarded(check: str, find: Callable[[], Finding]) -> Finding:
    try:
        return find()
    except AppError as error:
        return Finding(check, "error", error.info.message.format_map(error.info.values), error.info.hint)
    except (OSError, sqlite3.Error, subprocess.SubprocessError) as error:
        return Finding(check, "error", str(error))


def _libraries() -> Finding:
    found, missing = versions()
    if missing and not getattr(sys, "frozen", False):
        return Finding("libraries", "error", f"missing: {', '.join(missing)}", "Install Alcove again.")
    return Finding("libraries", "ok", ", ".join(found) or "part of the program")


def _folders(paths: Paths) -> Finding:
    for folder in (paths.data, paths.config, paths.cache):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not os.access(folder, os.W_OK):
            return Finding("folders", "error", f"{folder} cannot be written", "Change its permissions.")
    free = shutil.disk_usage(paths.data).free / 1e9
    status = "ok" if free > 1 else "warning"
    return Finding("folders", status, f"{paths.data} ({free:.0f} GB free)", "" if free > 1 else "Free some disk space.")


def _conversations(paths: Paths) -> Finding:
    store = ConversationStore(paths.chats_db)
    try:
        return Finding("conversations", "ok", f"{len(store.conversations())} in {paths.chats_db}")
    finally:
        store.close()


def _search() -> Finding:
    connection = sqlite3.connect(":memory:")
    try:
        connection.execute("CREATE VIRTUAL TABLE probe USING fts5(text)")
    except sqlite3.OperationalError:
        return Finding("search", "error", "SQLite has no FTS5 here", "Install a Python whose SQLite has FTS5.")
    finally:
        connection.close()
    return Finding("search", "ok", f"SQLite {sqlite3.sqlite_version} with FTS5")


def _keyring() -> Finding:
    if Secrets().available:
        return Finding("keyring", "ok", "access tokens can be kept")
    return Finding(
        "keyring",
        "warning",
        "no system keyring",
        "Access tokens are asked for again each time, never written to a file.",
    )


def _models(models: list[ModelFile]) -> Finding:
    if not models:
        return Finding("models", "warning", "none", "Open a GGUF file in the window, or name one with --model.")
    return Finding("models", "ok", ", ".join(f"{model.name} ({disk_size(model.size)})" for model in models))


def _display() -> Finding:
    if sys.platform.startswith("linux") and not any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY"))):
        return Finding("display", "warning", "none", "The window needs one; alcove ask works without.")
    if missing := missing_libraries(os.environ):
        sentence = no_window(missing)
        return Finding("display", "warning", "found, but no window can open", f"{sentence[0].upper()}{sentence[1:]}")
    return Finding("display", "ok", "found")


def _window() -> Finding:
    """A window painted without a screen, by the program itself in another process: this one must work without Qt."""
    program = [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-m", "ui.main"]
    done = subprocess.run(
        [*program, "--paint-check"], capture_output=True, text=True, encoding="utf-8", timeout=PAINT_S, check=False
    )
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:] or [f"exit status {done.returncode}"]
        return Finding("window", "error", f"cannot be painted: {last[0]}", "Install the libraries that Qt needs.")
    painted = json.loads(done.stdout)
    size, seconds = f"{painted['width']}x{painted['height']}", painted["seconds"]
    return Finding("window", "ok", f"painted, {size} with {painted['colours']} colours in {seconds} s")


def _engine(models: list[ModelFile], *, answer: bool) -> Finding:
    """Load the smallest shipped model in a child process, and let it say a few tokens where ``answer`` asks for it."""
    smallest = _smallest(models)
    engine = EngineWorker(lambda _event: None)
    try:
        info = engine.load(LoadRequest(str(Path(smallest.path)), context=512))
        said = f"; it says {_say(engine, info)!r}" if answer else ""
        backends = ", ".join(Path(path).stem for path in info.backends) or "backends built in"
        return Finding("engine", "ok", f"{info.name} runs on {', '.join(info.devices)} ({backends}){said}")
    finally:
        engine.close()


def _say(engine: EngineWorker, info: ModelInfo) -> str:
    prompt = "<|im_user|>user<|im_middle|>hello<|im_end|><|im_assistant|>assistant<|im_middle|>"
    (ids,) = engine.tokenize([PromptText(prompt)], add_special=info.add_bos)
    request = GenerationRequest(ids, Sampling(temperature=0.0), max_tokens=32)
    events = engine.generate(request, CancelToken())
    return "".join(piece.text for event in events if isinstance(event, Tokens) for piece in event.pieces).strip()
