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


class DocumentFormat(StrEnum):
    """The value is the module in this package that reads it, and part of what a file's content is known by."""

    TEXT = "text"
    MARKDOWN = "markdown"
    HTML = "html"
    PDF = "pdf"
    CSV = "csv"
    SOURCE = "source"
    DOCX = "docx"
    ODT = "odt"
    EPUB = "epub"
    PPTX = "pptx"
    XLSX = "xlsx"


@dataclass(frozen=True, slots=True)
class ReadContext:
    """``path`` is for sentences only: what is read has been handed over."""

    path: str
    limits: Limits


Reader: TypeAlias = Callable[[bytes, ReadContext], Iterator[Block]]

_SUFFIXES = {
    DocumentFormat.TEXT: "txt text log rst rest asc nfo me org tex adoc asciidoc po srt vtt 1st",
    DocumentFormat.MARKDOWN: "md markdown mdown mkd mdx qmd rmd",
    DocumentFormat.HTML: "html htm xhtml xht shtml",
    DocumentFormat.PDF: "pdf",
    DocumentFormat.CSV: "csv tsv",
    DocumentFormat.SOURCE: "py pyi js mjs cjs jsx ts tsx java kt kts scala c h cc cpp cxx hpp hh cs go rs rb php pl pm"
    " swift m mm lua r jl hs ml sh bash zsh fish ps1 bat cmd sql json jsonl ndjson toml yaml yml ini cfg conf xml xsl"
    " css scss less vue svelte gradle cmake mk dockerfile properties env tf proto graphql el clj ex exs erl dart f90"
    " f v vhd asm s diff patch",
    DocumentFormat.DOCX: "docx docm",
    DocumentFormat.ODT: "odt ott",
    DocumentFormat.EPUB: "epub",
    DocumentFormat.PPTX: "pptx pptm ppsx",
    DocumentFormat.XLSX: "xlsx xlsm",
}
_BY_SUFFIX = {f".{suffix}": kind for kind, suffixes in _SUFFIXES.items() for suffix in suffixes.split()}
_PLAIN_NAMES = words(
    "readme license licence copying copyright changelog changes news authors contributing install notice todo faq "
    "makefile dockerfile"
)
TEXT_FORMATS = frozenset(
    {DocumentFormat.TEXT, DocumentFormat.MARKDOWN, DocumentFormat.HTML, DocumentFormat.CSV, DocumentFormat.SOURCE}
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
