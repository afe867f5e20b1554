"""What a file says of the model in it, and what its makers want before a text."""

import os

import pytest

from app.embedding.files import describe
from app.embedding.prefixes import prefixes


def test_the_id_is_that_of_the_content(bert, tmp_path):
    copy = tmp_path / "elsewhere" / "bert.gguf"
    copy.parent.mkdir()
    copy.write_bytes(bert.read_bytes())
    os.utime(copy, (1, 1))
    assert describe(copy) == describe(bert)
    copy.write_bytes(bert.read_bytes()[:-400] + bytes(400))
    assert describe(copy).id != describe(bert).id


@pytest.mark.parametrize(
    ("name", "query", "passage"),
    [
        ("multilingual-e5-small-F16", "query: ", "passage: "),
        ("multilingual-e5-large-instruct", "Instruct: Find passages that answer the question\nQuery: ", ""),
        ("nomic-embed-text-v1.5.Q8_0", "search_query: ", "search_document: "),
        ("bge-m3-Q8_0", "", ""),
        ("all-MiniLM-L6-v2-F16", "", ""),
    ],
)
def test_prefixes_that_the_makers_want(name, query, passage):
    assert prefixes(name) == (query, passage)
