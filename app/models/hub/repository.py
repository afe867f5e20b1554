"""What the Hub says about models, as values."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.domain.errors import AppError
from app.models.disk import in_gigabytes
from app.models.hub.files import RepoFile, Variant

# Licences that ask nothing of somebody who only runs a model. Any other is shown before the download.
_FREE = frozenset(
    {
        *("apache-2.0", "mit", "bsd", "bsd-2-clause", "bsd-3-clause", "bsd-3-clause-clear", "isc", "cc0-1.0", "zlib"),
        *("unlicense", "wtfpl", "cc-by-4.0", "cc-by-sa-4.0", "artistic-2.0", "bsl-1.0", "mpl-2.0", "ecl-2.0"),
        *("afl-3.0", "gpl-2.0", "gpl-3.0", "lgpl-2.1", "lgpl-3.0", "agpl-3.0"),
    }
)


@dataclass(frozen=True, slots=True)
class Licence:
    """``name``: as the repository states it, "" where it states none. ``asks``: to be read and accepted first."""

    name: str
    link: str = ""
    asks: bool = False

    @classmethod
    def stated(cls, name: str, link: str) -> "Licence":
        return cls(name, link, asks=bool(name) and name.casefold() not in _FREE)


@dataclass(frozen=True, slots=True)
class RepoSummary:
    """A search result. ``updated``: ISO date, or ""."""

    id: str
    downloads: int
    likes: int
    gated: bool
    licence: str
    updated: str


@dataclass(frozen=True, slots=True)
class Repository:
    """``revision``: the commit that all of this is about. ``context`` in tokens, 0 where the Hub does not tell."""

    id: str
    revision: str
    licence: Licence
    gated: bool
    variants: tuple[Variant, ...]
    projectors: tuple[RepoFile, ...]
    page: str
    architecture: str = ""
    context: int = 0

    def variant(self, wanted: str) -> Variant:
        """By quantization or name, in any case; "": the only one. Raises AppError ``quantization-unknown``,
        ``quantization-needed`` or ``shards-incomplete``."""
        if not wanted:
            wanted = self._only().name
        key = wanted.casefold()
        named = [item for item in self.variants if item.name.casefold() == key]
        found = named or [item for item in self.variants if item.quantization.casefold() == key]
        if len(found) != 1:
            names = [item.name for item in found] or [item.quantization or item.name for item in self.variants]
            raise AppError(
                "quantization-unknown",
                "{repository} has more than one {wanted}." if found else "{repository} has no {wanted}.",
                "Choose one of: {names}." if names else "It holds no GGUF files; look for a repository that does.",
                repository=self.id,
                wanted=wanted,
                names=", ".join(names),
            )
        if not found[0].complete:
            raise AppError(
                "shards-incomplete",
                "{name} comes in {count} files, but {repository} has only {there} of them.",
                "Choose another quantization.",
                name=found[0].name,
                count=found[0].expected,
                repository=self.id,
                there=len(found[0].files),
            )
        return found[0]

    def _only(self) -> Variant:
        if len(self.variants) == 1:
            return self.variants[0]
        choices = ", ".join(f"{each.quantization or each.name} ({in_gigabytes(each.size)})" for each in self.variants)
        raise AppError(
            "quantization-needed",
            "{repository} has {count} quantizations.",
            "Name one of them: {choices}." if choices else "Look for a repository with GGUF files.",
            repository=self.id,
            count=len(self.variants),
            choices=choices,
        )


@dataclass(frozen=True, slots=True)
class Location:
    """Where a file's bytes can be fetched by range right now; signed addresses expire. ``etag`` names the content."""

    url: str
    etag: str
    size: int
    headers: Mapping[str, str]
