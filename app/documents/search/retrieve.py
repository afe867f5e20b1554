"""Finding passages: BM25 over many candidates and the nearest by meaning, then a second look at them, then variety.

Works on a read-only connection, on the thread that asks; one query at a time for a connection.
"""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.documents.index import schema
from app.documents.index.index import known_files
from app.documents.index.vectors import Similarities
from app.documents.search.query import Query
from app.documents.search.ranking import Candidate, diverse, scored
from app.domain.models import EmbeddingModel
from app.domain.sources import Locator, Passage

_CANDIDATES = 150
_BODY_WEIGHT, _HEADING_WEIGHT = 1.0, 1.6
_NAMED_FILES = 8
_NEAREST = 50  # by meaning


@dataclass(frozen=True, slots=True)
class ScopeContents:
    """``paths``: content id -> the path to show for it. ``everything``: no other content is in the index."""

    paths: Mapping[int, str]
    everything: bool


def contents_of(connection: sqlite3.Connection, scope: Sequence[str]) -> ScopeContents:
    """What a normalized scope holds. Of several files with the same content the first path is shown."""
    paths: dict[int, str] = {}
    for row in known_files(connection, scope):
        if row.content_id is not None:
            paths.setdefault(row.content_id, row.path)
    count = connection.execute("SELECT count(*) FROM contents").fetchone()[0]
    return ScopeContents(paths, len(paths) == count)


def document_text(connection: sqlite3.Connection, content_id: int, start: int, limit: int) -> tuple[str, int]:
    """The characters from ``start`` on, at most ``limit``, and the length of the whole. Blank stretches that no passage
    holds come back as line breaks."""
    total = connection.execute("SELECT characters FROM contents WHERE id = ?", (content_id,)).fetchone()[0]
    stop = min(start + limit, total)
    parts: list[str] = []
    position = start
    for first, last, text in connection.execute(
        'SELECT start, "end", text FROM chunks WHERE id BETWEEN ? AND ? AND "end" > ? AND start < ? ORDER BY id',
        (*schema.chunk_range(content_id), start, stop),
    ):
        if first > position:
            parts.append("\n" * (first - position))
            position = first
        if last > position:
            parts.append(text[position - first :])
            position = last
    return "".join(parts)[: max(0, stop - start)], total


def find(
    connection: sqlite3.Connection,
    query: Query,
    scope: ScopeContents,
    k: int,
    similarities: Similarities | None = None,
) -> list[Passage]:
    """The ``k`` best passages, best first. ``similarities``: of the question's meaning with the passages of ``scope``;
    without them the result is empty where no term of the query occurs."""
    if not query.terms or not scope.paths:
        return []
    frequencies = _frequencies(connection, query)
    named = _named(connection, query, scope)
    candidates = _candidates(connection, query, scope, named, similarities)
    total = connection.execute("SELECT count(*) FROM chunks").fetchone()[0]
    ranked = scored(query, candidates, frequencies, total)
    return [_passage(connection, candidate, scope) for candidate in diverse(ranked, k)]


def without_vector(connection: sqlite3.Connection, scope: ScopeContents, model: EmbeddingModel) -> int:
    """How many passages of the scope have none of this model."""
    ranges = json.dumps(list(scope.paths))
    of_model = "SELECT 1 FROM vectors v JOIN embedders e ON e.id = v.embedder WHERE v.hash = c.hash AND e.name = ?"
    missing = f" AND NOT EXISTS ({of_model})" if schema.has_vectors(connection) else ""
    row = connection.execute(
        f"SELECT count(*) FROM chunks c WHERE (c.id >> 20) IN (SELECT value FROM json_each(?)){missing}",  # noqa: S608
        (ranges, schema.embedder_name(model)) if missing else (ranges,),
    ).fetchone()
    return int(row[0])


def _frequencies(connection: sqlite3.Connection, query: Query) -> dict[str, int]:
    """In how many passages each index term of the query occurs."""
    variants = json.dumps(query.variants())
    return dict(
        connection.execute(
            "SELECT term, doc FROM vocabulary WHERE term IN (SELECT value FROM json_each(?))", (variants,)
        )
    )


