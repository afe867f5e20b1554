"""What a person wrote and has not sent."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Draft:
    """``attachments``: absolute paths. ``edits`` is the user message that it will replace."""

    text: str = ""
    attachments: tuple[str, ...] = ()
    edits: str | None = None

    @property
    def empty(self) -> bool:
        return not self.text.strip() and not self.attachments


def joined(drafts: Iterable[Draft]) -> Draft:
    """One draft of several, in their order."""
    written = [draft for draft in drafts if not draft.empty]
    if len(written) == 1:
        return Draft(written[0].text, written[0].attachments)
    attachments = dict.fromkeys(path for draft in written for path in draft.attachments)
    return Draft("\n\n".join(draft.text for draft in written if draft.text.strip()), tuple(attachments))
