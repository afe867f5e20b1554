"""The arithmetic against llama.cpp's own: weights, cache and compute buffers, each device by itself, within 5%."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from app.engine.placement.plan import Wishes
from app.engine.placement.planner import make_plan
from app.engine.placement.shape import read_shape
from app.engine.probe import ask
from app.models.library.lookup import named
from app.models.library.shipped import shipped_models

pytestmark = pytest.mark.model
RPC_LIBRARY = os.environ.get("ALCOVE_TEST_RPC_LIBRARY")  # llama.cpp's ggml-rpc, built as a backend of its own
KINDS = (
    "dense", "dense, Q4_0, tied", "experts", "sliding window", "sliding window, experts", "latent attention",
    "delta net", "mamba 2", "short convolutions",
)  # fmt: skip


def of_processor(buffers: dict[str, dict[str, float]], *kinds: str) -> float:
    return sum(own.get(kind, 0) for name, own in buffers.items() if name[:3] in ("CPU", "AMX") for kind in kinds)


@pytest.mark.parametrize("kind", KINDS)
def test_a_shape_of_every_kind(kind, small, shapes, measure, machine, tmp_path):
    path = tmp_path / "model.gguf"
    shapes.write(path, small[kind], weights=True)
    plan = make_plan(read_shape(path), machine(ram=16), Wishes(context=4096))
    found = measure(path=str(path), context=plan.context, micro_batch=plan.micro_batch, layouts=False)
    assert plan.weights == pytest.approx(of_processor(found, "model"), rel=0.002, abs=11_000)
    assert plan.ram.kv == pytest.approx(of_processor(found, "KV", "RS"), rel=0.002, abs=11_000)
    assert plan.ram.compute == pytest.approx(of_processor(found, "compute", "output"), rel=0.01)


@pytest.mark.parametrize(
    ("kind", "wishes"),
    [
        ("dense", Wishes(context=2048, kv_types=("q8_0", "q8_0"), micro_batch=256)),
        ("latent attention", Wishes(context=1000, kv_types=("q8_0", "q8_0"))),
        ("sliding window", Wishes(context=8192, full_window=False)),
        ("delta net", Wishes(context=512, micro_batch=512)),
    ],
)
def test_other_settings(kind, wishes, small, shapes, measure, machine, tmp_path):
    path = tmp_path / "model.gguf"
    shapes.write(path, small[kind], weights=True)
    plan = make_plan(read_shape(path), machine(ram=16), wishes)
    found = measure(
        path=str(path), context=plan.context, micro_batch=plan.micro_batch, kv_types=plan.kv_types,
        full_window=plan.full_window, layouts=False,
    )  # fmt: skip
    assert plan.ram.kv == pytest.approx(of_processor(found, "KV", "RS"), rel=0.002, abs=11_000)
    # Quantized caches turn keys and values before they are stored, which is not counted.
    assert plan.ram.compute == pytest.approx(of_processor(found, "compute", "output"), rel=0.08)


@pytest.fixture(scope="session")
def amx() -> bool:
    """Whether llama.cpp lays weights out for this processor's matrix units."""
    return ask()[1]


@pytest.mark.parametrize("kind", KINDS)
def test_the_layout_for_amx(kind, small, shapes, measure, machine, tmp_path, amx):
    if not amx:
        pytest.skip("not run: this processor has no AMX")
    path = tmp_path / "model.gguf"
    shapes.write(path, small[kind], weights=True)
    plan = make_plan(read_shape(path), replace(machine(ram=16), amx=True), Wishes(context=4096))
    assert plan.amx is (kind != "latent attention")
    found = measure(path=str(path), context=plan.context, micro_batch=plan.micro_batch, layouts=plan.amx)
    assert plan.ram.weights.every_token + plan.ram.weights.experts == pytest.approx(
        of_processor(found, "model"), rel=0.002, abs=22_000
    )
    assert plan.ram.compute == pytest.approx(of_processor(found, "compute", "output"), rel=0.01)


@pytest.mark.parametrize("name", ["alcove-tiny", "SmolLM2-135M-Instruct"])
def test_the_shipped_models(name, measure, machine, amx):
    path = Path(named(shipped_models(), name).path)
    plan = make_plan(read_shape(path), replace(machine(ram=16), amx=amx))
    layouts = plan.amx or not amx
    found = measure(path=str(path), context=plan.context, micro_batch=plan.micro_batch, layouts=layouts)
    # llama.cpp's log rounds to a hundredth of a MiB.
    weights = plan.ram.weights.every_token + plan.ram.weights.experts
    assert weights == pytest.approx(of_processor(found, "model"), rel=0.05, abs=22_000)
    assert plan.ram.kv == pytest.approx(of_processor(found, "KV"), rel=0.002, abs=11_000)
    assert plan.ram.compute == pytest.approx(of_processor(found, "compute", "output"), rel=0.01, abs=22_000)


