"""Typed JSON files: whole or not at all, one kind of damage, nothing lost."""

import json
import os
import stat
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from app.domain.errors import AppError
from app.storage import jsonfile
from app.storage.jsonfile import DamagedFile

aside = pytest.mark.expect_log("is damaged; what it held is now in")


@dataclass(frozen=True, slots=True)
class Inner:
    size: int
    sha: str = ""


@dataclass(frozen=True, slots=True)
class Outer:
    name: str = ""
    pairs: tuple[tuple[int, int], ...] = ()
    files: Mapping[str, Inner] = field(default_factory=dict)
    note: str | None = None


VALUE = Outer("ä\udcff", ((1, 2), (3, 4)), {"a": Inner(1 << 70, "x")})  # a file name may be no Unicode


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new" / "folder" / "file.json"


@pytest.mark.parametrize("durable", [True, False])
def test_a_value_comes_back(path: Path, durable: bool) -> None:
    assert jsonfile.load(path, Outer) is None
    jsonfile.write(path, VALUE, durable=durable)
    assert jsonfile.load(path, Outer) == jsonfile.read(path, Outer) == VALUE
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.skipif(sys.platform == "win32", reason="has no modes")
def test_it_is_the_persons_alone(path: Path) -> None:
    jsonfile.write(path, VALUE)
    assert [stat.S_IMODE(each.stat().st_mode) for each in (path, path.parent)] == [0o600, 0o700]


@aside
@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "[" * 100_000, '{"name": 3}', '{"pairs": [[1]]}', '{"files": {"a": {}}}', "\ufeff"]
)
def test_damage_is_one_kind_of_error_and_nothing_is_lost(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True)
    path.write_text(text, "utf-8")
    with pytest.raises(DamagedFile, match=r"file\.json is damaged") as caught:
        jsonfile.read(path, Outer)
    assert isinstance(caught.value, AppError)
    assert jsonfile.load(path, Outer) is None
    assert not path.exists()
    assert path.with_name("file.json.broken").read_text("utf-8") == text


@aside
def test_earlier_damage_is_kept_too(path: Path) -> None:
    path.parent.mkdir(parents=True)
    for number in range(12):
        path.write_text(str(number))
        jsonfile.load(path, Outer)
    kept = {each.read_text() for each in path.parent.glob("file.json.broken*")}
    assert kept == {*"01234567", "11"}


def test_it_can_begin_with_a_byte_order_mark(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_text('{"name": "x", "new": 1}', "utf-8-sig")
    assert jsonfile.load(path, Outer) == Outer("x")


def test_keys_of_another_version_survive(path: Path) -> None:
    jsonfile.write(path, {"new": {"depth": 3}, "name": "old", "note": "gone"})
    assert jsonfile.update(path, Outer("x"), without=("note",)) == {
        "new": {"depth": 3},
        "name": "x",
        "pairs": (),
        "files": {},
    }
    assert json.loads(path.read_text())["new"] == {"depth": 3}
    assert jsonfile.load(path, Outer) == Outer("x")


@aside
@pytest.mark.parametrize("text", ["{", "[1]"])
def test_a_change_to_a_damaged_file_loses_nothing(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True)
    path.write_text(text)
    jsonfile.update(path, {"name": "x"})
    assert jsonfile.load(path, Outer) == Outer("x")
    assert path.with_name("file.json.broken").read_text() == text


def test_entries_that_do_not_fit_are_left_out(path: Path) -> None:
    entries = {"a": {"size": 1}, "b": {"size": "1"}, "c": None, "d": {"size": 2, "new": 1}}
    assert jsonfile.fitting(entries, Inner) == {"a": Inner(1), "d": Inner(2)}
    assert jsonfile.fitting({"a": [1, 2.5], "b": [10**400, 10**400]}, tuple[int, float]) == {"a": (1, 2.5)}


def test_a_disk_that_refuses_leaves_the_old_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jsonfile.write(path, {"old": 1})

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        jsonfile.write(path, {"new": 1})
    assert jsonfile.read(path, dict) == {"old": 1}
    assert list(path.parent.iterdir()) == [path]


def test_what_cannot_be_set_aside_is_not_overwritten(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_text("{")
    for number in range(1, 10):
        path.with_name("file.json.broken" + f"-{number}" * (number > 1)).mkdir()
    with pytest.raises(OSError, match="broken-9"):
        jsonfile.update(path, {"name": "x"})
    assert path.read_text() == "{"
