"""Shapes of models, machines to place them on, and llama.cpp's own word on sizes."""

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from app.engine.placement.shape import ModelShape, read_shape
from app.machine.devices import GIB, Machine, gpu, invented_ram

ROOT = Path(__file__).parents[4]
DATA = ROOT / "tests" / "data"


@pytest.fixture(scope="session")
def shapes() -> ModuleType:
    """The module that writes shapes."""
    spec = importlib.util.spec_from_file_location("make_shapes", DATA / "make_shapes.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["make_shapes"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def published() -> Callable[[str], ModelShape]:
    """A published model's shape, by the beginning of its file's name."""

    @cache
    def read(name: str) -> ModelShape:
        (path,) = (DATA / "shapes").glob(f"{name}*.gguf")
        return read_shape(path)

    return read


@pytest.fixture(scope="session")
def machine() -> Callable[..., Machine]:
    """``machine(24, 24, ram=256)``: GPUs and RAM in GiB."""

    def make(*gpus: float, ram: float = 64) -> Machine:
        devices = tuple(gpu(f"GPU {number}", int(size * GIB)) for number, size in enumerate(gpus, 1))
        return Machine(invented_ram(int(ram * GIB)), devices)

    return make


@pytest.fixture(scope="session")
def small(shapes: ModuleType) -> dict[str, Any]:
    """One small shape of every kind of memory."""
    q8, q4 = shapes.all_of("Q8_0"), shapes.experts("Q4_0")
    size = {"width": 512, "heads": 8, "kv": 2, "vocabulary": 8000}
    return {
        "dense": shapes.llama(**size, layers=4, inner=1536, quantize=q8),
        "dense, Q4_0, tied": shapes.llama(**size, layers=3, inner=2048, quantize=shapes.all_of("Q4_0")),
        "experts": shapes.qwen3moe(
            **size, layers=5, head=128, count=32, used=4, inner=256, context=8192, quantize=q8
        ),
        "sliding window": shapes.gemma3(
            layers=8, width=640, inner=2048, heads=4, kv=1, head=256, window=512, vocabulary=8000, quantize=q8
        ),
        "sliding window, experts": shapes.gpt_oss(
            layers=6, width=576, heads=10, kv=2, head=64, count=16, used=4, inner=576, vocabulary=8000, window=128,
            quantize=shapes.experts("MXFP4"),
        ),
        "latent attention": shapes.deepseek2(
            layers=5, dense=1, width=512, inner=1536, heads=8, q_rank=128, kv_rank=128, nope=64, rope=32, value=64,
            count=48, used=6, shared=1, expert_inner=256, vocabulary=8000, context=8192, quantize=q4,
        ),
        "delta net": shapes.qwen3next(
            **size, layers=8, head=64, key_heads=4, value_heads=8, state=64, count=32, used=4, inner=128, quantize=q8
        ),
        "mamba 2": shapes.granite_hybrid(**size, layers=8, inner=1536, state=128, quantize=q8),
        "short convolutions": shapes.lfm2(**size, layers=9, inner=1536, quantize=q8),
    }  # fmt: skip


@pytest.fixture(scope="session")
def measure() -> Callable[..., dict[str, dict[str, float]]]:
    """llama.cpp's buffer sizes in bytes, by name of the buffer type and kind, from a child with a memory limit."""

    def run(**wish: object) -> dict[str, dict[str, float]]:
        done = subprocess.run(
            [sys.executable, Path(__file__).with_name("measure_child.py"), json.dumps(wish)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        answer = json.loads(done.stdout)
        assert answer["ok"], answer["log"]
        return {name: {kind: mib * (1 << 20) for kind, mib in own.items()} for name, own in answer["buffers"].items()}

    return run
