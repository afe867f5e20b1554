"""The models that came with the program."""

import sys
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from app.domain.library import ModelFile, Origin
from app.gguf.names import shard_of
from app.models.library.lookup import model_at


def default_roots() -> list[Path]:
    """Folders of the models that came with the program: inside the package or the frozen program, and inside the
    environment. Read-only; some may not exist."""
    bundle = getattr(sys, "_MEIPASS", None)  # where PyInstaller's program lies
    package = Path(bundle) / "resources" if bundle is not None else Path(str(files("resources")))
    return [package / "models", Path(sys.prefix) / "share" / "alcove" / "models"]


def shipped_models(roots: Sequence[Path] | None = None) -> list[ModelFile]:
    """The models below ``roots`` (default ``default_roots``), sorted by name within each root. No file is opened."""
    found: list[ModelFile] = []
    for root in default_roots() if roots is None else roots:
        paths = sorted(root.glob("*.gguf"), key=lambda path: path.name.casefold()) if root.is_dir() else []
        found += [model_at(path, Origin.SHIPPED) for path in paths if shard_of(path).number == 1]
    return found
