"""Walks in the tree of a conversation's messages, which come in order of arrival."""

from collections.abc import Iterable, Sequence

from app.domain.messages import Message


def path(messages: Iterable[Message], leaf: str | None) -> list[Message]:
    """From the root to ``leaf``; without a leaf the newest branch."""
    by_id = {message.id: message for message in messages}
    at = by_id.get(leaf or "") or next(reversed(by_id.values()), None)
    walk: list[Message] = []
    while at is not None:
        walk.append(at)
        at = by_id.get(at.parent_id or "")
    walk.reverse()
    return walk


def siblings(messages: Iterable[Message]) -> dict[str, list[str]]:
    """For every message that has alternatives: the ids of all of them, oldest first."""
    children: dict[str | None, list[str]] = {}
    for message in messages:
        children.setdefault(message.parent_id, []).append(message.id)
    return {child: group for group in children.values() if len(group) > 1 for child in group}


def newest_leaf(messages: Sequence[Message], message_id: str) -> str:
    """The end of the branch through ``message_id`` that was written last."""
    newest_child = {message.parent_id: message.id for message in messages if message.parent_id is not None}
    while message_id in newest_child:
        message_id = newest_child[message_id]
    return message_id
