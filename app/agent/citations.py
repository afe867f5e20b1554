"""Finding in an answer the ``[n]`` that name a given source."""

import re
from collections.abc import Mapping

from app.domain.messages import CitationPart
from app.domain.sources import Source

_CODE = re.compile(r"```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z)|`[^`\n]*`", re.DOTALL)
_CITATION = re.compile(r"\[(\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\](?!\()")


def citations(text: str, sources: Mapping[int, Source]) -> list[CitationPart]:
    """One part for each given source that ``text`` cites, in the order of first mention.

    ``[1]`` and ``[1, 3]`` count; inside code, as the text of a link, or with a number that was not given, they stay
    text. Nothing is ever added that the model did not write.
    """
    cited: dict[int, CitationPart] = {}
    for match in _CITATION.finditer(_CODE.sub(lambda code: " " * len(code.group()), text)):
        for number in re.findall(r"\d+", match.group(1)):
            source = sources.get(int(number))
            if source is not None and source.n not in cited:
                cited[source.n] = CitationPart(source.n, source.path, source.locator, source.text)
    return list(cited.values())
