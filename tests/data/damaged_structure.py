"""Damage to a model file's bytes, counts, tensors and shards. ``damaged_models`` has the list."""

import random
import struct
from collections.abc import Callable

from gguf_editor import ARRAY, F32, I32, STRING, U32, U64, Gguf, Pair, Tensor, size_of, string, u32, u64

Draw = random.Random
HUGE = (0, 1 << 31, 1 << 32, 1 << 40, (1 << 63) - 1, 1 << 63, (1 << 64) - 1)
Files = dict[str, bytes]


# --- bytes -----------------------------------------------------------------------------------------------------------


def _written(model: Gguf) -> tuple[bytes, dict[str, int]]:
    data = model.bytes()
    return data, {"header": 4, **model.places, "end": len(data)}


def _part(model: Gguf, draw: Draw, part: str) -> tuple[bytearray, int, int]:
    """The file, and where a part of it begins and ends."""
    data, places = _written(model)
    order = ["header", "pairs", "table", "data", "end"]
    start, end = places[part], places[order[order.index(part) + 1]]
    return bytearray(data), start, max(end, start + 1)


def cut(part: str) -> Callable[[Gguf, Draw], bytes]:
    def change(model: Gguf, draw: Draw) -> bytes:
        data, start, end = _part(model, draw, part)
        return bytes(data[: draw.randrange(start, end)])

    return change


def flip(part: str) -> Callable[[Gguf, Draw], bytes]:
    def change(model: Gguf, draw: Draw) -> bytes:
        data, start, end = _part(model, draw, part)
        for _ in range(draw.choice((1, 1, 2, 8))):
            at = min(draw.randrange(start, end), len(data) - 1)
            data[at] ^= 1 << draw.randrange(8)
        return bytes(data)

    return change


def overwrite(part: str) -> Callable[[Gguf, Draw], bytes]:
    def change(model: Gguf, draw: Draw) -> bytes:
        data, start, end = _part(model, draw, part)
        at, length = draw.randrange(start, end), draw.choice((4, 8, 64, 4096))
        data[at : at + length] = bytes(length) if draw.random() < 0.5 else draw.randbytes(length)
        return bytes(data)

    return change


def shifted(model: Gguf, draw: Draw) -> bytes:
    data, start, end = _part(model, draw, draw.choice(("pairs", "table")))
    at = draw.randrange(start, end)
    if draw.random() < 0.5:
        del data[at : at + draw.randrange(1, 9)]
    else:
        data[at:at] = draw.randbytes(draw.randrange(1, 9))
    return bytes(data)


def only_the_magic(model: Gguf, draw: Draw) -> bytes:
    length = draw.choice((0, 20, 100, 10_000))
    return b"GGUF" + draw.choice((b"", u32(3))) + (bytes(length) if draw.random() < 0.5 else draw.randbytes(length))


def another_file(model: Gguf, draw: Draw) -> bytes:
    texts = (b"", b"Dear diary", b"<html>404</html>", b"version https://git-lfs.github.com/spec/v1\n", bytes(5000))
    return draw.choice((*texts, b"PK\x03\x04" + draw.randbytes(300), b"ggml" + draw.randbytes(300)))


def last_byte(model: Gguf, draw: Draw) -> bytes:
    return model.bytes()[: -draw.choice((1, 2, 32, 1000))]


def no_weights(model: Gguf, draw: Draw) -> bytes:
    data = model.bytes()
    return data[: model.places["data"]] + bytes(draw.choice((0, 1, 31, 32)))


def version(model: Gguf, draw: Draw) -> bytes:
    model.version = draw.choice((0, 1, 2, 4, 99, 3 << 24, (1 << 32) - 1))
    return model.bytes()


# --- counts, lengths, offsets ----------------------------------------------------------------------------------------


def tensor_count(model: Gguf, draw: Draw) -> bytes:
    model.tensor_count = draw.choice((*HUGE, len(model.tensors) + 1, len(model.tensors) - 1))
    return model.bytes()


def pair_count(model: Gguf, draw: Draw) -> bytes:
    model.pair_count = draw.choice((*HUGE, len(model.pairs) + 1, len(model.pairs) - 1))
    return model.bytes()


def value_length(model: Gguf, draw: Draw) -> bytes:
    pair = draw.choice([pair for pair in model.pairs if pair.kind == STRING])
    pair.data = u64(draw.choice((*HUGE, len(pair.data), 1 << 20))) + pair.data[8:]
    return model.bytes()


def array_count(model: Gguf, draw: Draw) -> bytes:
    arrays = [pair for pair in model.pairs if pair.kind == ARRAY]
    if not arrays:
        model.set("general.tags", ARRAY, u32(STRING) + u64(draw.choice(HUGE[1:])))
        return model.bytes()
    pair = draw.choice(arrays)
    count = struct.unpack_from("<Q", pair.data, 4)[0]
    pair.data = pair.data[:4] + u64(draw.choice((*HUGE, count + 1, count - 1))) + pair.data[12:]
    return model.bytes()


