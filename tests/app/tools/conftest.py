"""A searchable set of documents in memory."""

from collections.abc import Callable, Sequence

import pytest

from app.domain.cancel import CancelToken
from app.domain.errors import AppError
from app.domain.protocols import DocumentText
from app.domain.sources import Locator, Passage
from app.domain.tools import ToolContext


class FakeDocuments:
    """``PassageSearch`` over a dictionary: a passage is a document that holds the query."""

    def __init__(self, texts: dict[str, str]) -> None:
        self.texts = texts

    def search(self, query: str, scope: Sequence[str], k: int, cancel: CancelToken | None = None) -> list[Passage]:
        found = [path for path in self.files(scope) if query in self.texts[path]]
        return [Passage(path, Locator(page=1), self.texts[path], 1.0) for path in found[:k]]

    def read(
        self, path: str, scope: Sequence[str], start: int, limit: int, cancel: CancelToken | None = None
    ) -> DocumentText:
        if path not in self.files(scope):
            raise AppError("outside", "{path} is not among the documents.", path=path)
        return DocumentText(path, self.texts[path][start : start + limit], start, len(self.texts[path]))

    def files(self, scope: Sequence[str], cancel: CancelToken | None = None) -> list[str]:
        return sorted(path for path in self.texts if path.startswith(tuple(scope)))


@pytest.fixture
def make_documents() -> type[FakeDocuments]:
    return FakeDocuments


@pytest.fixture
def make_context() -> Callable[..., ToolContext]:
    def make(max_chars: int = 6000, next_source: int = 1, documents: tuple[str, ...] = ("/docs",)) -> ToolContext:
        return ToolContext(CancelToken(), documents, next_source, max_chars)

    return make