@pytest.mark.parametrize("kind", ["dense", "experts", "latent attention", "sliding window", "delta net"])
def test_without_flash_attention(kind, small, shapes, measure, machine, tmp_path):
    path = tmp_path / "model.gguf"
    shapes.write(path, small[kind], weights=True)
    plan = make_plan(read_shape(path), machine(ram=16), Wishes(context=4096, flash_attention=False))
    found = measure(
        path=str(path), context=plan.context, micro_batch=plan.micro_batch, layouts=False, flash=False
    )  # fmt: skip
    assert plan.ram.compute == pytest.approx(of_processor(found, "compute", "output"), rel=0.05)


@pytest.mark.parametrize(
    "name", ["kimi-k2-thinking-q4_0", "deepseek-v3-q4_k_m", "qwen3-30b-a3b-q4_k_m", "gpt-oss-20b-mxfp4"]
)
def test_compute_buffers_of_published_shapes(name, shapes, measure, machine, tmp_path):
    """Without allocating anything: a hole of 600 GB is a model that llama.cpp can look at."""
    path = tmp_path / "model.gguf"
    shapes.write(path, shapes.published()[name][1], weights=True)
    plan = make_plan(read_shape(path), machine(ram=1000), Wishes(context=16384, micro_batch=2048))
    found = measure(path=str(path), context=16384, micro_batch=2048, layouts=False, allocate=False)
    assert plan.ram.compute == pytest.approx(of_processor(found, "compute", "output"), rel=0.01)


@pytest.mark.skipif(not RPC_LIBRARY, reason="not run: ALCOVE_TEST_RPC_LIBRARY names no build of llama.cpp's ggml-rpc")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("cards", "wishes"),
    [
        (1, Wishes(context=4096, expert_layers=2, micro_batch=512)),
        (2, Wishes(context=4096, micro_batch=512)),
        (2, Wishes(context=4096, gpu_layers=4, expert_layers=1, micro_batch=512)),
    ],
)
def test_every_device_by_itself(kind, cards, wishes, small, shapes, measure, machine, tmp_path):
    """Servers of llama.cpp's RPC backend stand in for GPUs. They never take over work on weights in RAM, so the copies
    of experts that are counted for a GPU, and the work in RAM, are not compared."""
    path = tmp_path / "model.gguf"
    shapes.write(path, small[kind], weights=True)
    model = read_shape(path)
    plan = make_plan(model, machine(*[4] * cards, ram=8), wishes)
    with servers(cards) as endpoints:
        found = measure(
            path=str(path), context=plan.context, micro_batch=plan.micro_batch, gpu_layers=plan.gpu_layers,
            tensor_split=plan.tensor_split, overrides=[override.pattern for override in plan.overrides], layouts=False,
            rpc={"library": RPC_LIBRARY, "endpoints": endpoints},
        )  # fmt: skip
    assert plan.ram.weights.every_token + plan.ram.weights.experts == pytest.approx(
        of_processor(found, "model"), rel=0.01
    )
    assert plan.ram.kv == pytest.approx(of_processor(found, "KV", "RS"), rel=0.01, abs=11_000)
    for index, share in enumerate(plan.gpus):
        own = found[f"RPC0[{endpoints[index]}]"]
        assert share.weights.every_token + share.weights.experts == pytest.approx(own["model"], rel=0.01)
        assert share.kv == pytest.approx(own.get("KV", 0) + own.get("RS", 0), rel=0.01, abs=11_000)
        # A card that has little besides the last layer needs less than is counted: of that layer llama.cpp computes
        # the feed-forward for one token only.
        assert own["compute"] <= share.compute * 1.2
        if cards == 1 and not plan.experts_in_ram:
            assert share.compute == pytest.approx(own["compute"], rel=0.02)


@contextmanager
def servers(count: int) -> Iterator[list[str]]:
    with ExitStack() as stack:
        ports = []
        for _ in range(count):
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                ports.append(probe.getsockname()[1])
        for port in ports:
            process = subprocess.Popen(
                [sys.executable, Path(__file__).with_name("rpc_server.py"), RPC_LIBRARY, str(port)],
                env={**os.environ, "PYTHONPATH": str(Path.cwd())}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            stack.enter_context(process)
            stack.callback(process.kill)
        for port in ports:
            deadline = time.monotonic() + 20
            while time.monotonic() < deadline:
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=5).close()
                    break
                except ConnectionRefusedError:
                    continue
        yield [f"127.0.0.1:{port}" for port in ports]
