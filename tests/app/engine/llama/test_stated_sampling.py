"""How tokens are drawn, as a model's file states it, through the engine's child."""

import struct
from pathlib import Path

import pytest

from app.domain.models import LoadRequest, SamplingValues
from app.engine.local.worker import EngineWorker
from app.models.library.lookup import named
from app.models.library.shipped import shipped_models

FLOAT, STRING, INTEGER = 6, 8, 5
PREAMBLE = 24  # bytes: magic, version, counts of tensors and of pairs
ALIGNMENT = 32


def text(value: str) -> bytes:
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def pair(key: str, value: float | int | str) -> bytes:
    match value:
        case str():
            return text(key) + struct.pack("<I", STRING) + text(value)
        case int():
            return text(key) + struct.pack("<Ii", INTEGER, value)
        case float():
            return text(key) + struct.pack("<If", FLOAT, value)


def with_metadata(source: Path, target: Path, **values: float | int | str) -> Path:
    """A copy whose header says more; what is put in is as long as to leave the data aligned."""
    added = b"".join(pair(f"general.sampling.{key}", value) for key, value in values.items())
    short = -(len(added) + len(pair("test.filler", ""))) % ALIGNMENT
    added += pair("test.filler", "x" * short)
    data = source.read_bytes()
    magic, version, tensors, pairs = struct.unpack("<4sIQQ", data[:PREAMBLE])
    head = struct.pack("<4sIQQ", magic, version, tensors, pairs + len(values) + 1)
    target.write_bytes(head + added + data[PREAMBLE:])
    return target


@pytest.mark.model
@pytest.mark.parametrize(
    ("values", "stated"),
    [
        (
            {"temp": 0.625, "top_k": 20, "top_p": 0.75, "min_p": 0.125, "penalty_repeat": 1.25},
            (0.625, 20, 0.75, 0.125, 1.25),
        ),
        ({"temp": float("nan"), "top_k": -7, "top_p": 12.5, "min_p": "much", "penalty_repeat": -1.0}, (None,) * 5),
        ({"temp": "x" * 100_000, "top_p": 0.5}, (None, None, 0.5, None, None)),
        ({}, (None,) * 5),
    ],
    ids=["all", "damaged", "long", "none"],
)
def test_a_files_figures(
    tmp_path: Path, values: dict[str, float | int | str], stated: tuple[float | None, ...]
) -> None:
    path = with_metadata(Path(named(shipped_models(), "alcove-tiny").path), tmp_path / "stating.gguf", **values)
    engine = EngineWorker(lambda event: None)
    try:
        info = engine.load(LoadRequest(str(path), threads=1, threads_batch=1))
    finally:
        engine.close()
    assert info.sampling == SamplingValues(*stated)
