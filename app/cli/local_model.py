"""The file of a model that a command names: by path, or by its name in the library (shipped, downloaded, opened)."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.domain.clock import SystemClock
from app.models.service import ModelService
from app.net.gate import NetworkGate
from app.storage.paths import Paths
from app.storage.secrets import Secrets
from app.storage.settings import SettingsStore


def local_model(name_or_path: str) -> Path:
    """A path is taken as it is: whether it is a model, its reader says. Raises AppError ``model-not-found`` or
    ``model-ambiguous`` for a name."""
    path = Path(name_or_path).expanduser()
    if path.is_file() or path.suffix.casefold() == ".gguf" or len(path.parts) > 1:
        return path.absolute()
    with model_service() as models:
        return Path(models.library.find(name_or_path).path)


@contextmanager
def model_service() -> Iterator[ModelService]:
    """The person's own, without anybody who hears its events."""
    paths = Paths.default(os.environ)
    settings = SettingsStore(paths.settings_file)
    models = ModelService(paths, settings, NetworkGate(settings.latest), Secrets(), lambda _event: None, SystemClock())
    try:
        yield models
    finally:
        models.close()
