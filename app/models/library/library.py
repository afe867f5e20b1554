"""Models on disk, found by name."""

import sys
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from app.domain.errors import AppError
from app.domain.models import ModelFile
from app.gguf.names import display_name, shard_of, shards


def default_roots() -> list[Path]:
    """Folders of the models that came with the program: inside the package or the frozen program, and inside the
    environment. Read-only; some may not exist."""
    bundle = getattr(sys, "_MEIPASS", None)  # where PyInstaller's program lies
    package = Path(bundle) / "resources" if bundle is not None else Path(str(files("resources")))
    return [package / "models", Path(sys.prefix) / "share" / "alcove" / "models"]


def shipped_models(roots: Sequence[Path] | None = None) -> list[ModelFile]:
    """The models below ``roots`` (default ``default_roots``), sorted by name within each root."""
    found: list[ModelFile] = []
    for root in default_roots() if roots is None else roots:
        paths = sorted(root.glob("*.gguf"), key=lambda path: path.name.casefold()) if root.is_dir() else []
        found += [_model(path, shipped=True) for path in paths if _is_first(path)]
    return found


def find_model(name_or_path: str, roots: Sequence[Path] | None = None) -> ModelFile:
    """A model by its name ("alcove-tiny"), by a beginning of it that only one has, in any case, or by the path of any
    file. Raises AppError ``model-not-found`` with the names that there are, or ``model-ambiguous``."""
    models = shipped_models(roots)
    wanted = name_or_path.casefold().removesuffix(".gguf")
    exact = [model for model in models if model.name.casefold() == wanted]
    if exact:
        return exact[0]
    path = Path(name_or_path).expanduser()
    if path.suffix.casefold() == ".gguf" or len(path.parts) > 1:
        return _model(path.absolute(), shipped=False)  # the engine says what is wrong with it
    begun = [model for model in models if wanted and model.name.casefold().startswith(wanted)]
    names = {model.name for model in begun}
    if len(names) == 1:
        return begun[0]
    if begun:
        raise AppError(
            "model-ambiguous",
            "More than one model begins with “{name}”: {models}.",
            "Write more of the name.",
            name=name_or_path,
            models=", ".join(sorted(names)),
        )
    if path.is_file():
        return _model(path.absolute(), shipped=False)
    raise AppError(
        "model-not-found",
        "There is no model called “{name}”.",
        "There are: {models}. Or give the path of a .gguf file.",
        name=name_or_path,
        models=", ".join(dict.fromkeys(model.name for model in models)) or "none",
    )


def _is_first(path: Path) -> bool:
    return shard_of(path).number == 1


def _model(path: Path, *, shipped: bool) -> ModelFile:
    size = sum(part.stat().st_size for part in shards(path) if part.is_file())
    return ModelFile(display_name(path), str(path), size, shipped)
