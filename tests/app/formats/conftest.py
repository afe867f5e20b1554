"""Wires of all families, templates of the llama.cpp collection, and one way to run a parser."""

import importlib.util
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from app.domain.output import CallArguments, CallBroken, CallClosed, CallOpened, Content, Note, OutputEvent, Reasoning
from app.formats.protocol import ChatFormat

TEMPLATES = Path(__file__).parents[3] / ".cache" / "llama.cpp-templates"


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


WIRES = _load("wires")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "wire" in metafunc.fixturenames:
        metafunc.parametrize("wire", WIRES.WIRES, ids=lambda wire: wire.name)
    if "template_file" in metafunc.fixturenames:
        files = sorted(path.name for path in TEMPLATES.glob("*.jinja"))
        metafunc.parametrize("template_file", files or ["missing"])


@pytest.fixture(scope="session")
def wires() -> ModuleType:
    return WIRES


@pytest.fixture(scope="session")
def template_source() -> Callable[[str], str]:
    """The text of a template by file name; a template's own source is returned as it is."""

    def read(name: str) -> str:
        if "{" in name:
            return name
        path = TEMPLATES / name
        if not path.exists():
            pytest.fail(
                f"{path} is missing: the chat templates of the llama-cpp-python source distribution are not unpacked. "
                "Run `python packaging/dev.py setup`."
            )
        return path.read_text(encoding="utf-8")

    return read


@dataclass
class Parsed:
    """Events put together. ``shown``: the arguments as they streamed."""

    reasoning: str = ""
    content: str = ""
    calls: list[tuple[str, str]] = field(default_factory=list)
    broken: list[tuple[str, str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    shown: dict[int, str] = field(default_factory=dict)
    opened: list[int] = field(default_factory=list)


def put_together(events: Iterable[OutputEvent]) -> Parsed:
    parsed = Parsed()
    for event in events:
        if isinstance(event, Reasoning):
            parsed.reasoning += event.text
        elif isinstance(event, Content):
            parsed.content += event.text
        elif isinstance(event, CallOpened):
            parsed.opened.append(event.index)
        elif isinstance(event, CallArguments):
            parsed.shown[event.index] = parsed.shown.get(event.index, "") + event.text
        elif isinstance(event, CallClosed):
            parsed.calls.append((event.name, event.arguments))
        elif isinstance(event, CallBroken):
            parsed.broken.append((event.name, event.reason, event.raw))
        elif isinstance(event, Note):
            parsed.notes.append(event.code)
    return parsed


Delta = tuple[str, bool | None]


@pytest.fixture(scope="session")
def parse() -> Callable[..., Parsed]:
    """``parse(format, deltas, prompt=..., tools=...)``; deltas are texts or (text, control)."""

    def run(
        found: ChatFormat,
        deltas: str | Sequence[str | Delta],
        prompt: str = "",
        tools: Sequence[dict[str, Any]] = (),
        truncated: bool = False,
        **more: Any,
    ) -> Parsed:
        parser = found.parser(prompt, tools, **more)
        events: list[OutputEvent] = []
        for delta in [deltas] if isinstance(deltas, str) else deltas:
            events += parser.feed(delta) if isinstance(delta, str) else parser.feed(*delta)
        return put_together(events + parser.finish(truncated=truncated))

    return run


@pytest.fixture(scope="session")
def parse_all_cuts(parse: Callable[..., Parsed]) -> Callable[..., Parsed]:
    """Parse whole, by characters and by pieces of 3 and 8 characters: the same every time."""

    def run(found: ChatFormat, text: str, **options: Any) -> Parsed:
        whole = parse(found, text, **options)
        for size in (1, 3, 8):
            cut = [text[place : place + size] for place in range(0, len(text), size)]
            assert parse(found, cut, **options) == whole, f"cut into {size}"
        return whole

    return run
