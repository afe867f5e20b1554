"""Passages of the person's documents beside a question, for models that do not search by themselves."""

from collections.abc import Sequence

from app.domain.cancel import CancelToken
from app.domain.excerpt import excerpt
from app.domain.messages import SourcesPart
from app.domain.protocols import PassageSearch
from app.domain.sources import Locator, Passage, Source
from app.responders.protocol import Intake

_BEGINNING = 1000  # characters of a document


def find_sources(
    search: PassageSearch, question: str, documents: Sequence[str], intake: Intake, cancel: CancelToken
) -> SourcesPart | None:
    """The best passages, as many and as much of each as the model takes in well; None where there is no text at all.

    Where no word of the question stands in any document ("summarize this"), how each document begins.
    """
    passages = search.search(question, documents, intake.sources, cancel)
    if not passages:
        files = search.files(documents, cancel)[: intake.sources]
        beginnings = [search.read(path, documents, 0, _BEGINNING, cancel) for path in files]
        passages = [Passage(found.path, Locator(), found.text) for found in beginnings if found.text.strip()]
    if not passages:
        return None
    return SourcesPart(
        tuple(
            Source(n, found.path, found.locator, excerpt(found.text, question, intake.source_chars))
            for n, found in enumerate(passages, 1)
        )
    )
