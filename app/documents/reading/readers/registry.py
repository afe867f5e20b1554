"""Which reader reads what, by the ending of a file's name."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from pathlib import PurePath
from typing import TypeAlias, cast

from app.documents.language.words import words
from app.documents.reading.blocks import Block, Limits

VERSION = 1
"""Raise it when unchanged files come out differently: indexes of another version are built again."""


_SOURCE = (
    "py pyi js mjs cjs jsx ts tsx java kt kts scala c h cc cpp cxx hpp hh cs go rs rb php pl pm swift m mm lua r jl"
    " hs ml sh bash zsh fish ps1 bat cmd sql json jsonl ndjson toml yaml yml ini cfg conf xml xsl css scss less vue"
    " svelte gradle cmake mk dockerfile properties env tf proto graphql el clj ex exs erl dart f90 f v vhd asm s diff"
    " patch"
)


class DocumentFormat(StrEnum):
    """What can be read: the module that reads it, and the endings of its files' names.

    The value names the module (``csv``: ``csv_reader`` in this package) and is part of what a file's content is known
    by. ``is_text``: files of characters, for which a limit of their own holds.
    """

    suffixes: tuple[str, ...]
    is_text: bool

    def __new__(cls, value: str, suffixes: str = "", is_text: bool = False) -> "DocumentFormat":
        member = str.__new__(cls, value)
        member._value_ = value
        member.suffixes = tuple(f".{suffix}" for suffix in suffixes.split())
        member.is_text = is_text
        return member

    TEXT = "text", "txt text log rst rest asc nfo me org tex adoc asciidoc po srt vtt 1st", True
    MARKDOWN = "markdown", "md markdown mdown mkd mdx qmd rmd", True
    HTML = "html", "html htm xhtml xht shtml", True
    PDF = "pdf", "pdf"
    CSV = "csv", "csv tsv", True
    SOURCE = "source", _SOURCE, True
    DOCX = "docx", "docx docm"
    ODT = "odt", "odt ott"
    EPUB = "epub", "epub"
    PPTX = "pptx", "pptx pptm ppsx"
    XLSX = "xlsx", "xlsx xlsm"


@dataclass(frozen=True, slots=True)
class ReadContext:
    """``path`` is for sentences only: what is read has been handed over."""

    path: str
    limits: Limits


Reader: TypeAlias = Callable[[bytes, ReadContext], Iterator[Block]]

_BY_SUFFIX = {suffix: kind for kind in DocumentFormat for suffix in kind.suffixes}
_PLAIN_NAMES = words(
    "readme license licence copying copyright changelog changes news authors contributing install notice todo faq "
    "makefile dockerfile"
)


def format_of(path: str) -> DocumentFormat | None:
    """The format that a file's name promises; None for one that is not read in a folder."""
    name = PurePath(path).name.lower()
    found = _BY_SUFFIX.get(PurePath(name).suffix)
    if found is None and name.removesuffix(".debian") in _PLAIN_NAMES:
        return DocumentFormat.TEXT
    return found


def reader_of(kind: DocumentFormat) -> Reader:
    module = import_module(f"app.documents.reading.readers.{kind.value}_reader")
    return cast("Reader", module.read)
