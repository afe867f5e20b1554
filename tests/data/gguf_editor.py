"""GGUF files taken apart and put together again, with every lie that the format allows.

Unlike the program's reader it keeps bytes as they are and believes nothing: a count, a length, an offset can be set to
what it should not be. Format: ggml's docs/gguf.md, version 3, little-endian.
"""

import struct
from dataclasses import dataclass, field

from app.gguf.types import TENSOR_TYPES

U32, I32, F32, BOOL, STRING, ARRAY, U64 = 4, 5, 6, 7, 8, 9, 10
SIZES = {0: 1, 1: 1, 2: 2, 3: 2, U32: 4, I32: 4, F32: 4, BOOL: 1, U64: 8, 11: 8, 12: 8}


def string(text: str | bytes) -> bytes:
    data = text.encode() if isinstance(text, str) else text
    return struct.pack("<Q", len(data)) + data


def u32(value: int) -> bytes:
    return struct.pack("<I", value % (1 << 32))


def u64(value: int) -> bytes:
    return struct.pack("<Q", value % (1 << 64))


@dataclass
class Pair:
    """``data``: the value as it stands behind its type."""

    key: bytes
    kind: int
    data: bytes


@dataclass
class Tensor:
    """``offset`` None: where it falls; ``dimensions`` None: the truth."""

    name: bytes
    shape: list[int]
    kind: int
    data: bytes
    offset: int | None = None
    dimensions: int | None = None


@dataclass
class Gguf:
    """``tensor_count`` and ``pair_count`` None: the truth."""

    pairs: list[Pair]
    tensors: list[Tensor]
    version: int = 3
    alignment: int = 32
    tensor_count: int | None = None
    pair_count: int | None = None
    places: dict[str, int] = field(default_factory=dict)  # where the parts begin, once it is written

    def pair(self, key: str) -> Pair | None:
        """By the whole key, or by what follows the architecture's name."""
        for pair in self.pairs:
            if pair.key.decode() == key or pair.key.decode().partition(".")[2] == key:
                return pair
        return None

    def set(self, key: str, kind: int, data: bytes) -> None:
        pair = self.pair(key)
        if pair is None:
            whole = key if key.startswith(("general.", "tokenizer.", "split.")) else f"{self.architecture}.{key}"
            self.pairs.append(Pair(whole.encode(), kind, data))
        else:
            pair.kind, pair.data = kind, data

    def drop(self, key: str) -> None:
        self.pairs = [pair for pair in self.pairs if pair is not self.pair(key)]

    @property
    def architecture(self) -> str:
        pair = self.pair("general.architecture")
        return pair.data[8:].decode() if pair else ""

    @property
    def numbers(self) -> list[Pair]:
        """The architecture's own whole numbers."""
        own = f"{self.architecture}.".encode()
        return [pair for pair in self.pairs if pair.kind in (U32, I32, U64) and pair.key.startswith(own)]

    def filled(self) -> bytes:
        """With as much data for each tensor as its shape asks for, where that is little."""
        for tensor in self.tensors:
            length = size_of(tensor.kind, tensor.shape)
            if length <= 1 << 24 and tensor.data:
                tensor.data = tensor.data[:length] + bytes(max(0, length - len(tensor.data)))
        return self.bytes()

    def bytes(self) -> bytes:
        head = b"GGUF" + u32(self.version)
        head += u64(len(self.tensors) if self.tensor_count is None else self.tensor_count)
        head += u64(len(self.pairs) if self.pair_count is None else self.pair_count)
        self.places["pairs"] = len(head)
        head += b"".join(string(pair.key) + u32(pair.kind) + pair.data for pair in self.pairs)
        self.places["table"] = len(head)
        data = bytearray()
        for tensor in self.tensors:
            offset = len(data) if tensor.offset is None else tensor.offset
            count = len(tensor.shape) if tensor.dimensions is None else tensor.dimensions
            head += string(tensor.name) + u32(count) + b"".join(map(u64, tensor.shape)) + u32(tensor.kind) + u64(offset)
            data += tensor.data + bytes(-len(tensor.data) % self.alignment)
        head += bytes(-len(head) % self.alignment)
        self.places["data"] = len(head)
        return head + bytes(data)


def size_of(kind: int, shape: list[int]) -> int:
    """Bytes of such a tensor."""
    count = 1
    for length in shape:
        count *= length
    known = TENSOR_TYPES[kind]
    return -(-count // known.block) * known.size


def parse(data: bytes) -> Gguf:
    """Of a file that is whole, or that ends where the tensors' data would begin."""
    at = 8

    def take(length: int) -> bytes:
        nonlocal at
        at += length
        return data[at - length : at]

    def number(code: str) -> int:
        return int(struct.unpack(code, take(struct.calcsize(code)))[0])

    def value(kind: int) -> bytes:
        start = at
        if kind == STRING:
            take(number("<Q"))
        elif kind == ARRAY:
            of, count = number("<I"), number("<Q")
            if of == STRING:
                for _ in range(count):
                    take(number("<Q"))
            else:
                take(count * SIZES[of])
        else:
            take(SIZES[kind])
        return data[start:at]

    tensors, pairs = number("<Q"), number("<Q")
    made = Gguf([], [])
    for _ in range(pairs):
        key, kind = take(number("<Q")), number("<I")
        made.pairs.append(Pair(key, kind, value(kind)))
    table: list[tuple[Tensor, int]] = []
    for _ in range(tensors):
        name = take(number("<Q"))
        shape = [number("<Q") for _ in range(number("<I"))]
        table.append((Tensor(name, shape, number("<I"), b""), number("<Q")))
    alignment = made.pair("general.alignment")
    made.alignment = struct.unpack("<I", alignment.data)[0] if alignment else 32
    start = -(-at // made.alignment) * made.alignment
    for tensor, offset in table:
        tensor.data = data[start + offset : start + offset + size_of(tensor.kind, tensor.shape)]
        if not tensor.data:
            tensor.offset = offset
        made.tensors.append(tensor)
    return made