def array_of_arrays(model: Gguf, draw: Draw) -> bytes:
    inner = u32(ARRAY) + u64(1)
    model.set("general.tags", ARRAY, inner * draw.choice((1, 3, 10_000)) + u32(U32) + u64(1) + u32(1))
    return model.bytes()


def value_type(model: Gguf, draw: Draw) -> bytes:
    draw.choice(model.pairs).kind = draw.choice((13, 14, 255, (1 << 32) - 1, *range(13)))
    return model.bytes()


def tensor_name(model: Gguf, draw: Draw) -> bytes:
    names = (
        b"",
        b"x" * 64,
        b"x" * 63,
        b"x" * 100_000,
        b"\xff\xfe\x00",
        b"blk.0.\0.weight",
        b"blk.4294967295.attn_q.weight",
    )
    draw.choice(model.tensors).name = draw.choice(names)
    return model.bytes()


def dimension_count(model: Gguf, draw: Draw) -> bytes:
    draw.choice(model.tensors).dimensions = draw.choice((0, 5, 255, (1 << 32) - 1))
    return model.bytes()


def dimension(model: Gguf, draw: Draw) -> bytes:
    shape = draw.choice(model.tensors).shape
    shape[draw.randrange(len(shape))] = draw.choice(HUGE)
    return model.bytes()


def overflowing_dimensions(model: Gguf, draw: Draw) -> bytes:
    tensor = draw.choice(model.tensors)
    tensor.shape = draw.choice(([1 << 32, 1 << 32], [1 << 31, 1 << 31, 4], [1 << 62, 4], [1 << 21] * 3, [32, 1 << 59]))
    return model.bytes()


def tensor_type(model: Gguf, draw: Draw) -> bytes:
    draw.choice(model.tensors).kind = draw.choice((4, 5, 31, 32, 33, 36, 37, 38, 43, 100, 1 << 31, (1 << 32) - 1))
    return model.bytes()


def another_tensor_type(model: Gguf, draw: Draw) -> bytes:
    """One that exists, with as many bytes as it takes."""
    tensor = draw.choice(model.tensors)
    wide = (0, 1, 2, 8, 9, 10, 13, 15, 16, 19, 20, 24, 25, 26, 27, 28, 30, 34, 39, 40, 41)
    fits = [kind for kind in wide if kind != tensor.kind and tensor.shape[0] % (256 if 10 <= kind < 20 else 64) == 0]
    tensor.kind = draw.choice(fits or [1, 24, 25, 26, 27, 28, 30])
    tensor.data = _bytes(draw, tensor)
    return model.bytes()


def every_matrix_of_another_type(model: Gguf, draw: Draw) -> bytes:
    kind = draw.choice((0, 1, 9, 24, 25, 26, 27, 28, 30))
    for tensor in model.tensors:
        if len(tensor.shape) > 1:
            tensor.kind = kind
            tensor.data = _bytes(draw, tensor)
    return model.bytes()


def offset(model: Gguf, draw: Draw) -> bytes:
    end = sum(len(tensor.data) for tensor in model.tensors)
    draw.choice(model.tensors).offset = draw.choice(
        (0, 1, 16, end, end + 32, end * 4, 1 << 40, (1 << 64) - 32, (1 << 64) - 1)
    )
    return model.bytes()


def alignment(model: Gguf, draw: Draw) -> bytes:
    kind, data = draw.choice(
        [(U32, u32(value)) for value in (0, 1, 3, 7, 24, 33, 1 << 31, (1 << 32) - 8)]
        + [(STRING, string("32")), (U64, u64(32)), (I32, u32(-32)), (F32, struct.pack("<f", 32))]
    )
    model.set("general.alignment", kind, data)
    return model.bytes()


# --- tensors ---------------------------------------------------------------------------------------------------------


def turned_shape(model: Gguf, draw: Draw) -> bytes:
    tensor = draw.choice([tensor for tensor in model.tensors if len(set(tensor.shape)) > 1])
    tensor.shape.reverse()
    return model.filled()


