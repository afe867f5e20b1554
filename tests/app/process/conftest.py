"""Children that do what a test wants, importable by the processes that are spawned for them."""

from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module ``some_children`` of this folder."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    import some_children

    return some_children