def _named(connection: sqlite3.Connection, query: Query, scope: ScopeContents) -> dict[int, str]:
    """Content id -> the terms of its file's name, for the files whose names fit the question best; best first."""
    found: dict[int, str] = {}
    for content, name in connection.execute(
        "SELECT f.content_id, names.name FROM names JOIN files f ON f.id = names.rowid"
        " WHERE names MATCH ? AND f.content_id IS NOT NULL ORDER BY bm25(names) LIMIT 500",
        (query.match,),
    ):
        if content in scope.paths:
            found.setdefault(content, name)
    return found


def _candidates(
    connection: sqlite3.Connection,
    query: Query,
    scope: ScopeContents,
    named: Mapping[int, str],
    similarities: Similarities | None,
) -> list[Candidate]:
    near = similarities.nearest(_NEAREST) if similarities is not None else {}
    hits = dict(_hits(connection, query, None if scope.everything else list(scope.paths), _CANDIDATES))
    closest = list(named)[:_NAMED_FILES]
    if closest:
        hits.update(_hits(connection, query, closest, 4 * _NAMED_FILES))
        covered = {schema.content_of(chunk) for chunk in hits}
        hits.update({schema.chunk_range(content)[0]: 0.0 for content in closest if content not in covered})
    hits.update({chunk: 0.0 for chunk in near if chunk not in hits})
    meanings = _meanings(similarities, near, hits) if similarities is not None and near else {}
    wanted = {chunk + step for chunk in hits for step in (-1, 0, 1)}
    terms = {
        chunk: (body, heading)
        for chunk, body, heading in connection.execute(
            "SELECT rowid, body, heading FROM chunk_terms WHERE rowid IN (SELECT value FROM json_each(?))",
            (json.dumps(sorted(wanted)),),
        )
    }
    hashes = connection.execute(
        "SELECT id, hash FROM chunks WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(sorted(hits)),)
    )
    nothing = ("", "")
    return [
        Candidate(
            chunk,
            hits[chunk],
            *terms.get(chunk, nothing),
            " ".join((terms.get(chunk - 1, nothing)[0], terms.get(chunk + 1, nothing)[0])),
            named.get(schema.content_of(chunk), ""),
            digest,
            meanings.get(chunk, 0.0),
        )
        for chunk, digest in hashes
    ]


def _meanings(similarities: Similarities, near: Mapping[int, float], hits: Mapping[int, float]) -> dict[int, float]:
    """0..1 for each hit. ``near``: the nearest of all, nearest first; the last of them counts as not near. Hits whose
    vector is still to be made get what those that share words with the question have on average."""
    most, least = next(iter(near.values())), min(near.values())
    span = max(most - least, 1e-6)
    known = {chunk: max(0.0, cosine - least) / span for chunk, cosine in similarities.of(hits).items()}
    by_words = [known[chunk] for chunk, score in hits.items() if score > 0.0 and chunk in known]
    usual = sum(by_words) / len(by_words) if by_words else 0.0
    return {chunk: known.get(chunk, usual) for chunk in hits}


def _hits(
    connection: sqlite3.Connection, query: Query, contents: list[int] | None, limit: int
) -> list[tuple[int, float]]:
    """(passage id, BM25 with higher better) of the best passages, of ``contents`` only where given."""
    restricted = "" if contents is None else " AND (rowid >> 20) IN (SELECT value FROM json_each(?))"  # ORDINAL_BITS
    statement = (
        "SELECT rowid, -bm25(chunk_terms, ?, ?) AS score FROM chunk_terms"  # noqa: S608 - fixed clauses
        f" WHERE chunk_terms MATCH ?{restricted} ORDER BY score DESC LIMIT ?"
    )
    scope = () if contents is None else (json.dumps(contents),)
    parameters = (_BODY_WEIGHT, _HEADING_WEIGHT, query.match, *scope, limit)
    return connection.execute(statement, parameters).fetchall()


def _passage(connection: sqlite3.Connection, candidate: Candidate, scope: ScopeContents) -> Passage:
    page, heading, first, last, text = connection.execute(
        "SELECT page, heading, line_start, line_end, text FROM chunks WHERE id = ?", (candidate.chunk,)
    ).fetchone()
    path = scope.paths[schema.content_of(candidate.chunk)]
    return Passage(path, Locator(page, heading, first, last), text.strip("\n").rstrip(), candidate.score)
