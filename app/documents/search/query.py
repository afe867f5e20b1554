"""A question as index terms. Never raises, whatever is typed: only letters and digits go into the match."""

from dataclasses import dataclass

from app.documents.language.analysis import UNSPACED, Analyzer, Language, fold
from app.documents.language.words import STOP_WORDS

_MOST_TERMS = 40
_LONGEST_QUERY = 2000


@dataclass(frozen=True, slots=True)
class QueryTerm:
    """One thing asked for. ``variants``: the index terms that stand for it. ``identifier``: a name of several parts or
    a word with digits, whose very spelling matters."""

    variants: tuple[str, ...]
    prefix: bool = False
    identifier: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """``match``: an FTS5 expression of quoted terms, "" where there are none."""

    text: str
    terms: tuple[QueryTerm, ...]
    match: str

    def variants(self) -> list[str]:
        return [variant for term in self.terms for variant in term.variants]


class QueryParser:
    """Not thread-safe (it remembers stems)."""

    def __init__(self) -> None:
        self._analyzers = [Analyzer(language) for language in Language]

    def parse(self, text: str) -> Query:
        """Stop words count only where a query has nothing else."""
        text = text[:_LONGEST_QUERY].encode("utf-8", "replace").decode("utf-8")
        words = [word for word in _words(text) if word]
        wanted = [word for word in words if fold(word) not in STOP_WORDS] or words
        terms: dict[tuple[str, ...], QueryTerm] = {}
        for word in wanted:
            for term in self._terms(word):
                terms.setdefault(term.variants, term)
        kept = tuple(terms.values())[:_MOST_TERMS]
        match = " OR ".join(
            f'"{variant}"*' if term.prefix else f'"{variant}"' for term in kept for variant in term.variants
        )
        return Query(text, kept, match)

    def _terms(self, word: str) -> list[QueryTerm]:
        english, french = (analyzer.terms(word).split() for analyzer in self._analyzers)
        terms: list[QueryTerm] = []
        for first, second in zip(english, french, strict=True):
            variants = (first,) if first == second else (first, second)
            lone = len(first) == 1 and UNSPACED.match(first) is not None
            identifier = "_" in first or (any(c.isdigit() for c in first) and len(first) > 1)
            terms.append(QueryTerm(variants, lone, identifier))
        return terms


def _words(text: str) -> list[str]:
    return text.replace("'", " ").replace("’", " ").split()
