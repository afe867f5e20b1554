"""Conversations' states on disk: what is written is read, and what is not exactly that never is."""

import os
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.engine.learned.saved_states import Blob, SavedState, StateFolder, key_of

KEY = key_of("model", 1)
TOKENS = tuple(range(100, 400))
STATE = bytes(range(256)) * 40


@pytest.fixture
def folder(tmp_path: Path) -> StateFolder:
    return StateFolder(tmp_path / "states", 1 << 20)


def saved(tokens=TOKENS, state=STATE, **more):
    return SavedState(tuple(tokens), state, **more)


def same(one, other):
    return (one.tokens, bytes(one.state), one.whole, [(blob.at, bytes(blob.data)) for blob in one.checkpoints]) == (
        other.tokens,
        other.state,
        other.whole,
        [(blob.at, blob.data) for blob in other.checkpoints],
    )


def test_what_is_written_is_read(folder):
    state = saved(whole=False, checkpoints=(Blob(50, b"fifty"), Blob(200, b"")))
    path = folder.write(KEY, "conversation", state)
    assert same(folder.read(path, KEY), state)
    assert [file.name for file in folder.path.iterdir()] == [path.name]


def test_the_longest_prefix_wins(folder):
    short = folder.write(KEY, "a", saved(TOKENS[:100]))
    long = folder.write(KEY, "b", saved((*TOKENS[:200], 1, 2, 3)))
    folder.write(key_of("another model"), "b", saved())
    assert folder.best(KEY, TOKENS, 0, 1000) == long
    assert folder.best(KEY, TOKENS, 199, 1000) == long
    assert folder.best(KEY, TOKENS, 200, 1000) is None
    assert folder.best(KEY, TOKENS, 0, 150) == short
    assert folder.best(KEY, (7, 8), 0, 1000) is None


def test_what_cannot_be_cut_goes_back_to_its_checkpoints(folder):
    path = folder.write(KEY, "a", saved(whole=False, checkpoints=(Blob(50, b"x"), Blob(200, b"y"))))
    prompt = (*TOKENS[:250], 1)
    assert folder.best(KEY, prompt, 199, 1000) == path
    assert folder.best(KEY, prompt, 200, 1000) is None
    assert folder.best(KEY, (*TOKENS, 1), 250, 1000) == path


def test_a_cancelled_write_leaves_what_was_there(folder):
    before = saved()
    path = folder.write(KEY, "a", before)
    asked = iter([True, True, False])
    large = saved(state=bytes(3 << 18), checkpoints=(Blob(1, b"x"), Blob(2, b"x")))
    assert folder.write(KEY, "a", large, lambda: next(asked)) is None
    assert same(folder.read(path, KEY), before)
    assert len(list(folder.path.iterdir())) == 1


def test_the_longest_unused_goes_first(folder):
    paths = [folder.write(KEY, name, saved(state=bytes(300_000))) for name in "abc"]
    for age, path in enumerate(paths):
        os.utime(path, (time.time() - 100 * (age + 1),) * 2)
    assert folder.read(paths[2], KEY) is not None  # used now
    new = folder.write(KEY, "d", saved(state=bytes(300_000)))
    assert {path for path in [*paths, new] if path.exists()} == {paths[0], paths[2], new}
    assert folder.write(KEY, "e", saved(state=bytes(2 << 20))) is None
    assert new.exists()


def test_the_old_and_the_half_written_go(folder):
    old, new = (folder.write(KEY, name, saved()) for name in "ab")
    part = folder.path / "x.part"
    part.write_bytes(b"half")
    os.utime(old, (time.time() - 90 * 24 * 3600,) * 2)
    folder.trim()
    assert part.exists()  # somebody may be writing it
    os.utime(part, (time.time() - 7200,) * 2)
    folder.trim()
    assert list(folder.path.iterdir()) == [new]


def branch(number, length=600, shared=100):
    return saved((*TOKENS[:shared], *range(1000 * number, 1000 * number + length)))


def test_branches_have_files_of_their_own(folder):
    first, second = (folder.write(KEY, "a", branch(number)) for number in (1, 2))
    assert first != second
    for number, path in ((1, first), (2, second)):
        assert folder.best(KEY, branch(number).tokens, 100, 10_000) == path
    longer = branch(2, length=900)
    assert folder.write(KEY, "a", longer) == second  # it goes on
    assert folder.best(KEY, longer.tokens, 899, 10_000) == second
    assert folder.write(KEY, "a", saved(longer.tokens[:800])) == second  # nearly
    other = folder.write(KEY, "another", branch(1))
    assert set(folder.path.iterdir()) == {first, second, other}


