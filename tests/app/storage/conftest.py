"""Helpers for the store's tests: a real database in a temporary folder."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.domain.ids import new_id
from app.domain.messages import Message, MessageStatus, Part, Role, TextPart
from app.storage.chats.conversations import ConversationStore

MakeMessage = Callable[..., Message]


@pytest.fixture
def chats_db(tmp_path: Path) -> Path:
    return tmp_path / "data" / "chats.db"


@pytest.fixture
def store(chats_db: Path) -> Iterator[ConversationStore]:
    opened = ConversationStore(chats_db)
    yield opened
    opened.close()


@pytest.fixture
def make_message() -> MakeMessage:
    def make(
        conversation_id: str,
        parent_id: str | None = None,
        *parts: Part,
        text: str = "hello",
        role: Role = Role.USER,
        status: MessageStatus = MessageStatus.COMPLETE,
        **values: object,
    ) -> Message:
        return Message(
            id=new_id(),
            conversation_id=conversation_id,
            parent_id=parent_id,
            role=role,
            status=status,
            parts=parts or (TextPart(text),),
            created=1000.0,
            **values,  # type: ignore[arg-type] # the fields of Message, as the test names them
        )

    return make
