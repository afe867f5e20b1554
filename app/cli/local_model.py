"""The models that a command works with: the person's own library, and a model of it by name or path."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.domain.clock import SystemClock
from app.domain.events import Event
from app.domain.protocols import Publish
from app.models.service import ModelService
from app.net.gate import NetworkGate
from app.storage.paths import Paths
from app.storage.secrets import Secrets
from app.storage.settings import SettingsStore


def local_model(name_or_path: str) -> Path:
    """Raises AppError ``model-not-found`` or ``model-ambiguous`` for a name."""
    with model_service() as models:
        return Path(models.library.locate(name_or_path).path)


def _to_nobody(event: Event) -> None:
    """Takes events that no command waits for."""


@contextmanager
def model_service(publish: Publish = _to_nobody) -> Iterator[ModelService]:
    """The person's own, until the end of the block."""
    paths = Paths.default(os.environ)
    settings = SettingsStore(paths.settings_file)
    service = ModelService(paths, settings, NetworkGate(settings.latest), Secrets(), publish, SystemClock())
    try:
        yield service
    finally:
        service.close()
