"""What a repository on the Hub holds: the model that is wanted, its licence, where the bytes are."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.domain.errors import AppError
from app.domain.library import Licence, QuantizedModel, Repository
from app.domain.sizes import disk_size

# Licences that ask nothing of somebody who only runs a model. Any other is shown before the download.
_FREE = frozenset(
    {
        *("apache-2.0", "mit", "bsd", "bsd-2-clause", "bsd-3-clause", "bsd-3-clause-clear", "isc", "cc0-1.0", "zlib"),
        *("unlicense", "wtfpl", "cc-by-4.0", "cc-by-sa-4.0", "artistic-2.0", "bsl-1.0", "mpl-2.0", "ecl-2.0"),
        *("afl-3.0", "gpl-2.0", "gpl-3.0", "lgpl-2.1", "lgpl-3.0", "agpl-3.0"),
    }
)


def stated_licence(name: str, link: str) -> Licence:
    """As a repository states it."""
    return Licence(name, link, asks=bool(name) and name.casefold() not in _FREE)


def model_of(repository: Repository, wanted: str) -> QuantizedModel:
    """By quantization or name, in any case; "": the only one. Raises AppError ``quantization-unknown``,
    ``quantization-needed`` or ``shards-incomplete``."""
    if not wanted:
        wanted = _only(repository).name
    key = wanted.casefold()
    named = [model for model in repository.models if model.name.casefold() == key]
    found = named or [model for model in repository.models if model.quantization.casefold() == key]
    if len(found) != 1:
        names = [model.name for model in found] or [model.label for model in repository.models]
        raise AppError(
            "quantization-unknown",
            "{repository} has more than one {wanted}." if found else "{repository} has no {wanted}.",
            "Choose one of: {names}." if names else "It holds no GGUF files; look for a repository that does.",
            repository=repository.id,
            wanted=wanted,
            names=", ".join(names),
        )
    check_complete(found[0], repository.id)
    return found[0]


def check_complete(model: QuantizedModel, repository: str) -> None:
    """Raises AppError ``shards-incomplete``."""
    if not model.complete:
        raise AppError(
            "shards-incomplete",
            "{name} comes in {count} files, but {repository} has only {there} of them.",
            "Choose another quantization.",
            name=model.name,
            count=model.expected,
            repository=repository,
            there=len(model.files),
        )


def _only(repository: Repository) -> QuantizedModel:
    if len(repository.models) == 1:
        return repository.models[0]
    choices = ", ".join(f"{model.label} ({disk_size(model.size)})" for model in repository.models)
    raise AppError(
        "quantization-needed",
        "{repository} has {count} quantizations.",
        "Name one of them: {choices}." if choices else "Look for a repository with GGUF files.",
        repository=repository.id,
        count=len(repository.models),
        choices=choices,
    )


@dataclass(frozen=True, slots=True)
class Location:
    """Where a file's bytes can be fetched by range right now; signed addresses expire. ``etag`` names the content."""

    url: str
    etag: str
    size: int
    headers: Mapping[str, str]
