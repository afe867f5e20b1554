"""Passages cover the document, stand where they say they stand, and have a sensible size."""

from collections.abc import Callable
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from app.documents.reading.blocks import Block, BlockKind, Limits
from app.documents.reading.chunking import LONGEST, OVERLAP, Chunk, chunks, measure
from app.documents.reading.readers import csv_reader, markdown_reader, source_reader, text_reader
from app.documents.reading.readers.registry import DocumentFormat, ReadContext
from app.domain.sources import Locator

Read = Callable[[DocumentFormat, bytes], list[Block]]

words = st.sampled_from("the garden wall # ## ``` | a | --- ==== - item. End! 日本語のテキスト été\tx".split(" "))
lines = st.lists(words, max_size=12).map(" ".join)
documents = st.lists(st.one_of(lines, st.just(""), st.text(max_size=30)), max_size=60).map("\n".join)
readers = st.sampled_from([text_reader, markdown_reader, source_reader, csv_reader])


def _covered(text: str, found: list[Chunk]) -> str:
    """What no passage holds."""
    left, position = [], 0
    for chunk in found:
        left.append(text[position : max(position, chunk.start)])
        position = max(position, chunk.end)
    return "".join(left) + text[position:]


@given(documents, readers)
@settings(max_examples=150, deadline=None)
def test_passages_hold_all_text_at_their_lines(text: str, reader: object) -> None:
    data = text.encode("utf-8", "replace")
    context = ReadContext("/somewhere/file", Limits())
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or any(ord(char) < 32 and char not in "\t\n\r\f" for char in text):
        return
    blocks = list(reader.read(data, context))  # type: ignore[attr-defined]  # one of the reader modules
    whole = "".join(block.text for block in blocks)
    assert whole == data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    found = list(chunks(blocks))
    assert not _covered(whole, found).strip()
    all_lines = whole.split("\n")
    for chunk in found:
        assert chunk.text == whole[chunk.start : chunk.end]
        place = chunk.locator
        assert place.line_start is not None
        assert place.line_end is not None
        assert chunk.text.strip("\n").rstrip() in "\n".join(all_lines[place.line_start - 1 : place.line_end])


@given(st.lists(st.text(alphabet="abc .\n", min_size=1, max_size=3000), min_size=1, max_size=8))
@settings(max_examples=60, deadline=None)
def test_passages_have_a_bounded_size_and_a_small_overlap(texts: list[str]) -> None:
    found = list(chunks(Block(text, Locator()) for text in texts))
    for chunk in found:
        assert measure(chunk.text) <= LONGEST * 1.3
    for before, after in pairwise(found):
        assert before.start < after.start
        assert before.end - after.start <= OVERLAP


def test_long_prose_is_cut_into_even_overlapping_passages() -> None:
    sentences = "".join(f"Sentence number {n} says something about the house. " for n in range(100))
    found = list(chunks([Block(sentences, Locator(heading="House"))]))
    assert all(700 <= len(chunk.text) <= 1300 for chunk in found)
    assert all(before.end > after.start for before, after in pairwise(found))
    assert {chunk.locator.heading for chunk in found} == {"House"}


def test_a_heading_begins_a_new_passage_and_small_sections_stay_together() -> None:
    def section(title: str, length: int) -> list[Block]:
        place = Locator(heading=title)
        return [Block(f"{title}\n", place, BlockKind.HEADING), Block("word " * (length // 5) + "\n\n", place)]

    found = list(chunks(section("One", 800) + section("Two", 100) + section("Three", 700)))
    assert [chunk.text.split("\n")[0] for chunk in found] == ["One", "Two"]
    assert [chunk.locator.heading for chunk in found] == ["One", "Three"]


def test_a_passage_never_spans_pages() -> None:
    found = list(chunks([Block(f"Page {n} text. " * 20, Locator(page=n)) for n in (1, 2, 3)]))
    assert [chunk.locator.page for chunk in found] == [1, 2, 3]
    assert all(f"Page {chunk.locator.page} " in chunk.text for chunk in found)


def test_code_lines_and_table_rows_stay_whole(read: Read) -> None:
    rows = "".join(f"row {n},{'x' * 60}\n" for n in range(60))
    for chunk in chunks(read(DocumentFormat.CSV, f"name,value\n{rows}".encode())):
        assert all(line.startswith(("row ", "name,")) for line in chunk.text.splitlines())
        assert chunk.locator.heading == "name, value"


def test_text_without_spaces_is_cut_into_smaller_passages() -> None:
    found = list(chunks([Block("漢字の文章が続く。" * 200, Locator())]))
    assert len(found) > 4
    assert all(len(chunk.text) <= 500 for chunk in found)


def test_blank_documents_have_no_passages() -> None:
    assert list(chunks([Block("\n \n\n", Locator())])) == []
    assert list(chunks([])) == []
