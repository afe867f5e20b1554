"""Parsing a GGUF header. Format: ggml's docs/gguf.md, versions 2 and 3, little-endian.

A header comes from strangers: counts and lengths are checked against what the file can hold before anything is read.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite, prod
from pathlib import Path
from typing import TypeAlias

from app.domain.errors import AppError
from app.gguf.types import TENSOR_TYPES

Scalar: TypeAlias = int | float | bool | str
ReadRange: TypeAlias = Callable[[int, int], bytes]
"""``read(offset, length)``: up to ``length`` bytes from ``offset``; fewer only at the file's end."""

MAX_HEADER_BYTES = 512 << 20
_MAX_DIMENSIONS = 4
_STEP = 1 << 20
_SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
_STRING, _ARRAY = 8, 9


@dataclass(frozen=True, slots=True)
class Array:
    """An array of the metadata. ``values`` is empty where it was longer than the caller wanted; ``count`` tells."""

    count: int
    values: tuple[Scalar, ...] = ()


Value: TypeAlias = Scalar | Array


@dataclass(frozen=True, slots=True)
class Tensor:
    """``shape`` in ggml's order (fastest first); ``offset`` in bytes from the start of the data; ``size`` in bytes."""

    name: str
    shape: tuple[int, ...]
    type: str
    offset: int
    size: int

    @property
    def elements(self) -> int:
        return prod(self.shape)


@dataclass(frozen=True, slots=True)
class Header:
    """``data_offset``: where the tensors' data begins in the file; ``data_size``: what the tensors need from there."""

    version: int
    metadata: dict[str, Value]
    tensors: tuple[Tensor, ...]
    data_offset: int
    data_size: int

    def text(self, key: str, default: str = "") -> str:
        value = self.metadata.get(key)
        return value if isinstance(value, str) else default

    def number(self, key: str, default: int = 0) -> int:
        """An integer; of an array (per layer) its largest value."""
        value = self.metadata.get(key)
        values = value.values if isinstance(value, Array) else (value,)
        return max((int(item) for item in values if isinstance(item, int | float) and isfinite(item)), default=default)

    def arch(self, key: str, default: int = 0) -> int:
        """A number under the architecture's prefix: ``arch("block_count")``."""
        return self.number(f"{self.text('general.architecture')}.{key}", default)


