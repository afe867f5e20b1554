"""Conversations and their messages in ``chats.db``."""

import logging
import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from app.domain.errors import AppError
from app.domain.ids import new_id
from app.domain.messages import Conversation, Message
from app.storage.chats import rows, search
from app.storage.chats.codec import to_json, valid_text
from app.storage.chats.parts import PartRows
from app.storage.chats.processes import ProcessMark, is_alive, this_process
from app.storage.chats.schema import CHATS
from app.storage.chats.writer import Writer
from app.storage.database import ReaderPool, open_database
from app.storage.paths import make_private

log = logging.getLogger(__name__)


class ConversationStore:
    """Trees of messages. Every method may be called from any thread and waits for the disk, ``save_streaming`` apart.

    Several processes may have the same file open. Every method may raise AppError ``database-damaged``,
    ``database-busy``, ``database-unusable`` or ``disk-full``, and for an unknown id ``conversation-not-found`` or
    ``message-not-found``.
    """

    def __init__(
        self,
        path: Path,
        *,
        now: Callable[[], float] = time.time,
        process: ProcessMark | None = None,
        alive: Callable[[ProcessMark], bool] = is_alive,
    ) -> None:
        make_private(path.parent)
        self._now = now
        self._process = process or this_process()
        self._alive = alive
        self._parts = PartRows()
        self._writer = Writer(open_database(path, CHATS, backup=True), path, self._parts.forget_all)
        self._readers = ReaderPool(path)
        self._unsealed: list[Message] = []  # they ended when nothing could be written

    def close(self) -> None:
        """Write what was handed over, then end. Idempotent."""
        self._seal_again()
        self._unsealed.clear()  # nothing more can be done
        # The writer last: whoever closes last folds the write-ahead log into the file, and a reader cannot.
        self._readers.close()
        self._writer.close()

    # Conversations

    def create(self, *, title: str = "", documents: Sequence[str] = (), model: str = "") -> Conversation:
        now = self._now()
        made = Conversation(new_id(), valid_text(title), now, now, documents=tuple(documents), model=valid_text(model))
        self._writer.run(lambda connection: rows.insert_conversation(connection, made))
        return made

    def rename(self, conversation_id: str, title: str, *, by_person: bool = True) -> None:
        """A title of the program's (``by_person=False``) never replaces one that a person gave."""
        title = valid_text(title)

        def change(connection: sqlite3.Connection) -> None:
            row = rows.conversation_row(connection, conversation_id)
            if row["titled_by_person"] and not by_person:
                return
            connection.execute(
                "UPDATE conversations SET title = ?, titled_by_person = ? WHERE seq = ?",
                (title, by_person, row["seq"]),
            )
            search.index_title(connection, row["seq"], title)

        self._writer.run(change)

    def delete(self, conversation_id: str) -> None:
        """Out of the list and of the search, until ``restore`` or ``purge_deleted``."""
        self._set(conversation_id, "deleted = coalesce(deleted, ?)", self._now())

    def restore(self, conversation_id: str) -> None:
        self._set(conversation_id, "deleted = ?", None)

    def purge_deleted(self, before: float) -> None:
        """Remove for good what was deleted before that time (seconds since 1970)."""
        self._writer.run(lambda connection: rows.purge_deleted(connection, before))

    def set_documents(self, conversation_id: str, paths: Sequence[str]) -> None:
        self._set(conversation_id, "documents = ?", to_json(list(paths)))

    def set_model(self, conversation_id: str, model: str) -> None:
        self._set(conversation_id, "model = ?", valid_text(model))

    def set_active_leaf(self, conversation_id: str, message_id: str | None) -> None:
        def change(connection: sqlite3.Connection) -> None:
            seq = rows.conversation_row(connection, conversation_id)["seq"]
            if message_id is not None:
                rows.require_message(connection, message_id, conversation_id)
            connection.execute("UPDATE conversations SET active_leaf = ? WHERE seq = ?", (message_id, seq))

        self._writer.run(change)

    def _set(self, conversation_id: str, assignment: str, value: object) -> None:
        def change(connection: sqlite3.Connection) -> None:
            seq = rows.conversation_row(connection, conversation_id)["seq"]
            # assignment is one of the literals above
            connection.execute(f"UPDATE conversations SET {assignment} WHERE seq = ?", (value, seq))  # noqa: S608 - our own words

        self._writer.run(change)

    # Messages

    def add_message(self, message: Message, *, activate: bool = True) -> None:
        """Append below ``message.parent_id``; ``activate`` makes it the active leaf. A streaming one is named as this
        process's."""
        self._seal_again()
        now = self._now()

        def change(connection: sqlite3.Connection) -> None:
            rows.insert_message(connection, message, self._process, self._parts)
            rows.touch(connection, message.conversation_id, now)
            if activate:
                connection.execute(
                    "UPDATE conversations SET active_leaf = ? WHERE id = ?", (message.id, message.conversation_id)
                )

        self._writer.run(change)

    def save_streaming(self, message: Message) -> None:
        """Save the parts (and spans) so far, without waiting: what is new or changed since the last save.

        Ignored once the message is sealed or another process goes on with it.
        """

        def change(connection: sqlite3.Connection) -> None:
            rows.update_streaming(connection, message, self._process, self._parts)

        self._writer.post(message.id, change)

    def seal(self, message: Message) -> None:
        """The final state of a streaming message; waits for the commit. Where that fails it is tried again before the
        next message and at the end. ValueError for one that is sealed already."""
        try:
            self._seal(message)
        except AppError:
            self._unsealed.append(message)
            raise

    def _seal(self, message: Message) -> None:
        now = self._now()

        def change(connection: sqlite3.Connection) -> None:
            rows.seal(connection, message, self._process, self._parts)
            rows.touch(connection, message.conversation_id, now)

        self._writer.run(change, supersedes=message.id)

    def _seal_again(self) -> None:
        waiting, self._unsealed = self._unsealed, []
        for message in waiting:
            try:
                self._seal(message)
            except AppError as error:
                if error.code != "message-not-found":
                    self._unsealed.append(message)
            except ValueError as error:
                log.info("an answer is not written late: %s", error)

    def reopen(self, message_id: str) -> None:
        """Make an ended answer streaming again, by this process. AppError ``answer-busy`` where it is being written."""
        self._seal_again()

        def change(connection: sqlite3.Connection) -> None:
            rows.reopen(connection, message_id, self._process, self._alive, self._parts)

        self._writer.run(change)

    def recover(self) -> list[str]:
        """Mark the streaming messages of dead processes as interrupted, with what was saved; returns their ids."""
        return self._writer.run(lambda connection: rows.recover(connection, self._alive))

    # Reading

    def conversations(self) -> list[Conversation]:
        """Those not deleted, the last changed first."""
        with self._readers.read() as connection:
            return rows.conversations(connection)

    def conversation(self, conversation_id: str) -> Conversation:
        """Deleted ones too."""
        with self._readers.read() as connection:
            return rows.to_conversation(rows.conversation_row(connection, conversation_id))

    def message(self, message_id: str) -> Message:
        return self._reached(rows.ITSELF, message_id)[0]

    def messages(self, conversation_id: str) -> list[Message]:
        """The whole tree, in order of arrival: parents before children."""
        with self._readers.read() as connection:
            rows.conversation_row(connection, conversation_id)
            return rows.messages(connection, "SELECT seq FROM messages WHERE conversation_id = ?", (conversation_id,))

    def history(self, leaf_id: str) -> list[Message]:
        """From the root to ``leaf_id``."""
        return self._reached(rows.ANCESTORS, leaf_id)

    def siblings(self, message_id: str) -> list[Message]:
        """The message and its alternatives, oldest first."""
        return self._reached(rows.SIBLINGS, message_id)

    def search(self, text: str) -> list[tuple[Conversation, str]]:
        """Conversations whose title or texts hold all words of ``text``, best first, each with a snippet around it."""
        with self._readers.read() as connection:
            return [
                (rows.to_conversation(rows.conversation_row(connection, conversation_id)), snippet)
                for conversation_id, snippet in search.find(connection, text)
            ]

    def _reached(self, query: str, message_id: str) -> list[Message]:
        with self._readers.read() as connection:
            found = rows.messages(connection, query, (message_id,))
        if not found:
            raise rows.message_not_found(message_id)
        return found
