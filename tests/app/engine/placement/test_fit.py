"""What a rung of the ladder means, on machines that are only imagined."""

from dataclasses import replace
from pathlib import Path

import pytest

from app.domain.models import LoadRequest
from app.domain.placement import PlacementVariant
from app.engine.learned.ladder import LAST_RUNG
from app.engine.placement.fit import plan_on_rung
from app.engine.placement.shape import read_shape
from app.machine.devices import GIB, Machine, gpu, invented_ram

SHAPES = Path(__file__).parents[3] / "data" / "shapes"
WISH = LoadRequest("model.gguf")


@pytest.fixture
def qwen():
    return read_shape(SHAPES / "qwen3-30b-a3b-q4_k_m.gguf")


def machine(*gpus, ram=64):
    return Machine(invented_ram(ram * GIB), tuple(gpu("GPU", size * GIB) for size in gpus))


def test_the_first_rung_is_the_plan(qwen):
    plan = plan_on_rung(qwen, machine(24), WISH)
    assert plan.gpu_layers > 0
    assert plan_on_rung(qwen, machine(24), replace(WISH, context=4096, gpu_layers=3)).context == 4096
    wishes = replace(WISH, kv_types=("q8_0", "q8_0"), micro_batch=128, expert_layers=2, threads=3)
    followed = plan_on_rung(qwen, machine(24), wishes)
    assert (followed.kv_types, followed.micro_batch, followed.expert_layers, followed.threads) == (
        ("q8_0", "q8_0"), 128, 2, 3,
    )  # fmt: skip


def test_a_plan_for_fewer_cards_still_names_all(qwen):
    wish = replace(WISH, variant=PlacementVariant("on one graphics card", gpus=1))
    plan = plan_on_rung(qwen, machine(24, 24), wish)
    assert [share.used > 0 for share in plan.gpus] == [True, False]
    assert replace(plan, shares=(plan.shares[0], plan.ram)) == plan_on_rung(qwen, machine(24), WISH)


@pytest.mark.parametrize("gpus", [(), (24,), (8, 8)])
@pytest.mark.parametrize("wish", [WISH, replace(WISH, context=32768), replace(WISH, gpu_layers=5)])
def test_every_rung_needs_less(qwen, gpus, wish):
    plans = [plan_on_rung(qwen, machine(*gpus), replace(wish, rung=rung)) for rung in range(LAST_RUNG + 1)]
    contexts = [plan.context for plan in plans]
    assert contexts == sorted(contexts, reverse=True)
    assert contexts[-1] <= max(2048, contexts[0] // 4)
    assert all(plan.gpu_layers == 0 for plan in plans[2:])
    assert sum(share.kv for share in plans[-1].shares) < sum(share.kv for share in plans[0].shares)


@pytest.mark.parametrize("ram", [20, 22, 64])
def test_only_the_first_rung_lays_weights_out(qwen, ram):
    here = replace(machine(ram=ram), amx=True)
    plans = [plan_on_rung(qwen, here, replace(WISH, rung=rung)) for rung in range(LAST_RUNG + 1)]
    assert not any(plan.amx for plan in plans[1:])
    assert plans[0].amx or ram < 64
    contexts = [plan.context for plan in plans]
    assert contexts == sorted(contexts, reverse=True)


def test_a_small_context_stays(qwen):
    assert plan_on_rung(qwen, machine(), replace(WISH, context=512, rung=3)).context == 512
