"""Drafts on the disk."""

from pathlib import Path

import pytest

from app.domain.drafts import Draft, joined
from app.storage.drafts import DraftStore


def test_drafts_survive_and_what_is_empty_or_an_edit_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "drafts.json"
    store = DraftStore(path)
    assert store.load() == {}
    store.put({"": Draft("new"), "a": Draft("half", ("/x",)), "b": Draft(" \n"), "c": Draft("again", edits="m")})
    store.flush()
    assert DraftStore(path).load() == {"": Draft("new"), "a": Draft("half", ("/x",))}
    store.put({})
    store.flush()
    assert DraftStore(path).load() == {}


def test_the_newest_state_is_written_and_only_once(tmp_path: Path) -> None:
    path = tmp_path / "drafts.json"
    store = DraftStore(path)
    store.put({"a": Draft("one")})
    store.put({"a": Draft("two")})
    store.flush()
    assert DraftStore(path).load() == {"a": Draft("two")}
    path.unlink()
    store.flush()
    assert not path.exists()


@pytest.mark.parametrize(
    "text", ["[1]", '{"a": 3, "b": {"text": 1, "attachments": []}, "c": {"text": "x"}}', "no json"]
)
def test_what_cannot_be_read_is_no_draft(tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "drafts.json"
    path.write_text(text, encoding="utf-8")
    assert DraftStore(path).load() == {}
    caplog.clear()  # a damaged file is set aside, which is told in the log


def test_a_disk_that_refuses_costs_the_drafts_and_no_more(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    store = DraftStore(tmp_path / "file" / "drafts.json")
    store.put({"a": Draft("one")})
    store.flush()
    assert store.load() == {}


def test_drafts_are_joined_in_their_order() -> None:
    drafts = (Draft("one", ("/a", "/b")), Draft("  "), Draft("two", ("/b", "/c"), "m"))
    assert joined(drafts) == Draft("one\n\ntwo", ("/a", "/b", "/c"))
    assert joined(()) == Draft()
