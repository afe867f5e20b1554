"""The tools that come with the program: one file each. None of them has an effect outside."""

from app.domain.protocols import Clock, PassageSearch
from app.tools.builtin.calculator import Calculator
from app.tools.builtin.current_datetime import CurrentDatetime
from app.tools.builtin.read_document import ReadDocument
from app.tools.builtin.search_documents import SearchDocuments
from app.tools.fixed import FixedToolset


def builtin_tools(documents: PassageSearch, clock: Clock) -> FixedToolset:
    return FixedToolset(
        "builtin", [Calculator(), CurrentDatetime(clock), SearchDocuments(documents), ReadDocument(documents)]
    )
