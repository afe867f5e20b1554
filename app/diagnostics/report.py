"""What a person can send who reports a fault: the program, the machine, the last crash, errors and lines of the log.

Nothing in it says what was asked, answered or read; the home folder is "~".
"""

import platform
import shutil
from collections.abc import Iterable
from datetime import datetime
from importlib import metadata
from pathlib import Path

from app import __version__
from app.diagnostics.log import FILE_NAME, last_records, masked
from app.diagnostics.running import last_crash
from app.domain.models import ModelInfo
from app.machine.devices import GIB, Machine

LIBRARIES = ("llama-cpp-python", "PySide6-Essentials", "huggingface_hub", "pypdfium2", "lxml", "keyring")
ERRORS, LINES = 5, 60
READ = 200_000  # characters of the log that are looked through
LONGEST_ERROR, LONGEST_LINE = 6_000, 300  # characters


def program() -> str:
    return f"Alcove {__version__}, Python {platform.python_version()}, {platform.platform()}"


def versions() -> tuple[list[str], list[str]]:
    """The libraries that matter, with their versions, and those that are not known here."""
    found, missing = [], []
    for name in LIBRARIES:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            missing.append(name)
    return found, missing


def report(logs: Path, data: Path, machine: Machine, model: ModelInfo | None) -> str:
    """``machine``: as it is now. ``model``: the one that is loaded."""
    records = last_records(logs, READ)
    errors = [record[:LONGEST_ERROR] for record in records if _is_error(record)][-ERRORS:]
    lines = [record.partition("\n")[0][:LONGEST_LINE] for record in records[-LINES:]]
    about = [program(), ", ".join(versions()[0]) or "a packaged program", *_machine(machine, data), _model(model)]
    parts = ["\n".join(about)]
    if crash := last_crash(logs):
        parts.append(f"Last crash, {_time(crash.when)}:\n{crash.trace or 'ended from outside'}")
    if errors:
        parts.append("\n".join(["Last errors:", *errors]))
    if lines:
        parts.append("\n".join([f"The end of {logs / FILE_NAME}:", *lines]))
    return masked("\n\n".join(parts)) + "\n"


def _machine(machine: Machine, data: Path) -> Iterable[str]:
    yield f"RAM {_gib(machine.ram.total)}, {_gib(machine.ram.free)} free{', AMX' if machine.amx else ''}"
    for gpu in machine.gpus:
        yield f"{gpu.name} {_gib(gpu.total)}, {_gib(gpu.free)} free{', shared with RAM' if gpu.unified else ''}"
    if not machine.gpus:
        yield "no graphics card that llama.cpp can use"
    if data.exists():
        yield f"{shutil.disk_usage(data).free / 1e9:.0f} GB free on the disk"


def _model(model: ModelInfo | None) -> str:
    if model is None:
        return "no model is loaded"
    kind = f"{model.architecture}, {model.description}"
    return f"model: {kind}, context {model.context} of {model.context_trained}, on {', '.join(model.devices)}"


def _is_error(record: str) -> bool:
    """By the level, the third word of a record."""
    return record.split(" ", 3)[2:3] in (["ERROR"], ["CRITICAL"])


def _time(when: float) -> str:
    return datetime.fromtimestamp(when).astimezone().strftime("%Y-%m-%d %H:%M")


def _gib(size: int) -> str:
    return f"{size / GIB:.1f} GB"
