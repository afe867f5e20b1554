"""Values as they stand in rows: a part as its kind and a JSON object of its fields, token ids as packed integers.

Fields that are missing take the type's default; fields and kinds that this version does not know are skipped when read.
"""

import json
import logging
import sys
from array import array
from collections.abc import Iterable, Mapping
from dataclasses import Field, asdict
from typing import Any, ClassVar, Protocol, TypeVar

from app.domain.messages import (
    PART_KINDS,
    Change,
    CitationPart,
    GenerationStats,
    Part,
    SourcesPart,
    ToolResultPart,
    ToolStatus,
    part_kind,
)
from app.domain.sources import Locator, Source

log = logging.getLogger(__name__)


class _Dataclass(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


Value = TypeVar("Value", bound=_Dataclass)


def encode_part(part: Part) -> tuple[str, str]:
    """Its kind, and JSON of its fields."""
    return part_kind(part), to_json(asdict(part))


def decode_part(kind: str, fields: str) -> Part | None:
    """None for a part that this version cannot read."""
    try:
        cls = PART_KINDS[kind]
        return _build(cls, {name: _nested(cls, name, value) for name, value in json.loads(fields).items()})
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        log.debug("skipped a message part: %r", error)
        return None


def encode_stats(stats: GenerationStats | None) -> str | None:
    return None if stats is None else to_json(asdict(stats))


def decode_stats(text: str | None) -> GenerationStats | None:
    if text is None:
        return None
    values = json.loads(text)
    because = values.pop("again_because", "")
    known = because in set(Change)  # a newer version may have other reasons
    return _build(GenerationStats, {**values, "again_because": Change(because) if known else Change.NONE})


def pack_ids(ids: Iterable[int]) -> bytes:
    """Unsigned 32-bit little-endian."""
    packed = array("I", ids)
    if sys.byteorder == "big":
        packed.byteswap()
    return packed.tobytes()


def unpack_ids(blob: bytes) -> tuple[int, ...]:
    packed = array("I")
    packed.frombytes(blob)
    if sys.byteorder == "big":
        packed.byteswap()
    return tuple(packed)


def to_json(value: object) -> str:
    """Compact JSON. Half surrogate pairs (odd file names) are escaped, for SQLite takes only valid Unicode."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text if _encodable(text) else json.dumps(value, separators=(",", ":"))


def valid_text(text: str) -> str:
    """``text`` with half surrogate pairs replaced."""
    return text if _encodable(text) else text.encode("utf-8", "replace").decode()


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _nested(cls: type[Part], name: str, value: Any) -> Any:
    if cls is ToolResultPart and name == "status":
        return ToolStatus(value)
    if cls is CitationPart and name == "locator":
        return _build(Locator, value)
    if cls is SourcesPart and name == "sources":
        return tuple(_build(Source, {**source, "locator": _build(Locator, source["locator"])}) for source in value)
    return value


def _build(cls: type[Value], values: Mapping[str, Any]) -> Value:
    known = cls.__dataclass_fields__
    return cls(**{name: value for name, value in values.items() if name in known})


def decode_paths(text: str) -> tuple[str, ...]:
    return tuple(json.loads(text))
