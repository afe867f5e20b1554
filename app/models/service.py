"""Everything about models in one hand: what is on the disk, what can be had, what is on its way.

Made by ``services`` and by the command line. Any thread; what asks the Hub or reads files waits for it.
"""

import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from app.domain.cancel import CancelToken
from app.domain.library import (
    CatalogueModel,
    CatalogueOffer,
    FileCheck,
    FileProgress,
    ImportBy,
    LibraryModel,
    Licence,
    Origin,
    QuantizedModel,
    Repository,
    Stock,
    StockItem,
)
from app.domain.protocols import Clock, Publish
from app.models.downloads.downloads import DownloadService
from app.models.downloads.surroundings import Surroundings
from app.models.hub.catalogue import entry_for, fits, load_catalogue
from app.models.hub.files import check_path
from app.models.library.folder import ModelLibrary, Root
from app.models.library.manage import import_model, remove_model, verify_model
from app.models.library.shipped import default_roots
from app.net.gate import NetworkGate
from app.storage.paths import Paths
from app.storage.secrets import Secrets
from app.storage.settings import SettingsStore

if TYPE_CHECKING:
    from app.models.hub.hub import HubClient  # takes a second to import, so ``hub`` does it


class ModelService:
    """``environ``: where the Hub's mirror, token and cache are named (``HF_ENDPOINT``, ``HF_TOKEN``, ``HF_HOME``)."""

    def __init__(
        self,
        paths: Paths,
        settings: SettingsStore,
        gate: NetworkGate,
        secrets: Secrets,
        publish: Publish,
        clock: Clock,
        *,
        environ: Mapping[str, str] = os.environ,
        shipped: Sequence[Path] | None = None,
        around: Surroundings | None = None,
    ) -> None:
        self._paths = paths
        self._settings = settings
        self._gate = gate
        self._secrets = secrets
        self._environ = environ
        self._around = around
        self._shipped = default_roots() if shipped is None else shipped
        self._lock = threading.Lock()
        self._hub: HubClient | None = None
        self.catalogue: tuple[CatalogueModel, ...] = load_catalogue()
        self.library = ModelLibrary(self._roots, paths.cache / "model-headers.json")
        self.downloads = DownloadService(
            paths.data / "downloads", paths.models, self.hub, publish, clock, around=around
        )

    def close(self) -> None:
        """Stop the downloads, keeping what was fetched. Idempotent."""
        self.downloads.close()
        with self._lock:
            hub, self._hub = self._hub, None
        if hub is not None:
            hub.close()

    def hub(self) -> "HubClient":
        from app.models.hub.hub import HubClient

        with self._lock:
            if self._hub is None:
                wait = {} if self._around is None else {"wait": self._around.wait}
                self._hub = HubClient(self._gate, self._secrets, self._environ, **wait)
            return self._hub

    def entry(self, name: str) -> CatalogueModel | None:
        """Of the catalogue, by its name or its repository's."""
        named = next((item for item in self.catalogue if item.name.casefold() == name.casefold()), None)
        return named or entry_for(name, self.catalogue)

    def repository(self, name: str, cancel: CancelToken | None = None) -> Repository:
        """By the Hub's name, or by the name of a model in the catalogue, whose licence then holds."""
        entry, hub = self.entry(name), self.hub()
        found = hub.repository(entry.repository if entry is not None else name, cancel=cancel)
        if entry is None or not entry.licence_asks:
            return found
        return replace(found, licence=Licence(entry.licence, hub.page(entry.licence_page), asks=True))

    def offers(self) -> list[CatalogueOffer]:
        """The catalogue, and whether each of its models would fit just now."""
        return [
            CatalogueOffer(model, tuple(fits(quantization.size) for quantization in model.quantizations))
            for model in self.catalogue
        ]

    def stock(self, name: str, cancel: CancelToken | None = None) -> Stock:
        """What a repository (see ``repository``) has for this machine. Asks the Hub and the keyring."""
        repository = self.repository(name, cancel)
        items = [
            StockItem(model, fits(model.size), str(self.in_cache(repository, model) or ""))
            for model in repository.models
        ]
        return Stock(repository, tuple(items), self.has_token)

    def in_cache(self, repository: Repository, model: QuantizedModel) -> Path | None:
        """The model's first file in the Hub's cache, where another program has downloaded the very same bytes."""
        cached = hub_cache(self._environ) / f"models--{repository.id.replace('/', '--')}"
        for snapshot in sorted(cached.glob("snapshots/*")):
            files = [(snapshot.joinpath(*check_path(file.path).parts), file) for file in model.files]
            if all(path.is_file() and path.resolve().name == file.sha256 for path, file in files):
                return files[0][0]
        return None

    def embedding_model(self) -> Path | None:
        """The model that finds passages by their meaning: the person's own before the one that came with us."""
        return next((Path(model.path) for model in self.library.models() if model.embeds and model.complete), None)

    @property
    def has_token(self) -> bool:
        """Whether there is a token for the Hub. Asks the keyring."""
        from app.models.hub.hub import TOKEN

        return bool(self._secrets.get(TOKEN) or self._environ.get("HF_TOKEN"))

    def save_token(self, token: str) -> bool:
        """Use this token from now on; False where it lasts only until the program ends."""
        from app.models.hub.hub import TOKEN

        return self._secrets.set(TOKEN, token)

    def import_model(self, path: Path, by: ImportBy, progress: FileProgress, cancel: CancelToken) -> Path:
        """See ``manage.import_model``."""
        return import_model(path, self._paths.models, by, self.add_folder, progress, cancel)

    def verify(self, model: LibraryModel, progress: FileProgress, cancel: CancelToken) -> list[FileCheck]:
        """See ``manage.verify_model``."""
        return verify_model(model, progress, cancel)

    def remove(self, model: LibraryModel) -> None:
        """See ``manage.remove_model``."""
        remove_model(model, self._paths.models, self.forget_folder)

    def add_folder(self, folder: str) -> None:
        """Search this folder, or look at this file, from now on. Raises AppError ``settings-not-saved``."""
        known = self._settings.get().model_folders
        if folder not in known:
            self._settings.update(model_folders=(*known, folder))

    def forget_folder(self, folder: str) -> None:
        """The opposite; ``folder`` as the person named it. Raises AppError ``settings-not-saved``."""
        kept = tuple(known for known in self._settings.get().model_folders if known != folder)
        self._settings.update(model_folders=kept)

    def _roots(self) -> list[Root]:
        """Of the person's folders the inner ones first, so that a model belongs to the nearest."""
        named = [Root(Path(name).expanduser(), Origin.FOLDER, name) for name in self._settings.get().model_folders]
        named.sort(key=lambda root: len(root.path.parts), reverse=True)
        shipped = (Root(folder, Origin.SHIPPED) for folder in self._shipped)
        cache = Root(hub_cache(self._environ), Origin.CACHE)
        return [Root(self._paths.models, Origin.LIBRARY), *named, *shipped, cache]


def hub_cache(environ: Mapping[str, str]) -> Path:
    """Where programs that use ``huggingface_hub`` keep their downloads (its constants.py)."""
    if environ.get("HF_HUB_CACHE"):
        return Path(environ["HF_HUB_CACHE"]).expanduser()
    cache = environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(environ.get("HF_HOME") or f"{cache}/huggingface").expanduser() / "hub"
