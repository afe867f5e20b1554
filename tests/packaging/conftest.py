"""The scripts of packaging/ as modules, the way `python3 packaging/dev.py` sees them."""

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "packaging"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], ModuleType]]:
    """Imports a script by name, fresh for this test and gone after it."""
    names = {path.stem for path in SCRIPTS.glob("*.py")}
    monkeypatch.syspath_prepend(str(SCRIPTS))
    yield importlib.import_module
    for name in names:
        sys.modules.pop(name, None)
