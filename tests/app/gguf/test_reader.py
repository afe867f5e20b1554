"""GGUF headers: the shipped models, files that tests write, and files that are broken."""

import contextlib
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.errors import AppError
from app.gguf.reader import Array, read_file, read_header

TINY = Path("resources/models/alcove-tiny.gguf")


def string(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def build(metadata: bytes = b"", pairs: int = 0, tensors: bytes = b"", count: int = 0) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", 3, count, pairs) + metadata + tensors


def parse(data: bytes, **wishes: int):
    return read_header(lambda offset, length: data[offset : offset + length], size=len(data), name="x.gguf", **wishes)


def test_the_shipped_model() -> None:
    header = read_file(TINY)
    assert header.text("general.architecture") == "deepseek2"
    assert header.arch("expert_count") == 16
    assert header.arch("expert_used_count") == 4
    assert header.arch("context_length") == 2048
    assert header.data_offset + header.data_size <= TINY.stat().st_size
    experts = next(t for t in header.tensors if t.name == "blk.1.ffn_up_exps.weight")
    assert experts.type == "Q8_0"
    assert experts.size == experts.elements // 32 * 34


def test_long_arrays_are_only_counted() -> None:
    header = read_file(TINY, max_array=10)
    tokens = header.metadata["tokenizer.ggml.tokens"]
    assert tokens == Array(header.arch("vocab_size"))
    assert len(read_file(TINY, max_array=5000).metadata["tokenizer.ggml.tokens"].values) == tokens.count


def test_reading_by_range_fetches_no_byte_twice() -> None:
    data = TINY.read_bytes()
    asked: list[tuple[int, int]] = []

    def read(offset: int, length: int) -> bytes:
        asked.append((offset, length))
        return data[offset : offset + length]

    header = read_header(read, size=len(data), name="tiny")
    assert header.tensors == read_file(TINY).tensors
    ends = 0
    for offset, length in asked:
        assert offset == ends
        ends = offset + length


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "not-a-model"),
        (b"hello, I am a text file, not a model at all", "not-a-model"),
        (b"GGUF" + struct.pack("<IQQ", 99, 0, 0), "gguf-version"),
        (b"GGUF" + struct.pack("<IQQ", 3, 1 << 60, 0), "gguf-damaged"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 1 << 61), "gguf-damaged"),
        (build(struct.pack("<Q", 1 << 62), 1), "gguf-damaged"),
        (build(string("k") + struct.pack("<IIQ", 9, 8, 1 << 50), 1), "gguf-damaged"),
        (build(string("k") + struct.pack("<IIQ", 9, 4, 1 << 50), 1), "gguf-damaged"),
        (build(string("k") + struct.pack("<I", 77), 1), "gguf-damaged"),
        (build(tensors=string("t") + struct.pack("<IQIQ", 1, 32, 999, 0), count=1), "gguf-tensor-type"),
        (build(tensors=string("t") + struct.pack("<IQIQ", 1, 31, 8, 0), count=1), "gguf-damaged"),
    ],
)
def test_broken_headers_are_one_sentence(data: bytes, code: str) -> None:
    with pytest.raises(AppError) as caught:
        parse(data)
    assert caught.value.code == code


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(AppError, match=r"gone\.gguf cannot be read"):
        read_file(tmp_path / "gone.gguf")


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_damage_never_raises_anything_else(data: st.DataObject) -> None:
    body = bytearray(TINY.read_bytes()[:60_000])
    for _ in range(data.draw(st.integers(0, 6))):
        body[data.draw(st.integers(0, 3000))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(body)))
    with contextlib.suppress(AppError):
        assert parse(bytes(body[:cut])).version in (2, 3)