def another_shape(model: Gguf, draw: Draw) -> bytes:
    shape = draw.choice(model.tensors).shape
    at = draw.randrange(len(shape))
    shape[at] = max(1, draw.choice((shape[at] * 2, shape[at] // 2, shape[at] + 32, 32, 1)))
    return model.filled()


def more_dimensions(model: Gguf, draw: Draw) -> bytes:
    shape = draw.choice(model.tensors).shape
    shape += [draw.choice((0, 1, 2))] * (4 - len(shape))
    return model.filled()


def missing_tensor(model: Gguf, draw: Draw) -> bytes:
    del model.tensors[draw.randrange(len(model.tensors))]
    return model.filled()


def no_tensors(model: Gguf, draw: Draw) -> bytes:
    model.tensors = [] if draw.random() < 0.5 else model.tensors[:1]
    return model.filled()


def renamed_tensor(model: Gguf, draw: Draw) -> bytes:
    tensor = draw.choice(model.tensors)
    tensor.name = draw.choice((tensor.name[:-1], tensor.name.replace(b"0", b"9"), tensor.name + b"s"))
    return model.filled()


def doubled_tensor(model: Gguf, draw: Draw) -> bytes:
    model.tensors.insert(draw.randrange(len(model.tensors)), draw.choice(model.tensors))
    return model.filled()


def unknown_tensors(model: Gguf, draw: Draw) -> bytes:
    for number in range(draw.choice((1, 1000))):
        model.tensors.append(Tensor(f"extra.{number}.weight".encode(), [32], 0, bytes(128)))
    return model.filled()


def broken_weights(model: Gguf, draw: Draw) -> bytes:
    pattern = draw.choice((b"\xff", b"\x00", b"\x00\x00\xc0\x7f", b"\x00\x00\x80\x7f", b"\x00\x7e", b"\x00\x7c"))
    some = model.tensors if draw.random() < 0.5 else draw.choices(model.tensors, k=3)
    for tensor in some:
        length = size_of(tensor.kind, tensor.shape) if tensor.data else 0
        tensor.data = (pattern * (min(length, 1 << 20) // len(pattern) + 1))[:length]
    return model.filled()


# --- shards ----------------------------------------------------------------------------------------------------------


def shards(change: Callable[[Draw, list[Gguf]], list[Gguf | None]]) -> Callable[[Gguf, Draw], Files]:
    def make(model: Gguf, draw: Draw) -> Files:
        half = len(model.tensors) // 2
        parts = [Gguf(list(model.pairs), model.tensors[:half]), Gguf([], model.tensors[half:])]
        for index, part in enumerate(parts):
            part.pairs += [
                Pair(b"split.no", 2, struct.pack("<H", index)),
                Pair(b"split.count", 2, struct.pack("<H", 2)),
                Pair(b"split.tensors.count", I32, u32(len(model.tensors))),
            ]
        names = ("model-00001-of-00002.gguf", "model-00002-of-00002.gguf")
        changed = change(draw, parts)
        return {name: part.filled() for name, part in zip(names, changed, strict=True) if part is not None}

    return make


def _swapped(draw: Draw, parts: list[Gguf]) -> list[Gguf | None]:
    return draw.choice(([parts[1], parts[0]], [parts[0], parts[0]], [parts[1], parts[1]]))


def _one_gone(draw: Draw, parts: list[Gguf]) -> list[Gguf | None]:
    return draw.choice(([parts[0], None], [None, parts[1]]))


def _miscounted(draw: Draw, parts: list[Gguf]) -> list[Gguf | None]:
    part = draw.choice(parts)
    key = draw.choice(("split.no", "split.count", "split.tensors.count"))
    if draw.random() < 0.3:
        part.drop(key)
    elif key == "split.tensors.count":
        part.set(key, I32, u32(draw.choice((0, 1, 1 << 30, -1))))
    else:
        part.set(key, 2, struct.pack("<H", draw.choice((0, 1, 2, 3, 65_535))))
    return list(parts)


def _second_broken(draw: Draw, parts: list[Gguf]) -> list[Gguf | None]:
    part = parts[1]
    match draw.randrange(4):
        case 0:
            part.tensor_count = draw.choice(HUGE)
        case 1:
            draw.choice(part.tensors).offset = 1 << 40
        case 2:
            part.tensors.append(parts[0].tensors[0])
        case _:
            part.tensors.pop()
    return list(parts)


def claims_shards(model: Gguf, draw: Draw) -> bytes:
    """One file that says that it is one of many."""
    model.set("split.count", 2, struct.pack("<H", draw.choice((2, 1000, 65_535))))
    model.set("split.no", 2, struct.pack("<H", draw.choice((0, 5))))
    return model.filled()


def _bytes(draw: Draw, tensor: Tensor) -> bytes:
    """As many as the tensor takes; none where the source has none."""
    length = size_of(tensor.kind, tensor.shape) if tensor.data else 0
    block = draw.randbytes(min(length, 4096))
    return (block * (length // max(1, len(block)) + 1))[:length]


KINDS: dict[str, Callable[[Gguf, Draw], bytes | Files]] = {
    "cut in the header": cut("header"), "cut in the metadata": cut("pairs"), "cut in the table": cut("table"),
    "cut in the weights": cut("data"), "flipped header": flip("header"), "flipped metadata": flip("pairs"),
    "flipped table": flip("table"), "flipped weights": flip("data"), "overwritten metadata": overwrite("pairs"),
    "overwritten table": overwrite("table"), "overwritten weights": overwrite("data"),
    "swapped shards": shards(_swapped), "missing shard": shards(_one_gone), "miscounted shards": shards(_miscounted),
    "broken second shard": shards(_second_broken),
} | {
    made.__name__: made
    for made in (
        shifted, only_the_magic, another_file, last_byte, no_weights, version, tensor_count, pair_count,
        value_length, array_count, array_of_arrays, value_type, tensor_name, dimension_count, dimension,
        overflowing_dimensions, tensor_type, another_tensor_type, every_matrix_of_another_type, offset,
        alignment, turned_shape, another_shape, more_dimensions, missing_tensor, no_tensors, renamed_tensor,
        doubled_tensor, unknown_tensors, broken_weights, claims_shards,
    )
}  # fmt: skip
