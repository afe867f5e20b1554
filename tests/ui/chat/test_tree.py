"""Branches of a conversation."""

from app.domain.messages import Message, MessageStatus, Role, TextPart
from ui.chat.tree import newest_leaf, path, siblings


def message(name: str, parent: str | None) -> Message:
    role = Role.USER if name.startswith("q") else Role.ASSISTANT
    return Message(name, "c", parent, role, MessageStatus.COMPLETE, (TextPart(name),), 0.0)


TREE = [message("q1", None), message("a1", "q1"), message("q2", "a1"), message("a2", "q2"), message("a1b", "q1")]


def test_the_path_leads_from_the_root_to_the_leaf() -> None:
    assert [m.id for m in path(TREE, "a2")] == ["q1", "a1", "q2", "a2"]
    assert [m.id for m in path(TREE, "a1b")] == ["q1", "a1b"]


def test_without_a_leaf_it_is_the_newest_branch() -> None:
    assert [m.id for m in path(TREE, None)] == ["q1", "a1b"]
    assert path([], None) == []


def test_siblings_are_told_for_those_that_have_some() -> None:
    assert siblings(TREE) == {"a1": ["a1", "a1b"], "a1b": ["a1", "a1b"]}


def test_the_newest_leaf_of_a_branch() -> None:
    assert newest_leaf(TREE, "a1") == "a2"
    assert newest_leaf(TREE, "a1b") == "a1b"
