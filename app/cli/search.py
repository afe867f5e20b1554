"""``alcove search``: brings the index of some files and folders up to date, then prints the passages that answer."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from app.cli.arguments import positive
from app.cli.output import JsonLines, Plain
from app.documents.index.index import FileStatus
from app.documents.index.report import ScopeReport
from app.documents.service import DocumentService
from app.domain.errors import AppError
from app.domain.sources import Passage
from app.services import Services

VECTORS_S = 10.0  # how long a small collection's first search waits to be one by meaning, too


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("query", metavar="QUERY", nargs="?", help="what to look for; without it files are only indexed")
    parser.add_argument("--docs", metavar="PATH", nargs="+", action="extend", required=True, help="files and folders")
    parser.add_argument("-k", metavar="N", type=positive, default=10, help="passages for each query (10)")
    parser.add_argument("--batch", metavar="FILE", help="take one query a line from FILE (- is standard input)")
    parser.add_argument("--json", action="store_true", help="answer in JSON Lines")


def run(arguments: argparse.Namespace) -> int:
    services = Services.create()
    try:
        return _search(services.documents, arguments)
    finally:
        services.close()


def _search(documents: DocumentService, arguments: argparse.Namespace) -> int:
    scope = [str(Path(path).expanduser().absolute()) for path in arguments.docs]
    queries = list(_queries(arguments))
    report = documents.update(scope)
    report.require_readable()
    _tell_skipped(report)
    documents.await_vectors(scope, VECTORS_S)
    writer = _JsonWriter() if arguments.json else _PlainWriter()
    for query in queries:
        writer.passages(query, documents.find(query, scope, arguments.k))
    if arguments.query is None and arguments.batch is None:
        writer.indexed(report)
    return 0


def _queries(arguments: argparse.Namespace) -> Iterator[str]:
    if arguments.query is not None:
        yield arguments.query
    if arguments.batch == "-":
        yield from (line.strip() for line in sys.stdin if line.strip())
    elif arguments.batch is not None:
        try:
            text = Path(arguments.batch).read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
            raise AppError(
                "search.batch", "The queries in {path} cannot be read: {reason}.", path=arguments.batch, reason=reason
            ) from error
        yield from (line.strip() for line in text.splitlines() if line.strip())


def _tell_skipped(report: ScopeReport) -> None:
    """Files that should have been readable are named; pictures and the like are not."""
    for file in report.files:
        if file.status not in {FileStatus.INDEXED, FileStatus.UNSUPPORTED}:
            print(f"alcove: {file.sentence}", file=sys.stderr)


class _JsonWriter:
    def __init__(self) -> None:
        self._lines = JsonLines()

    def passages(self, query: str, found: list[Passage]) -> None:
        for rank, passage in enumerate(found, 1):
            self._lines.write(
                {
                    "query": query,
                    "rank": rank,
                    "score": round(passage.score, 4),
                    "path": passage.path,
                    "locator": passage.locator.label(),
                    "text": passage.text,
                }
            )

    def indexed(self, report: ScopeReport) -> None:
        skipped = [{"path": path, "reason": reason} for path, reason in report.skipped]
        self._lines.write({"indexed": len(report.indexed), "skipped": skipped})


class _PlainWriter:
    def __init__(self) -> None:
        self._plain = Plain()

    def passages(self, query: str, found: list[Passage]) -> None:
        self._plain.line(query if found else f"{query}: nothing found")
        for rank, passage in enumerate(found, 1):
            place = passage.locator.label()
            self._plain.line(f"\n{rank}. {passage.path}" + (f" ({place})" if place else ""))
            self._plain.line(passage.text, dim=True)

    def indexed(self, report: ScopeReport) -> None:
        self._plain.line(f"{len(report.indexed)} files can be searched, {len(report.skipped)} were skipped.")