def test_a_conversation_keeps_its_three_latest_branches(folder):
    paths = [folder.write(KEY, "a", branch(number)) for number in (1, 2, 3)]
    for age, path in enumerate(paths):
        os.utime(path, (time.time() - 100 * (age + 1),) * 2)
    assert folder.read(paths[2], KEY) is not None  # used now
    assert folder.write(KEY, "a", branch(4)) == paths[1]
    assert folder.best(KEY, branch(2).tokens, 100, 10_000) is None
    assert all(path.exists() for path in paths)


def test_one_state_can_take_the_place_of_several(folder):
    for number in (1, 2):
        folder.write(KEY, "a", branch(number))
    whole = saved((*branch(1).tokens, *range(5000, 6000)))
    folder.write(KEY, "a", whole, dropped=branch(2).tokens)
    (path,) = folder.path.iterdir()
    assert same(folder.read(path, KEY), whole)


def test_the_share_of_a_long_conversation(folder):
    long = range(40_000)
    folder.write(KEY, "a", saved(long))
    folder.write(KEY, "a", saved((*long[:39_000], 7)))
    assert len(list(folder.path.iterdir())) == 1
    folder.write(KEY, "a", saved((*long[:37_000], 8)))
    assert len(list(folder.path.iterdir())) == 2


def test_a_damaged_branch_gives_its_place(folder):
    path = folder.write(KEY, "a", branch(1))
    path.write_bytes(path.read_bytes()[:-1])
    assert folder.write(KEY, "a", branch(2)) == path


def test_files_of_one_branch_are_known(folder):
    """As they were named before there were several."""
    path = folder.write(KEY, "a", branch(1))
    old = path.rename(path.with_name(path.name.replace("-0.state", ".state")))
    assert folder.best(KEY, branch(1).tokens, 100, 10_000) == old
    assert folder.write(KEY, "a", branch(1, 700)) == old
    folder.write(KEY, "a", branch(2))
    folder.forget("a")
    assert list(folder.path.iterdir()) == []


def test_forget(folder):
    mine = [folder.write(key, "mine", branch(number)) for key in (KEY, key_of("other")) for number in (1, 2)]
    other = folder.write(KEY, "other", saved())
    folder.forget("mine")
    assert not any(path.exists() for path in mine)
    assert other.exists()
    StateFolder(folder.path / "nowhere").forget("mine")


def test_the_default_limit(tmp_path):
    assert 0 < StateFolder(tmp_path / "not" / "there").limit() <= 4_000_000_000


def test_another_models_file_is_never_read(folder):
    path = folder.write(KEY, "a", saved())
    assert folder.read(path, key_of("another")) is None
    assert not path.exists()


damage = st.one_of(
    st.tuples(st.just("cut"), st.integers(0, 1 << 30)),
    st.tuples(st.just("flip"), st.integers(0, 1 << 30)),
    st.tuples(st.just("zeros"), st.integers(0, 1 << 30)),
    st.tuples(st.just("garbage"), st.integers(0, 1 << 30)),
    st.tuples(st.just("longer"), st.integers(1, 100)),
)


def damaged(data: bytes, kind: str, place: int) -> bytes:
    at = place % len(data)
    match kind:
        case "cut":
            return data[:at]
        case "flip":
            return data[:at] + bytes([data[at] ^ 1 << place % 8]) + data[at + 1 :]
        case "zeros":
            return data[:at] + bytes(len(data) - at)
        case "garbage":
            return data[:at] + bytes(byte ^ 0xA5 for byte in data[at : at + 64]) + data[at + 64 :]
        case _:
            return data + bytes(place)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(damage)
def test_a_damaged_file_is_noticed_and_deleted(folder, how):
    path = folder.write(KEY, "a", saved(state=STATE + b"\1", checkpoints=(Blob(9, b"nine"),)))
    data = path.read_bytes()
    harmed = damaged(data, *how)
    path.write_bytes(harmed)
    if harmed != data:
        found = folder.best(KEY, TOKENS, 0, 1000)  # reads the tokens, not the rest
        assert found in (None, path)
        assert found is None or folder.read(found, KEY) is None
        assert not path.exists()
