"""An embedding model with random weights, and children that only pretend to be one."""

from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module ``pretend_embedders`` of this folder, importable by a spawned process too."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    import pretend_embedders

    return pretend_embedders


@pytest.fixture
def bert(random_models: ModuleType, tmp_path: Path) -> Path:
    path = tmp_path / "bert.gguf"
    random_models.write_encoder(path)
    return path
