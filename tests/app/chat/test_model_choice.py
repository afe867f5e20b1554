"""Timing placements of the model that is chosen."""

import shutil
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.chat.model_choice import ModelChoice
from app.domain.cancel import CancelToken
from app.domain.errors import AppError
from app.domain.library import Origin
from app.domain.models import LoadRequest
from app.domain.placement import AS_PLANNED, LoadOverrides
from app.engine.fake import FakeEngine
from app.models.library.folder import ModelLibrary, Root
from app.models.library.lookup import named
from app.models.library.shipped import shipped_models
from app.responders.local.model_gate import ModelGate
from app.storage.settings import SettingsStore


class Tuned(FakeEngine):
    """Is tuned by itself until that is cancelled."""

    def __init__(self) -> None:
        super().__init__(loaded=False)
        self.tuned: list[LoadRequest] = []
        self.begun = threading.Semaphore(0)

    def tune_in_idle_time(self, request: LoadRequest, cancel: CancelToken) -> None:
        self.tuned.append(request)
        self.begun.release()
        assert cancel.wait(10)


@pytest.fixture
def engine() -> Tuned:
    return Tuned()


@pytest.fixture
def choice(tmp_path: Path, engine: Tuned) -> Iterator[ModelChoice]:
    settings = SettingsStore(tmp_path / "settings.json")
    library = ModelLibrary(lambda: (), tmp_path / "facts.json")
    choice = ModelChoice(engine, settings, library, (), lambda path: LoadOverrides(context=512), ModelGate())
    yield choice
    choice.close()


def test_a_model_is_tuned_by_itself_until_another_is_chosen(tmp_path: Path, choice: ModelChoice, engine: Tuned) -> None:
    names = ["one.gguf", "two.gguf"]
    for name in names:
        (tmp_path / name).touch()
        choice.select(str(tmp_path / name))
        assert engine.begun.acquire(timeout=10)
    assert engine.loads == engine.tuned == [LoadRequest(str(tmp_path / name), context=512) for name in names]


def bert_header() -> bytes:
    """A GGUF file without tensors whose header says that it is an embedding model."""

    def text(value: bytes) -> bytes:
        return struct.pack("<Q", len(value)) + value

    pairs = text(b"general.architecture") + struct.pack("<I", 8) + text(b"bert")
    return b"GGUF" + struct.pack("<IQQ", 3, 0, 2) + pairs + text(b"bert.pooling_type") + struct.pack("<II", 4, 1)


def test_embedding_models_are_not_offered(tmp_path: Path, engine: Tuned) -> None:
    (tmp_path / "embedding").mkdir()
    (tmp_path / "embedding" / "a-bert.gguf").write_bytes(bert_header())
    shutil.copy(named(shipped_models(), "alcove-tiny").path, tmp_path)
    settings = SettingsStore(tmp_path / "settings.json")
    library = ModelLibrary(lambda: [Root(tmp_path, Origin.SHIPPED)], tmp_path / "facts.json")
    choice = ModelChoice(engine, settings, library, (tmp_path,), lambda path: LoadOverrides(), ModelGate())
    assert [model.name for model in choice.list()] == ["alcove-tiny"]
    current = choice.current()
    assert current is not None
    assert current.name == "alcove-tiny"
    (tmp_path / "alcove-tiny.gguf").unlink()
    assert choice.current() is None


def test_the_current_model_is_tuned_when_somebody_asks(tmp_path: Path, choice: ModelChoice) -> None:
    with pytest.raises(AppError, match="no model"):
        choice.tune(CancelToken())
    (tmp_path / "one.gguf").touch()
    choice.choose(str(tmp_path / "one.gguf"))
    tuning = choice.tune(CancelToken())
    assert (tuning.name, tuning.chosen) == ("one", AS_PLANNED)
