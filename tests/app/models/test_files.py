"""Names of files, ranges of bytes, and the file that is being downloaded."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.errors import AppError
from app.domain.library import RepoFile
from app.models.downloads.partfile import Content, PartFile, done_on_disk
from app.models.downloads.ranges import Range, Ranges
from app.models.hub.files import check_path, group


def test_models_of_equal_name_in_two_folders_stay_apart():
    files = [RepoFile(f"{q}/model-0000{n}-of-00002.gguf", 5) for q in ("Q4_K_M", "Q8_0") for n in (1, 2)]
    models, projectors = group([*files, RepoFile("mmproj-model-f16.gguf", 1), RepoFile("x.safetensors", 9)])
    assert [(m.quantization, len(m.files), m.complete) for m in models] == [("Q4_K_M", 2, True), ("Q8_0", 2, True)]
    assert len(projectors) == 1


@pytest.mark.parametrize("path", ["a.gguf", "UD-Q4_K_XL/a b-00001-of-00002.gguf", "模型.gguf", "a/b/c/d.gguf"])
def test_names_that_may_be_written(path):
    assert str(check_path(path)) == path


@pytest.mark.parametrize(
    "path",
    ["", "/a", "a//b", "../a", "a/../b", ".", "a/.", ".hidden", "a\\b", "c:d", "a\n", "con.gguf", "LPT1", "a.", "a ",
     "a\u202eb", "x" * 300, "a/b/c/d/e/f/g", "a?b", "\ud800"],
)  # fmt: skip
def test_names_that_may_not(path):
    with pytest.raises(AppError) as caught:
        check_path(path)
    assert caught.value.code == "unsafe-name"
    str(caught.value).encode()


@given(st.text(max_size=40))
def test_no_name_leads_out_of_its_folder(tmp_path_factory, path):
    try:
        checked = check_path(path)
    except AppError:
        return
    folder = tmp_path_factory.getbasetemp()
    assert (folder / checked).resolve().is_relative_to(folder.resolve())


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=20))
def test_ranges_are_the_union_of_what_was_added(pairs):
    ranges = Ranges(pairs)
    wanted = {n for start, end in pairs for n in range(start, end)}
    assert {n for start, end in ranges for n in range(start, end)} == wanted
    assert ranges.total == len(wanted)
    assert {n for start, end in ranges.gaps(60) for n in range(start, end)} == set(range(60)) - wanted
    assert ranges.prefix == next(n for n in range(62) if n not in wanted)
    stored = list(ranges)
    assert all(first.end < second.start for first, second in itertools.pairwise(stored))


CONTENT = Content("u", "e", 1000, "s")


@pytest.fixture
def part(tmp_path):
    def make(content=CONTENT, **changes):
        return PartFile(tmp_path / "1.part", content, **{"log_every": 100, "monotonic": lambda: 0.0, **changes})

    return make


def write(part, start, data):
    with part.open_file(part.part) as file:
        file.seek(start)
        file.write(data)
    part.wrote(start, start + len(data))


def test_what_was_logged_is_there_after_a_crash(part, tmp_path):
    first = part()
    first.prepare()
    write(first, 0, b"a" * 100)
    write(first, 500, b"b" * 99)  # not enough for the log
    second = part()
    assert (second.done, second.started_over) == (100, False)
    assert second.missing(400) == [Range(100, 500), Range(500, 900), Range(900, 1000)]
    assert done_on_disk(tmp_path / "1.part") == 100


def test_after_a_power_cut_only_what_was_flushed_counts(part, tmp_path):
    now = [0.0]
    first = part(monotonic=lambda: now[0])
    first.prepare()
    write(first, 0, b"a" * 100)
    now[0] = 6.0
    write(first, 100, b"b" * 20)  # flushes
    write(first, 120, b"c" * 200)
    log = tmp_path / "1.log"
    assert part().done == 320
    log.write_text("12345.0\n" + log.read_text().partition("\n")[2])
    assert part().done == 120


@pytest.mark.parametrize("damage", ["", "x", "1 2 3\n", "\n\n\n", "\xff"])
def test_a_log_that_cannot_be_read_is_left_out(part, tmp_path, damage):
    first = part()
    first.prepare()
    write(first, 0, b"a" * 200)
    first.save()
    (tmp_path / "1.log").write_text(damage, encoding="latin-1")
    assert part().done == 200


def test_a_line_that_was_cut_off_is_left_out(part, tmp_path):
    first = part()
    first.prepare()
    write(first, 0, b"a" * 200)
    with (tmp_path / "1.log").open("a") as log:
        log.write("300 4")
    assert part().done == 200


@pytest.mark.parametrize(
    ("content", "kept"),
    [
        (Content("other", "other", 1000, "s"), True),
        (Content("u", "e", 1000, "t"), False),
        (Content("u", "e", 1001, "s"), False),
        (Content("u", "e", 1000, ""), True),
        (Content("u", "f", 1000, ""), False),
    ],
)
def test_only_bytes_of_the_same_content_are_continued(part, content, kept):
    first = part()
    first.prepare()
    write(first, 0, b"a" * 200)
    second = part(content)
    assert (second.done == 200, second.started_over) == (kept, not kept)


@pytest.mark.parametrize("damage", [b"", b"{}", b"[]", b'{"ranges": 3}', b"\xff"])
def test_a_sidecar_that_cannot_be_read_starts_over(part, tmp_path, damage):
    first = part()
    first.prepare()
    write(first, 0, b"a" * 200)
    (tmp_path / "1.json").write_bytes(damage)
    assert done_on_disk(tmp_path / "1.part") == 0
    assert part().done == 0
    assert not (tmp_path / "1.part").exists()


@settings(max_examples=30, deadline=None)
@given(st.permutations(range(10)))
def test_the_checksum_follows_whatever_the_order(tmp_path_factory, order):
    import hashlib

    data = bytes(range(250)) * 4
    folder = tmp_path_factory.mktemp("part")
    part = PartFile(folder / "1.part", Content("u", "e", 1000), log_every=300, monotonic=lambda: 0.0)
    part.prepare()
    for n in order:
        write(part, n * 100, data[n * 100 : n * 100 + 100])
        part.hash_more(150)
    while part.hash_more(150):
        pass
    assert part.digest() == hashlib.sha256(data).hexdigest()
