"""``read_document(path, start?)``."""

from collections.abc import Mapping, Sequence
from pathlib import PurePath

from app.domain.messages import ToolStatus
from app.domain.protocols import PassageSearch
from app.domain.tools import Effect, Need, ToolContext, ToolLabel, ToolOutcome, ToolSpec
from app.tools.outcomes import failed

LISTED = 20
FOOTER = 80  # characters kept free for the last line


class ReadDocument:
    spec = ToolSpec(
        name="read_document",
        description="Read a document of the user, piece by piece",
        parameters={
            "type": "object",
            "properties": {
                "path": {"type": "string", "description": "file name or path"},
                "start": {"type": "integer", "minimum": 0, "description": "character to start at, 0 by default"},
            },
            "required": ["path"],
        },
        effect=Effect.READS,
        needs=frozenset({Need.DOCUMENTS}),
        label=ToolLabel("Read a document", "Reading: {path}", "Read: {path}"),
        icon="book",
    )

    def __init__(self, documents: PassageSearch) -> None:
        self._documents = documents

    def run(self, arguments: Mapping[str, object], context: ToolContext) -> ToolOutcome:
        files = self._documents.files(context.documents, context.cancel) if context.documents else []
        wanted = str(arguments["path"])
        matches = matching(wanted, files)
        if len(matches) != 1:
            names = ", ".join(matches[:LISTED] or sorted({PurePath(path).name for path in files})[:LISTED]) or "none"
            problem = "several documents are called" if matches else "there is no document"
            return failed(f"{problem} {wanted}; use one of: {names}")
        start = int(str(arguments.get("start") or 0).partition(".")[0])
        read = self._documents.read(
            matches[0], context.documents, start, max(1, context.max_chars - FOOTER), context.cancel
        )
        if not read.text:
            return failed(f"the document has {read.total} characters; start must be less")
        end = read.start + len(read.text)
        rest = f"go on with start={end}" if end < read.total else "the end"
        text = f"{read.text}\n(characters {read.start} to {end} of {read.total}; {rest})"
        return ToolOutcome(ToolStatus.OK, text)


def matching(wanted: str, files: Sequence[str]) -> list[str]:
    """The files that ``wanted`` may mean: the path itself, else those that end so, else without regard to case."""
    if wanted in files:
        return [wanted]
    tail = PurePath(wanted).parts
    found = [path for path in files if tail and PurePath(path).parts[-len(tail) :] == tail]
    if found or not tail:
        return found
    folded = tuple(part.casefold() for part in tail)
    return [path for path in files if tuple(map(str.casefold, PurePath(path).parts[-len(tail) :])) == folded]
