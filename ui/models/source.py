"""What the page asks of the model service. Every method waits for the disk or the Hub: it runs on the bridge's pool."""

from collections.abc import Callable
from pathlib import Path

from app.domain.cancel import CancelToken
from app.domain.errors import AppError
from app.services import Services
from ui.models.values import Choice, DownloadRow, Found, ModelOnDisk, Offer, Removal, Stock

Progress = Callable[[int, int], None]
MOST_FOUND = 50


class ModelSource:
    def __init__(self, services: Services) -> None:
        self._models = services.models
        self._plans = services.plans
        self._settings = services.settings
        self._secrets = services.secrets

    # On this computer

    def models(self) -> list[ModelOnDisk]:
        """Everything in the folders that are searched."""
        folders = self._settings.get().model_folders
        return [
            ModelOnDisk(
                name=model.name,
                path=model.path,
                size=model.size,
                folder=str(Path(model.path).parent),
                quantization=model.quantization,
                experts=model.experts,
                experts_used=model.experts_used,
                context=model.context,
                shipped=model.place == "shipped",
                cached=model.place == "cache",
                removal=_removal(model.place, model.path, folders),
                removal_folder=_named_folder(model.path, folders),
                error=model.error or (_missing(model.missing) if model.missing else _purpose(model.writes)),
            )
            for model in self._models.library.models()
        ]

    def verify(self, path: str, progress: Progress, cancel: CancelToken) -> str:
        """What is wrong with a model, or ""."""
        model = self._models.library.find(path)
        return " ".join(check.error for check in self._models.verify(model, progress, cancel) if check.error)

    def remove(self, model: ModelOnDisk) -> None:
        if model.removal is Removal.FORGET_FOLDER:
            kept = tuple(folder for folder in self._settings.get().model_folders if folder != model.removal_folder)
            self._settings.update(model_folders=kept)
        else:
            self._models.remove(self._models.library.find(model.path))

    def take(self, path: str, by: str, progress: Progress, cancel: CancelToken) -> str:
        """Import a file; ``by`` is "copy", "move", "link" or "register". Returns where it is now."""
        return str(self._models.import_model(Path(path), by, progress, cancel))

    def add_folder(self, folder: str) -> None:
        known = self._settings.get().model_folders
        if folder not in known:
            self._settings.update(model_folders=(*known, folder))

    # To be had

    def offers(self) -> list[Offer]:
        """The program's own list, and whether each would fit just now."""
        return [
            Offer(
                name=entry.name,
                maker=entry.maker,
                repository=entry.repository,
                description=entry.description,
                parameters=entry.parameters,
                active=entry.active,
                experts=entry.experts,
                experts_used=entry.experts_used,
                context=entry.context,
                licence=entry.licence,
                asks=entry.licence_asks,
                note=entry.note,
                choices=tuple(self._choice(item.name, item.name, item.size) for item in entry.quantizations),
            )
            for entry in self._models.catalogue
        ]

    def search(self, query: str, cancel: CancelToken) -> list[Found]:
        return [
            Found(item.id, item.downloads, item.likes, item.licence, item.gated, item.updated)
            for item in self._models.hub().search(query, limit=MOST_FOUND, cancel=cancel)
        ]

    def look(self, name: str, cancel: CancelToken) -> Stock:
        """What a repository has, by its name or by that of an offer."""
        repository = self._models.repository(name, cancel)

        def start(choice: str, accepted: bool) -> str:
            return self._models.downloads.start(
                repository,
                repository.variant(choice),
                accepted=accepted,
                projector=repository.projectors[0] if repository.projectors else None,
            )

        choices = []
        for variant in repository.variants:
            cached = self._models.in_cache(repository, variant)
            choice = self._choice(
                variant.name,
                variant.quantization,
                variant.size,
                variant.expected,
                str(cached) if cached is not None else "",
                variant.complete,
            )
            choices.append(choice)
        return Stock(
            id=repository.id,
            page=repository.page,
            licence=repository.licence.name,
            licence_page=repository.licence.link,
            asks=repository.licence.asks,
            gated=repository.gated,
            has_token=self._models.has_token,
            choices=tuple(choices),
            start=start,
        )

    def expect(self, name: str, quantization: str, cancel: CancelToken) -> str:
        """How a model would run here, in a sentence, from its first megabytes on the Hub; "" while offline."""
        if self._settings.get().offline:
            return ""
        return self._plans.of_download(name, quantization, cancel).sentence

    def save_token(self, token: str) -> bool:
        """False where there is no keyring, so that it lasts only until the program ends."""
        return self._models.save_token(token)

    def keeps_tokens(self) -> bool:
        return self._secrets.available

    # On its way

    def downloads(self) -> list[DownloadRow]:
        return [
            DownloadRow(each.id, each.name, each.done, each.total, each.state, error=each.error)
            for each in self._models.downloads.list()
        ]

    def resume_interrupted(self) -> None:
        """Go on with what was under way when the program ended."""
        if not self._settings.get().offline:
            self._models.downloads.resume_interrupted()

    def pause(self, download_id: str) -> None:
        self._models.downloads.pause(download_id)

    def resume(self, download_id: str) -> None:
        self._models.downloads.resume(download_id)

    def cancel(self, download_id: str) -> None:
        try:
            self._models.downloads.cancel(download_id)
        except AppError as error:
            if error.code != "download-unknown":  # it finished or was cancelled meanwhile, which is what was wanted
                raise

    def _choice(
        self, name: str, quantization: str, size: int, files: int = 1, cached: str = "", complete: bool = True
    ) -> Choice:
        verdict = self._models.fits(size)
        return Choice(name, quantization, size, verdict.fit.value, verdict.sentence, files, cached, complete)


def _removal(place: str, path: str, folders: tuple[str, ...]) -> Removal:
    if place == "library":
        return Removal.DELETE
    if place != "folder":
        return Removal.NONE
    return Removal.FORGET if path in folders else Removal.FORGET_FOLDER


def _named_folder(path: str, folders: tuple[str, ...]) -> str:
    """The nearest of ``folders`` that ``path`` lies in, or ""."""
    above = {str(parent) for parent in Path(path).parents}
    return max((folder for folder in folders if str(Path(folder).expanduser()) in above), key=len, default="")


def _purpose(writes: bool) -> str:
    """Why a good file cannot be chosen for a chat, or ""."""
    return "" if writes else "It finds passages in your documents and does not chat."


def _missing(names: tuple[str, ...]) -> str:
    return f"{names[0]} is missing." if len(names) == 1 else f"{len(names)} of its files are missing."
