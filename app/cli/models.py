"""``alcove models``: what is in the library, what the Hub has, and the way from one to the other."""

import argparse
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType

from app.cli.arguments import positive
from app.cli.local_model import model_service
from app.cli.output import JsonLines, Plain
from app.domain.cancel import CancelToken
from app.domain.errors import AppError, Cancelled
from app.domain.events import DownloadFailed, DownloadFinished, DownloadProgress, DownloadState
from app.domain.library import CatalogueModel, Download, ImportBy, LibraryModel, QuantizedModel, Repository, RepoSummary
from app.domain.sizes import disk_size
from app.mailbox import Mailbox, Subscription
from app.models.hub.catalogue import fits
from app.models.hub.repository import model_of
from app.models.library.lookup import exactly
from app.models.service import ModelService


def configure(parser: argparse.ArgumentParser) -> None:
    json_option = argparse.ArgumentParser(add_help=False)
    json_option.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="answer in JSON Lines")
    parser.add_argument("--json", action="store_true", help="answer in JSON Lines")
    parser.epilog = (
        "Among others: download --accept-licence, import --by link, remove --yes. See: alcove models ACTION -h"
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION")

    def action(name: str, summary: str) -> argparse.ArgumentParser:
        return actions.add_parser(name, help=summary, description=summary, parents=[json_option])

    action("list", "models on this computer, and unfinished downloads")
    search = action("search", "models that can be had: of our list, or on the Hub")
    search.add_argument("query", metavar="QUERY", nargs="?", default="")
    search.add_argument("--limit", metavar="N", type=positive, default=20)
    info = action("info", "a model or file on this computer, or a repository on the Hub with its quantizations")
    info.add_argument("name", metavar="NAME")
    download = action("download", "fetch a model; the same command again goes on where it stopped")
    download.add_argument("name", metavar="NAME", help="OWNER/NAME on the Hub, or a name of our list")
    download.add_argument("quantization", metavar="QUANTIZATION", nargs="?", default="")
    download.add_argument("--accept-licence", action="store_true", help="I have read the licence that was named")
    download.add_argument("--again", action="store_true", help="even if it is in the Hub's cache")
    download.add_argument("--folder", metavar="DIR", type=Path, help="a library on another disk")
    take = action("import", "take a .gguf file that is on this computer into the library")
    take.add_argument("path", metavar="PATH", type=Path)
    take.add_argument("--by", choices=[way.value for way in ImportBy], default=ImportBy.COPY.value)
    verify = action("verify", "compare checksums and headers")
    verify.add_argument("name", metavar="NAME", nargs="?", default="", help="one model instead of all")
    remove = action("remove", "delete a model from the library")
    remove.add_argument("name", metavar="NAME")
    remove.add_argument("--yes", action="store_true", help="really")


def run(arguments: argparse.Namespace) -> int:
    mailbox = Mailbox()
    with model_service(mailbox.publish) as models:
        return _run(_Command(models, mailbox, JsonLines() if arguments.json else None), arguments)


def _run(command: "_Command", arguments: argparse.Namespace) -> int:
    work: Mapping[str | None, Callable[[argparse.Namespace], int]] = {
        None: command.list,
        "list": command.list,
        "search": command.search,
        "info": command.info,
        "download": command.download,
        "import": command.take,
        "verify": command.verify,
        "remove": command.remove,
    }
    try:
        return work[arguments.action](arguments)
    except Cancelled:
        return 130


class _Command:
    """One run: the models, and where its results go."""

    def __init__(self, models: ModelService, mailbox: Mailbox, lines: JsonLines | None) -> None:
        self._lines = lines
        self._plain = Plain()
        self._cancel = CancelToken()
        self._mailbox = mailbox
        self._models = models

    def list(self, _arguments: argparse.Namespace) -> int:
        for model in self._models.library.models():
            self._say(_model_record(model), _model_line(model))
        for each in self._models.downloads.list():
            self._say(_download_record(each), _download_line(each))
        return 0

    def search(self, arguments: argparse.Namespace) -> int:
        """Of our list what has the query in its names, then what the Hub finds; without a query the list alone."""
        query = arguments.query.casefold()
        for entry in self._models.catalogue:
            if query in f"{entry.name} {entry.maker} {entry.repository}".casefold():
                self._say(_entry_record(entry), _entry_line(entry))
        if query:
            known = {entry.repository for entry in self._models.catalogue}
            for found in self._models.hub().search(arguments.query, limit=arguments.limit, cancel=self._cancel):
                if found.id in known:
                    continue
                self._say(_found_record(found), _found_line(found))
        return 0

    def info(self, arguments: argparse.Namespace) -> int:
        path = Path(arguments.name).expanduser().absolute()
        here = exactly(self._models.library.models(), arguments.name)
        if not here and path.is_file():
            here = [self._models.library.look_at(path)]
        if here:
            for model in here:
                self._say(_model_record(model), _model_line(model))
            return 0
        repository = self._repository(arguments.name)
        entry = self._models.entry(repository.id)
        self._say(_repository_record(repository), _repository_line(repository))
        if entry is not None:
            self._say(_entry_record(entry), f"{entry.description} Sampling: {entry.sampling_source}.")
        for quantized in repository.models:
            self._say(_quantized_record(quantized), _quantized_line(quantized))
        return 0

    def download(self, arguments: argparse.Namespace) -> int:
        repository = self._repository(arguments.name)
        model = model_of(repository, arguments.quantization)
        cached = None if arguments.again else self._models.in_cache(repository, model)
        if cached is not None:
            raise AppError(
                "in-cache",
                "{name} is on this computer already, in the Hub's cache, and can be used from there.",
                "Use it by its name, or add --again to download it into the library too.",
                name=model.name,
                path=cached,
            )
        if self._lines is None:
            self._plain.line(f"{model.name}: {disk_size(model.size)}. {fits(model.size).sentence}")
        inbox = self._mailbox.subscribe()
        download_id = self._models.downloads.start(
            repository,
            model,
            accepted=arguments.accept_licence,
            library=arguments.folder.expanduser().absolute() if arguments.folder else None,
        )
        return self._follow(download_id, inbox)

    def take(self, arguments: argparse.Namespace) -> int:
        self._stop_on_interrupt()
        path = self._models.import_model(arguments.path, ImportBy(arguments.by), self._progress, self._cancel)
        self._say({"event": "imported", "path": str(path)}, f"{path} is in the library.")
        return 0

    def verify(self, arguments: argparse.Namespace) -> int:
        self._stop_on_interrupt()
        library = self._models.library
        good = True
        for model in [library.find(arguments.name)] if arguments.name else library.models():
            for check in self._models.verify(model, self._progress, self._cancel):
                good = good and not check.error
                record = {"path": check.path, "checksum": check.checksum, "error": check.error}
                right = "the checksum is right" if check.checksum else "whole; no checksum is known"
                self._say({"name": model.name, **record}, f"{check.path}: {check.error or right}")
        return 0 if good else 1

    def remove(self, arguments: argparse.Namespace) -> int:
        model = self._models.library.find(arguments.name)
        if not arguments.yes:
            raise AppError(
                "not-confirmed",
                "{name} ({size}, {path}) would be deleted for good.",
                "Add --yes to do it.",
                name=model.name,
                size=disk_size(model.size),
                path=model.path,
            )
        self._models.remove(model)
        self._say({"event": "removed", "name": model.name, "path": model.path}, f"{model.name} was removed.")
        return 0

    def _repository(self, name: str) -> Repository:
        return self._models.repository(name, self._cancel)

    def _follow(self, download_id: str, inbox: Subscription) -> int:
        """Show one download until it ends. Ctrl+C keeps what was fetched."""
        self._stop_on_interrupt()
        shown = ""
        while not self._cancel.cancelled:
            for event in inbox.wait(0.5):
                if isinstance(event, DownloadFailed) and event.id == download_id:
                    self._plain.end()
                    raise AppError.of(event.error)
                if isinstance(event, DownloadFinished) and event.id == download_id:
                    self._say(
                        {"event": "finished", "id": event.id, "path": event.path}, f"{event.path} is in the library."
                    )
                    return 0
                if isinstance(event, DownloadProgress) and event.id == download_id:
                    shown = self._show(event, shown)
        self._say({"event": "interrupted", "id": download_id}, "Stopped; the same command goes on from here.")
        return 130

    def _show(self, event: DownloadProgress, shown: str) -> str:
        """A record of each event, or a line for each per cent; returns the line."""
        note = event.note.text() if event.note else ""
        if self._lines is not None:
            record = {
                "event": "progress",
                "id": event.id,
                "state": event.state.value,
                "done": event.done,
                "total": event.total,
                "bytes_per_second": round(event.bytes_per_second),
                "note": note,
            }
            self._lines.write(record)
            return ""
        if note:
            line = f"  {note}"
        elif event.state is DownloadState.DOWNLOADING:
            line = f"  {100 * event.done // max(1, event.total)} % of {disk_size(event.total)}"
        else:
            line = f"  {event.state.value}"
        if line != shown:
            speed = f", {event.bytes_per_second / 1e6:.1f} MB/s" if event.bytes_per_second and not note else ""
            self._plain.line(line + speed, dim=True)
        return line

    def _progress(self, done: int, total: int) -> None:
        if self._lines is not None:
            self._lines.write({"event": "progress", "done": done, "total": total})

    def _stop_on_interrupt(self) -> None:
        def stop(_signal: int, _frame: FrameType | None) -> None:
            self._cancel.cancel()

        signal.signal(signal.SIGINT, stop)

    def _say(self, record: Mapping[str, object], line: str) -> None:
        if self._lines is not None:
            self._lines.write(record)
        else:
            self._plain.line(line)


def _model_record(model: LibraryModel) -> dict[str, object]:
    return {
        "name": model.name,
        "path": model.path,
        "files": list(model.files),
        "size": model.size,
        "place": model.origin.value,
        "quantization": model.quantization,
        "architecture": model.architecture,
        "experts": model.experts,
        "experts_used": model.experts_used,
        "context": model.context,
        "parameters": model.parameters,
        "projector": model.projector,
        "embedding": model.embeds,
        "repository": model.repository,
        "licence": model.licence,
        "complete": model.complete,
        "missing": list(model.missing),
        "error": model.error,
    }


def _model_line(model: LibraryModel) -> str:
    experts = f"{model.experts_used} of {model.experts} experts" if model.experts else ""
    context = f"context {model.context}" if model.context else ""
    kind = f"{model.architecture} embedding model" if model.embeds else model.architecture
    facts = (disk_size(model.size), model.quantization, kind, experts, context, model.origin.value)
    problem = f"  ! {model.error}" if model.error else ""
    return f"{model.name}  {', '.join(filter(None, facts))}{problem}"


def _download_record(download: Download) -> dict[str, object]:
    return {
        "download": download.id,
        "name": download.name,
        "repository": download.repository,
        "done": download.done,
        "total": download.total,
        "state": download.state.value,
        "error": download.error.text() if download.error else "",
    }


def _download_line(download: Download) -> str:
    progress = f"{disk_size(download.done)} of {disk_size(download.total)}, {download.state.value}"
    return f"(unfinished) {download.name}  {progress}"


def _found_record(found: RepoSummary) -> dict[str, object]:
    return {
        "repository": found.id,
        "downloads": found.downloads,
        "likes": found.likes,
        "licence": found.licence,
        "gated": found.gated,
        "updated": found.updated,
    }


def _found_line(found: RepoSummary) -> str:
    shown = ", ".join(filter(None, (found.licence, found.updated, "gated" if found.gated else "")))
    return f"{found.id}  {found.downloads} downloads, {shown}"


def _entry_record(entry: CatalogueModel) -> dict[str, object]:
    return {
        "name": entry.name,
        "maker": entry.maker,
        "repository": entry.repository,
        "parameters": entry.parameters,
        "active": entry.active,
        "context": entry.context,
        "licence": entry.licence,
        "licence_asks": entry.licence_asks,
        "checked": entry.checked,
        "note": entry.note,
        "quantizations": [
            {"name": each.name, "size": each.size, "fit": fits(each.size).fit.value} for each in entry.quantizations
        ],
    }


def _entry_line(entry: CatalogueModel) -> str:
    smallest = min(entry.quantizations, key=lambda each: each.size)
    counts = f"{entry.parameters / 1e9:.0f}B parameters, {entry.active / 1e9:.1f}B active"
    sizes = f"{smallest.name} {disk_size(smallest.size)}: {fits(smallest.size).sentence}"
    return f"{entry.name}  {entry.repository}  {counts}, {entry.licence}. {sizes}"


def _repository_record(repository: Repository) -> dict[str, object]:
    return {
        "repository": repository.id,
        "revision": repository.revision,
        "licence": repository.licence.name,
        "licence_link": repository.licence.link,
        "licence_asks": repository.licence.asks,
        "gated": repository.gated,
        "architecture": repository.architecture,
        "context": repository.context,
        "projectors": [file.path for file in repository.projectors],
    }


def _repository_line(repository: Repository) -> str:
    licence = repository.licence.name or "not stated"
    asks = f", to be accepted first: {repository.licence.link}" if repository.licence.asks else ""
    gated = "; gated: needs an access token" if repository.gated else ""
    return f"{repository.id}  licence {licence}{asks}{gated}"


def _quantized_record(model: QuantizedModel) -> dict[str, object]:
    verdict = fits(model.size)
    return {
        "name": model.name,
        "quantization": model.quantization,
        "size": model.size,
        "files": len(model.files),
        "complete": model.complete,
        "fit": verdict.fit.value,
        "why": verdict.sentence,
    }


def _quantized_line(model: QuantizedModel) -> str:
    count = f" in {len(model.files)} files" if len(model.files) > 1 else ""
    return f"  {model.label:12} {disk_size(model.size):>9}{count}  {fits(model.size).sentence}"
