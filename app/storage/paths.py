"""Where the program keeps its files."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from app.domain.errors import AppError

HOME_VARIABLE = "ALCOVE_HOME"
APP_NAME = "alcove"
PRIVATE = 0o700  # conversations and document texts are nobody else's business


@dataclass(frozen=True, slots=True)
class Paths:
    """Absolute folders and files. Nothing exists until ``create`` is called."""

    data: Path
    config: Path
    cache: Path
    models: Path
    logs: Path

    @classmethod
    def default(cls, environ: Mapping[str, str] | None = None) -> "Paths":
        """The system's usual folders, or everything below ``$ALCOVE_HOME`` where that is set."""
        home = (os.environ if environ is None else environ).get(HOME_VARIABLE, "")
        if home:
            return cls.below(Path(home).expanduser().absolute())
        data = platformdirs.user_data_path(APP_NAME, appauthor=False)
        return cls(
            data=data,
            config=platformdirs.user_config_path(APP_NAME, appauthor=False),
            cache=platformdirs.user_cache_path(APP_NAME, appauthor=False),
            models=data / "models",
            logs=platformdirs.user_log_path(APP_NAME, appauthor=False),
        )

    @classmethod
    def below(cls, home: Path) -> "Paths":
        """Everything in one folder, as a portable installation or a test wants it."""
        return cls(*(home / name for name in ("data", "config", "cache", "models", "logs")))

    @property
    def chats_db(self) -> Path:
        return self.data / "chats.db"

    @property
    def documents_db(self) -> Path:
        return self.data / "documents.db"

    @property
    def drafts_file(self) -> Path:
        return self.data / "drafts.json"

    @property
    def settings_file(self) -> Path:
        return self.config / "settings.json"

    @property
    def load_overrides_file(self) -> Path:
        return self.config / "models.json"

    def create(self) -> "Paths":
        """Make the missing folders, readable by the owner alone. Raises AppError ``folder-unusable``."""
        for folder in (self.data, self.config, self.cache, self.models, self.logs):
            make_private(folder)
        return self


def make_private(folder: Path) -> None:
    """Make ``folder`` as ``make_folder`` does. Raises AppError ``folder-unusable``."""
    try:
        make_folder(folder)
    except OSError as error:
        raise AppError(
            "folder-unusable",
            "The folder {path} cannot be made: {reason}.",
            "Choose another place with the environment variable ALCOVE_HOME, or correct its permissions.",
            detail=repr(error),
            path=error.filename or folder,
            reason=error.strerror or error,
        ) from error


def make_folder(folder: Path) -> None:
    """Make ``folder`` and its missing parents with mode 0700; what exists keeps its mode. Raises OSError."""
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        if folder.parent == folder:
            break
        folder = folder.parent
    for path in reversed(missing):
        path.mkdir(mode=PRIVATE, exist_ok=True)
