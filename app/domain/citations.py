"""The ``[n]`` by which a model names a source: where a text has one, and which given sources it cites."""

import re
from collections.abc import Collection, Iterator, Mapping

from app.domain.messages import CitationPart
from app.domain.sources import Source

# Code, in which nothing is a mention, or the numbers of one or more sources that are no link's text.
_CODE_OR_MENTION = re.compile(
    r"```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z)|`[^`\n]*`|\[(?P<numbers>\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\](?!\()", re.DOTALL
)
_NUMBER = re.compile(r"\d+")


def citations(text: str, sources: Mapping[int, Source]) -> list[CitationPart]:
    """One part for each given source that ``text`` cites, in the order of first mention.

    ``[1]`` and ``[1, 3]`` count; inside code, as the text of a link, or with a number that was not given, they stay
    text. Nothing is ever added that the model did not write.
    """
    cited: dict[int, CitationPart] = {}
    for _, numbers in _mentions(text):
        for number in numbers:
            source = sources.get(number)
            if source is not None and source.n not in cited:
                cited[source.n] = CitationPart(source.n, source.path, source.locator, source.text)
    return list(cited.values())


def cut_at_mentions(text: str, cited: Collection[int]) -> Iterator[str | tuple[int, ...]]:
    """``text`` in order, with the numbers in place of each mention that names cited sources only."""
    done = 0
    for (start, end), numbers in _mentions(text):
        if all(number in cited for number in numbers):
            yield text[done:start]
            yield numbers
            done = end
    yield text[done:]


def _mentions(text: str) -> Iterator[tuple[tuple[int, int], tuple[int, ...]]]:
    """Where each mention stands, and its numbers."""
    for match in _CODE_OR_MENTION.finditer(text):
        if numbers := match["numbers"]:
            yield match.span(), tuple(map(int, _NUMBER.findall(numbers)))
