"""The composer of the conversation on the screen, and what is written and not sent in all of them.

Drafts are kept on the disk a moment after the last key, so that they survive whatever ends the program.
"""

from collections.abc import Collection

from PySide6.QtCore import QObject, QTimer

from app.domain.drafts import Draft, joined
from app.services import Services
from ui.bridge import Bridge
from ui.chat.composer import Composer
from ui.chat.drafts import Drafts

STORED_MS = 1000  # after the last key


class Writing(QObject):
    def __init__(self, services: Services, bridge: Bridge, composer: Composer, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store = services.drafts
        self._bridge = bridge
        self._composer = composer
        self._drafts = Drafts(self._store.load())
        self._key = ""  # the conversation on the screen, "" for a new one
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(STORED_MS)
        self._soon.timeout.connect(self._store_all)
        composer.written.connect(self._soon.start)
        composer.queued.connect(self._queue)
        composer.edit_cancelled.connect(self.show_draft)
        composer.queue.edit_requested.connect(self._edit_queued)
        composer.queue.removed.connect(self._drop_queued)

    def keep_draft(self) -> None:
        """Another text comes into the composer. One that edits an earlier question is not kept."""
        draft = self._composer.draft()
        if draft.edits is None:
            self._drafts.keep(self._key, draft)

    def show(self, key: str) -> None:
        """Another conversation is on the screen."""
        self.keep_draft()
        self._key = key
        self.show_draft()

    def show_draft(self) -> None:
        self._composer.show_draft(self._drafts.of(self._key))
        self._show_queue()

    def begun(self, conversation_id: str, *, shown: bool) -> None:
        """The new chat is this one now."""
        self._drafts.drop("")
        if shown:
            self._key = conversation_id

    def sent(self, draft: Draft) -> None:
        """The composer is empty, or holds what was being written before an edit."""
        self._composer.show_draft(self._drafts.drop(self._key) if draft.edits else Draft())

    def next(self, conversation_id: str) -> Draft | None:
        """The message that waited longest, which waits no longer."""
        draft = self._drafts.take(conversation_id)
        self._show_queue()
        return draft

    def unqueue(self, conversation_id: str, *refused: Draft) -> None:
        """Nothing is sent after a stop or an error: what waited is in the composer again."""
        if not refused and not self._drafts.queued(conversation_id):
            return
        shown, editing = conversation_id == self._key, self._composer.draft().edits is not None
        if shown:
            self.keep_draft()
        self._drafts.unqueue(conversation_id, refused)
        if shown and not editing:  # else it is there when the edit is done
            self.show_draft()
        self._show_queue()

    def keep(self) -> None:
        """The window closes: what is written is there again at the next start."""
        self._put()
        self._store.flush()

    def forget(self, known: Collection[str]) -> None:
        """The drafts of conversations that are not among these."""
        self._drafts.prune(known)

    def _queue(self, draft: Draft) -> None:
        self._drafts.queue(self._key, draft)
        self._composer.show_draft(Draft())
        self._show_queue()

    def _edit_queued(self, index: int) -> None:
        """It stands in the composer again, before what was being written."""
        self.keep_draft()
        taken = self._drafts.take(self._key, index)
        if taken is not None:
            self._drafts.keep(self._key, joined((taken, self._drafts.of(self._key))))
        self.show_draft()
        self._composer.setFocus()

    def _drop_queued(self, index: int) -> None:
        self._drafts.take(self._key, index)
        self._show_queue()
        self._soon.start()

    def _show_queue(self) -> None:
        self._composer.queue.show_queue(self._drafts.queued(self._key))

    def _put(self) -> None:
        self.keep_draft()
        self._store.put(self._drafts.to_store())

    def _store_all(self) -> None:
        self._put()
        self._bridge.run(self._store.flush)
