"""Drafts by their conversation, in one small file; "" is the one of a new chat.

``put`` and ``load`` belong to the front end's thread, ``flush`` to any: the newest state is written, whoever is late.
"""

import logging
from collections.abc import Mapping
from pathlib import Path
from threading import Lock

from app.domain.drafts import Draft
from app.storage import jsonfile

log = logging.getLogger(__name__)


class DraftStore:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        self._drafts: dict[str, Draft] = {}
        self._written: dict[str, Draft] = {}

    def load(self) -> dict[str, Draft]:
        """What was written before; nothing where the file cannot be read."""
        try:
            stored = jsonfile.load(self._path, dict) or {}
        except OSError as error:
            log.info("No drafts: %r", error)
            stored = {}
        found = {str(key): draft for key, entry in stored.items() if (draft := _draft(entry)) is not None}
        self._drafts, self._written = found, found
        return dict(found)

    def put(self, drafts: Mapping[str, Draft]) -> None:
        """From now on these are all; empty ones and those that edit an earlier question are left out."""
        self._drafts = {key: draft for key, draft in drafts.items() if not draft.empty and draft.edits is None}

    def flush(self) -> None:
        """Write what was put last, if it is not in the file. A disk that refuses costs the drafts, no more."""
        with self._lock:
            drafts = self._drafts
            if drafts == self._written:
                return
            entries = {
                key: {"text": draft.text, "attachments": list(draft.attachments)} for key, draft in drafts.items()
            }
            try:
                jsonfile.write(self._path, entries, durable=False)
            except OSError as error:
                log.info("Drafts are not kept: %r", error)
                return
            self._written = drafts


def _draft(entry: object) -> Draft | None:
    if not isinstance(entry, dict):
        return None
    text, attachments = entry.get("text"), entry.get("attachments")
    if not isinstance(text, str) or not isinstance(attachments, list):
        return None
    return Draft(text, tuple(path for path in attachments if isinstance(path, str)))
