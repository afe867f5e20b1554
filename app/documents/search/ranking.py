"""The second look at what BM25 found: how much of the question a passage covers, and how close together.

Pure functions on values.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from app.documents.index import schema
from app.documents.search.query import Query, QueryTerm


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage that may answer. ``bm25``: higher is better. ``hash`` is equal for equal passages. All others are index
    terms: of the passage, of its heading, of the passages before and after it, of its file's name. ``meaning``: 0..1,
    how near it is to the question among the nearest passages; 0 where there are no vectors."""

    chunk: int
    bm25: float
    body: str
    heading: str
    around: str
    name: str
    hash: bytes
    meaning: float = 0.0
    score: float = 0.0


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each sign adds to the BM25 score, all of them scaled to 0..1.

    Tuned on questions of published FAQs whose headings were taken away. ``meaning``: of 686 English questions lexical
    signs alone answer .66 among the first five passages and .74 among ten, the nearest vectors alone .66 and .78,
    reciprocal ranks of both fused .78 and .84, this sum .79 and .84, with the French of 121 at .68 and .79 (from .60
    and .74).
    """

    bm25: float = 1.0
    coverage: float = 1.0
    around: float = 0.6
    closeness: float = 0.7
    heading: float = 0.1
    named: float = 0.1
    identifier: float = 0.3
    meaning: float = 1.25


DEFAULT_WEIGHTS = Weights()


def scored(
    query: Query,
    candidates: Sequence[Candidate],
    frequencies: Mapping[str, int],
    total: int,
    weights: Weights = DEFAULT_WEIGHTS,
) -> list[Candidate]:
    """Candidates with their final score, best first. ``total``: passages in the index."""
    idf = [_idf(term, frequencies, total) for term in query.terms]
    best = max((candidate.bm25 for candidate in candidates), default=0.0) or 1.0
    ranked = [replace(candidate, score=_score(query, candidate, idf, best, weights)) for candidate in candidates]
    ranked.sort(key=lambda candidate: (-candidate.score, candidate.chunk))
    return ranked


def _idf(term: QueryTerm, frequencies: Mapping[str, int], total: int) -> float:
    found = max((frequencies.get(variant, 0) for variant in term.variants), default=0)
    return math.log(1.0 + (total - min(found, total) + 0.5) / (found + 0.5))


def _score(query: Query, candidate: Candidate, idf: Sequence[float], best: float, weights: Weights) -> float:
    positions: dict[str, list[int]] = {variant: [] for term in query.terms for variant in term.variants}
    for index, word in enumerate(candidate.body.split()):
        if word in positions:
            positions[word].append(index)
    places = [sorted(place for variant in term.variants for place in positions[variant]) for term in query.terms]
    in_body = [bool(found) for found in places]
    in_heading = _present(query, candidate.heading)
    covered = [body or head for body, head in zip(in_body, in_heading, strict=True)]
    nearby = [near and not own for near, own in zip(_present(query, candidate.around), covered, strict=True)]
    identifiers = [own for term, own in zip(query.terms, covered, strict=True) if term.identifier]
    return (
        weights.bm25 * candidate.bm25 / best
        + weights.coverage * _share(covered, idf)
        + weights.around * _share(nearby, idf)
        + weights.closeness * _closeness(places, idf)
        + weights.heading * _share(in_heading, idf)
        + weights.named * _share(_present(query, candidate.name), idf)
        + weights.meaning * candidate.meaning
        + weights.identifier * (sum(identifiers) / len(identifiers) if identifiers else 0.0)
    )


def _present(query: Query, terms: str) -> list[bool]:
    """For each term of the query whether it is among ``terms``."""
    words = set(terms.split())
    return [not words.isdisjoint(term.variants) for term in query.terms]


def _share(present: Sequence[bool], idf: Sequence[float]) -> float:
    """0..1: how much of the query is there, rare terms counting more."""
    return sum(weight for weight, there in zip(idf, present, strict=True) if there) / (sum(idf) or 1.0)


def _closeness(places: Sequence[Sequence[int]], idf: Sequence[float]) -> float:
    """0..1: neighbouring words of the question that stand near each other in the passage, weighed by their rarity."""
    if len(places) < 2:
        return 0.0
    got = possible = 0.0
    for (left, right), (left_idf, right_idf) in zip(pairwise(places), pairwise(idf), strict=True):
        weight = min(left_idf, right_idf)
        possible += weight
        if left and right:
            gap = min(abs(r - a) for a in left[:50] for r in right[:50])
            got += weight / (1.0 + max(0, gap - 1) / 4.0)
    return got / possible if possible else 0.0


def diverse(ranked: Sequence[Candidate], k: int) -> list[Candidate]:
    """The ``k`` best without repetition: equal passages once; a neighbour of one that is taken, and each further
    passage of the same file, have to be better to come in."""
    left = list(ranked[: max(50, 4 * k)])
    taken: list[Candidate] = []
    hashes: set[bytes] = set()
    while left and len(taken) < k:
        choice = max(left, key=lambda candidate: candidate.score * _freshness(candidate, taken))
        left.remove(choice)
        if choice.hash not in hashes:
            hashes.add(choice.hash)
            taken.append(replace(choice, score=choice.score * _freshness(choice, taken)))
    return taken


def _freshness(candidate: Candidate, taken: Sequence[Candidate]) -> float:
    factor = 1.0
    for other in taken:
        if schema.content_of(other.chunk) == schema.content_of(candidate.chunk):
            factor *= 0.85 if abs(other.chunk - candidate.chunk) == 1 else 0.97
    return factor
