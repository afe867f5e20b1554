"""``search_documents(query)``."""

from collections.abc import Mapping
from pathlib import PurePath

from app.domain.excerpt import excerpt
from app.domain.messages import ToolStatus
from app.domain.protocols import PassageSearch
from app.domain.sources import Source
from app.domain.tools import Effect, Need, ToolContext, ToolLabel, ToolOutcome, ToolSpec

PASSAGES = 6
SHORTEST = 200  # characters; less of a passage is not worth its place
LONGEST = 2000  # characters of one passage; indexes make them of about 1,000


class SearchDocuments:
    spec = ToolSpec(
        name="search_documents",
        description="Search the documents of the user",
        parameters={
            "type": "object",
            "properties": {"query": {"type": "string"}},
            "required": ["query"],
        },
        effect=Effect.READS,
        needs=frozenset({Need.DOCUMENTS}),
        gives_sources=True,
        label=ToolLabel("Search the documents", "Searching: {query}", "Searched: {query}"),
        icon="search",
    )

    def __init__(self, documents: PassageSearch) -> None:
        self._documents = documents

    def run(self, arguments: Mapping[str, object], context: ToolContext) -> ToolOutcome:
        """One line a passage, ``[n] file: passage``, as many of the best as have room."""
        found = (
            self._documents.search(str(arguments["query"]), context.documents, PASSAGES, context.cancel)
            if context.documents
            else []
        )
        lines: list[str] = []
        sources: list[Source] = []
        room = context.max_chars
        for n, passage in enumerate(found, start=context.next_source):
            head = f"[{n}] {PurePath(passage.path).name}: "
            space = room - len(head) - 1
            if lines and space < min(len(passage.text), SHORTEST):
                break
            # One line, so that nothing inside a passage looks like a numbered source of ours.
            shown = excerpt(passage.text, str(arguments["query"]), max(1, min(space, LONGEST)))
            lines.append(head + shown)
            sources.append(Source(n, passage.path, passage.locator, shown))
            room -= len(lines[-1]) + 1
        return ToolOutcome(ToolStatus.OK, "\n".join(lines) or "No results.", tuple(sources))
