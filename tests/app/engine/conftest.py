"""Engines for the tests of this folder: with a child that only pretends, and with llama.cpp and the shipped models."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from app.domain.cancel import CancelToken
from app.domain.models import LoadRequest, PromptText, Sampling, TokenPiece
from app.engine.local.worker import EngineWorker
from app.engine.protocol import EngineEvent, Finished, GenerationRequest, Prefill, Tokens
from app.models.library.lookup import named
from app.models.library.shipped import shipped_models

TINY_PROMPT = "<|im_user|>user<|im_middle|>what is 17*23?<|im_end|><|im_assistant|>assistant<|im_middle|>"


class Recorded:
    """An engine and everything it published."""

    def __init__(self, wiring: dict[str, object]) -> None:
        self.events: list[object] = []
        self.listeners: list[Callable[[object], object]] = [self.events.append]
        self.engine = EngineWorker(self._publish, **wiring)

    def _publish(self, event: object) -> None:
        for listener in self.listeners:
            listener(event)

    def of(self, kind: type) -> list[object]:
        return [event for event in self.events if isinstance(event, kind)]

    def ids(self, text: str = TINY_PROMPT) -> tuple[int, ...]:
        return self.engine.tokenize([PromptText(text)])[0]

    def run(self, prompt: tuple[int, ...], *, cancel: CancelToken | None = None, **wishes: object) -> "Answer":
        wishes.setdefault("sampling", Sampling(temperature=0))
        request = GenerationRequest(prompt, **wishes)
        return Answer(list(self.engine.generate(request, cancel or CancelToken())))


class Answer:
    def __init__(self, events: list[EngineEvent]) -> None:
        self.events = events
        self.pieces: list[TokenPiece] = [
            piece for event in events if isinstance(event, Tokens) for piece in event.pieces
        ]
        self.ids = tuple(piece.id for piece in self.pieces)
        self.text = "".join(piece.text for piece in self.pieces)
        self.prefill = [event for event in events if isinstance(event, Prefill)]
        last = events[-1]
        assert isinstance(last, Finished)
        self.finished = last
        self.reason = last.stop_reason
        self.stats = last.stats


@pytest.fixture
def make_engine() -> Iterator[Callable[..., Recorded]]:
    made: list[Recorded] = []

    def make(**wiring: object) -> Recorded:
        made.append(Recorded(wiring))
        return made[-1]

    yield make
    for recorded in made:
        recorded.engine.close()


@pytest.fixture
def tiny_path() -> str:
    return named(shipped_models(), "alcove-tiny").path


@pytest.fixture
def smol_path() -> str:
    return named(shipped_models(), "SmolLM2-135M-Instruct").path


@pytest.fixture
def tiny(make_engine: Callable[..., Recorded], tiny_path: str) -> Recorded:
    """alcove-tiny, loaded, on one thread."""
    recorded = make_engine()
    recorded.engine.load(LoadRequest(tiny_path, threads=1, threads_batch=1))
    return recorded


@pytest.fixture
def smol(make_engine: Callable[..., Recorded], smol_path: str) -> Recorded:
    """SmolLM2 with a context of 2048, on one thread."""
    recorded = make_engine()
    recorded.engine.load(LoadRequest(smol_path, context=2048, threads=1, threads_batch=1))
    return recorded


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module ``pretend_children`` of this folder, importable by a spawned process too."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    import pretend_children

    return pretend_children


@pytest.fixture
def pretend(make_engine: Callable[..., Recorded], children: ModuleType, model_file: str) -> Callable[..., Recorded]:
    """Makes an engine over a pretended child, with a file that passes for a model loaded."""

    def make(kind: str = "obedient", *, load: bool = True, **wiring: object) -> Recorded:
        recorded = make_engine(target=getattr(children, kind), **wiring)
        if load:
            recorded.engine.load(LoadRequest(model_file))
        return recorded

    return make


@pytest.fixture
def model_file(tmp_path: Path) -> str:
    """A file that looks like a model to whoever reads four bytes of it."""
    path = tmp_path / "some.gguf"
    path.write_bytes(b"GGUF and nothing else")
    return str(path)