def read_file(path: Path, *, max_array: int = 1024) -> Header:
    """The header of a local file. Raises AppError ``model-unreadable``, ``not-a-model``, ``gguf-damaged``,
    ``gguf-version``, ``gguf-tensor-type``."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)

            def read(offset: int, length: int) -> bytes:
                file.seek(offset)
                return file.read(length)

            return read_header(read, size=size, name=path.name, max_array=max_array)
    except OSError as error:
        raise unreadable(path, error) from error


def read_header(read: ReadRange, *, size: int, name: str, max_array: int = 1024) -> Header:
    """``size``: of the whole file in bytes, so that absurd lengths are refused; ``max_array``: longer arrays are only
    counted. Reads forward in steps of a megabyte, no byte twice. Raises AppError as ``read_file`` does."""
    return _Parser(_Cursor(read, size, name), name, max_array).header()


class _Cursor:
    """A forward reader over ``read``, with bounds."""

    def __init__(self, read: ReadRange, size: int, name: str) -> None:
        self._read = read
        self._limit = min(size, MAX_HEADER_BYTES)
        self._name = name
        self._buffer = b""
        self._start = 0  # offset of the buffer in the file
        self._at = 0  # position in the buffer

    @property
    def offset(self) -> int:
        return self._start + self._at

    @property
    def left(self) -> int:
        return self._limit - self.offset

    def take(self, length: int) -> bytes:
        if length > len(self._buffer) - self._at:
            self._fill(length)
        data = self._buffer[self._at : self._at + length]
        self._at += length
        return data

    def _fill(self, length: int) -> None:
        if length > self.left:
            raise damaged(self._name)
        rest = self._buffer[self._at :]
        self._start += self._at
        end = self._start + len(rest)
        more = self._read(end, min(max(length - len(rest), _STEP), self._limit - end))
        self._buffer, self._at = rest + more, 0
        if len(self._buffer) < length:
            raise damaged(self._name)


class _Parser:
    def __init__(self, cursor: _Cursor, name: str, max_array: int) -> None:
        self._cursor = cursor
        self._name = name
        self._max_array = max_array

    def header(self) -> Header:
        version = self._preamble()
        tensors, pairs = self._number("<Q"), self._number("<Q")
        # A tensor's entry takes at least 28 bytes, a metadata pair at least 13.
        if tensors * 28 + pairs * 13 > self._cursor.left:
            raise damaged(self._name)
        metadata: dict[str, Value] = {}
        for _ in range(pairs):
            key = self._string()
            metadata[key] = self._value(self._number("<I"))
        table = tuple(self._tensor() for _ in range(tensors))
        alignment = metadata.get("general.alignment", 32)
        if not isinstance(alignment, int) or alignment <= 0 or alignment % 8:
            raise damaged(self._name)
        data_offset = -(-self._cursor.offset // alignment) * alignment
        data_size = max((tensor.offset + tensor.size for tensor in table), default=0)
        return Header(version, metadata, table, data_offset, data_size)

    def _preamble(self) -> int:
        if self._cursor.left < 24 or self._cursor.take(4) != b"GGUF":
            raise no_model(self._name)
        version = self._number("<I")
        if version not in (2, 3):
            raise AppError(
                "gguf-version",
                "{name} has GGUF version {version}, which cannot be read.",
                "Look for a newer conversion of this model.",
                name=self._name,
                version=version,
            )
        return version

    def _tensor(self) -> Tensor:
        name = self._string()
        dimensions = self._number("<I")
        if dimensions > _MAX_DIMENSIONS:
            raise damaged(self._name)
        shape = tuple(self._number("<Q") for _ in range(dimensions))
        kind, offset = self._number("<I"), self._number("<Q")
        tensor_type = TENSOR_TYPES.get(kind)
        if tensor_type is None:
            raise AppError(
                "gguf-tensor-type",
                "{name} uses a tensor type that is not known here ({kind}).",
                "Update Alcove, or choose another quantization.",
                name=self._name,
                kind=kind,
            )
        elements = prod(shape)
        if elements >= 1 << 62 or (shape and shape[0] % tensor_type.block):
            raise damaged(self._name)
        return Tensor(name, shape, tensor_type.name, offset, elements // tensor_type.block * tensor_type.size)

    def _value(self, kind: int) -> Value:
        if kind in _SCALARS:
            return self._number(_SCALARS[kind])
        if kind == _STRING:
            return self._string()
        if kind == _ARRAY:
            return self._array()
        raise damaged(self._name)

    def _array(self) -> Array:
        kind, count = self._number("<I"), self._number("<Q")
        if kind in _SCALARS:
            code = _SCALARS[kind]
            data = self._cursor.take(count * struct.calcsize(code))
            wanted = count <= self._max_array
            return Array(count, struct.unpack(f"<{count}{code[1]}", data) if wanted else ())
        if kind != _STRING or count * 8 > self._cursor.left:
            raise damaged(self._name)  # arrays of arrays are allowed by the format and used by nobody
        if count <= self._max_array:
            return Array(count, tuple(self._string() for _ in range(count)))
        for _ in range(count):
            self._cursor.take(self._number("<Q"))
        return Array(count)

    def _string(self) -> str:
        return self._cursor.take(self._number("<Q")).decode("utf-8", errors="replace")

    def _number(self, code: str) -> int:
        number: int = struct.unpack(code, self._cursor.take(struct.calcsize(code)))[0]
        return number


def damaged(name: str) -> AppError:
    return AppError(
        "gguf-damaged", "{name} is damaged or was not downloaded completely.", "Download the file again.", name=name
    )


def no_model(name: str) -> AppError:
    return AppError("not-a-model", "{name} is not a GGUF model file.", "Choose a file in GGUF format.", name=name)


def unreadable(path: Path, error: OSError) -> AppError:
    return AppError(
        "model-unreadable",
        "{path} cannot be read ({reason}).",
        "Check that the file is there, and its permissions.",
        detail=repr(error),
        path=path,
        reason=error.strerror or error,
    )
