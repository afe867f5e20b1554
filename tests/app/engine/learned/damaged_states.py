"""Damaged files of saved states, always the same ones. ``CARELESS`` damages are noticed by the checksums; a ``FORGED``
file has right checksums over contents that llama.cpp never wrote."""

import json
import random
import zlib
from collections.abc import Callable
from dataclasses import replace

from app.engine.learned.saved_states import MAGIC, Blob, SavedState

Draw = random.Random
START = len(MAGIC) + 8  # magic, length and checksum of the header


def _header(data: bytes, change: Callable[[dict[str, object]], object]) -> bytes:
    """With another header and its right checksum."""
    length = int.from_bytes(data[len(MAGIC) : len(MAGIC) + 4], "little")
    header = json.loads(data[START : START + length])
    change(header)
    text = json.dumps(header).encode()
    return (
        MAGIC + len(text).to_bytes(4, "little") + zlib.crc32(text).to_bytes(4, "little") + text + data[START + length :]
    )


def _with(key: str, *values: object) -> Callable[[bytes, Draw], bytes]:
    return lambda data, draw: _header(data, lambda header: header.update({key: draw.choice(values)}))


def _flipped(first: float, last: float) -> Callable[[bytes, Draw], bytes]:
    """A bit between two places, given as shares of the file."""

    def change(data: bytes, draw: Draw) -> bytes:
        at = draw.randrange(int(first * len(data)), max(int(last * len(data)), int(first * len(data)) + 1))
        return data[:at] + bytes([data[at] ^ 1 << draw.randrange(8)]) + data[at + 1 :]

    return change


CARELESS: dict[str, Callable[[bytes, Draw], bytes]] = {
    "cut": lambda data, draw: data[: draw.randrange(len(data))],
    "last byte gone": lambda data, draw: data[:-1],
    "empty": lambda data, draw: b"",
    "magic alone": lambda data, draw: MAGIC,
    "zeros": lambda data, draw: bytes(len(data)),
    "noise": lambda data, draw: MAGIC + draw.randbytes(5000),
    "longer": lambda data, draw: data + bytes(draw.randrange(1, 100)),
    "another format": lambda data, draw: b"SQLite format 3\0" + data[16:],
    "flipped in the header": _flipped(0, 0.001),
    "flipped in the tokens": _flipped(0.001, 0.004),
    "flipped in the state": _flipped(0.01, 1),
    "zeros in the state": lambda data, draw: data[: len(data) // 2] + bytes(len(data) - len(data) // 2),
    "huge header": lambda data, draw: data[: len(MAGIC)] + b"\xff" * 4 + data[len(MAGIC) + 4 :],
    "no JSON": lambda data, draw: data[:START] + b"not JSON" + data[START + 8 :],
    "another key": _with("key", "0" * 20, "", 7, None),
    "other number of tokens": _with("tokens", 0, -1, 1, 1 << 40, 1 << 62, "many", 1.5),
    "other sizes": _with("sizes", [], [0], [1 << 62], [-1], [-(1 << 40), 1 << 40], "x", [1.5]),
    "other places": _with("places", [], [0], [1 << 40], [1, 2, 3], "x"),
    "other checksums": _with("crcs", [0], [], [1, 2], ["x"]),
    "other checksum of the tokens": _with("tokens_crc", 0, -1, "x"),
    "unknown field": _with("more", 1, [1]),
}


def _state(change: Callable[[bytes, Draw], bytes]) -> Callable[[SavedState, Draw], SavedState]:
    return lambda saved, draw: replace(saved, state=change(bytes(saved.state), draw))


def _patched(data: bytes, draw: Draw) -> bytes:
    """Numbers at the start, where counts and sizes are."""
    changed = bytearray(data)
    for _ in range(draw.choice((1, 2, 4))):
        at = 4 * draw.randrange(min(64, len(data) // 4))
        changed[at : at + 4] = draw.choice(
            (b"\0" * 4, b"\xff" * 4, b"\xff\xff\xff\x7f", b"\1\0\0\0", draw.randbytes(4))
        )
    return bytes(changed)


def _checkpoints(saved: SavedState, draw: Draw) -> SavedState:
    blobs = [Blob(draw.randrange(len(saved.tokens)), draw.randbytes(draw.choice((0, 4, 100, 5000)))) for _ in range(3)]
    known = [Blob(blob.at, _patched(bytes(blob.data), draw)) for blob in saved.checkpoints]
    return replace(saved, whole=False, checkpoints=tuple(known or blobs) if draw.random() < 0.5 else tuple(blobs))


FORGED: dict[str, Callable[[SavedState, Draw], SavedState]] = {
    "shorter state": _state(lambda data, draw: data[: draw.randrange(len(data))]),
    "state without its end": _state(lambda data, draw: data[: -draw.choice((1, 4, 64))]),
    "no state": _state(lambda data, draw: b""),
    "longer state": _state(lambda data, draw: data + bytes(draw.choice((1, 4, 4096)))),
    "patched state": _state(_patched),
    "more patched state": _state(_patched),
    "another patched state": _state(_patched),
    "state of zeros": _state(lambda data, draw: bytes(len(data))),
    "state of noise": _state(lambda data, draw: draw.randbytes(len(data))),
    "state of infinities": _state(lambda data, draw: data[:256] + b"\x00\x7c" * ((len(data) - 256) // 2)),
    "fewer tokens": lambda saved, draw: replace(saved, tokens=saved.tokens[: draw.randrange(65, len(saved.tokens))]),
    "more tokens": lambda saved, draw: replace(saved, tokens=(*saved.tokens, *saved.tokens[: draw.randrange(1, 50)])),
    "forged checkpoints": _checkpoints,
    "other forged checkpoints": _checkpoints,
    "checkpoints only": lambda saved, draw: replace(saved, whole=False, checkpoints=(Blob(100, bytes(saved.state)),)),
}
