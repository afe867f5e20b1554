"""What goes where."""

import re
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.engine.placement.amx import aborts
from app.engine.placement.plan import Wishes
from app.engine.placement.planner import MARGIN, make_plan
from app.engine.placement.shape import ModelShape, read_shape
from app.gguf.reader import Tensor
from app.machine.devices import GIB, Machine, gpu, invented_ram


def on_gpus(plan) -> set[int]:
    """Layers whose attention is on a GPU."""
    return {index for share in plan.gpus for index in range(*share.layers)}


def in_ram(model: ModelShape, plan) -> set[int]:
    """Layers on GPUs whose experts the overrides send to RAM, as std::regex_search would. The others are there anyway,
    whether a pattern finds them or not."""
    return {
        index
        for index in on_gpus(plan)
        for name in model.layers[index].tensors
        if any(re.search(override.pattern, f"blk.{index}.{name}") for override in plan.overrides)
    }


def test_kimi_k2_on_24_and_256(published, machine):
    model = published("kimi-k2-thinking-q4_0")
    plan = make_plan(model, machine(24, ram=256))
    card, ram = plan.shares
    assert plan.fits
    assert plan.gpu_layers == 62  # all of attention, dense weights and cache, and the output
    assert card.weights.experts == 0
    assert card.weights.mixer > 6 * GIB
    assert ram.kv == ram.weights.mixer == 0
    assert in_ram(model, plan) == set(range(1, 61))
    assert len(plan.overrides) == 1
    assert plan.mmap
    assert plan.disk == pytest.approx(plan.weights - 22 * GIB - 240 * GIB, rel=0.1)
    assert plan.micro_batch == 4096
    assert plan.context >= 32768
    assert 0.1 < plan.tokens_per_second < 1
    assert "disk" in plan.sentence


def test_kimi_k2_in_less_than_two_bits_needs_no_disk(published, machine):
    plan = make_plan(published("kimi-k2-thinking-1.8bit"), machine(24, ram=256))
    assert (plan.fits, plan.disk, plan.mmap) == (True, 0, False)
    assert 3 < plan.tokens_per_second < 12  # 5 to 10 are reported


def test_kimi_k2_on_two_cards_fills_both(published, machine):
    model = published("kimi-k2-thinking-q4_0")
    plan = make_plan(model, machine(96, 96, ram=768))
    assert plan.context == model.context_trained
    assert sum(plan.tensor_split) == plan.gpu_layers == 62
    assert all(share.device.free - share.used < model.layers[1].weights.experts + MARGIN for share in plan.gpus)
    assert in_ram(model, plan) == set(plan.experts_in_ram)
    assert plan.expert_layers == 60 - len(plan.experts_in_ram) == 16
    assert plan.disk == 0
    assert "2 graphics cards" in plan.sentence


def test_what_fits_goes_to_the_card_whole(published, machine):
    plan = make_plan(published("gpt-oss"), machine(24, ram=32))
    assert (plan.gpu_layers, plan.overrides, plan.experts_in_ram, plan.micro_batch) == (25, (), (), 512)
    assert plan.why == "Everything is on the GPU."
    assert plan.ram.weights.experts == plan.ram.kv == 0
    assert plan.ram.weights.dense > 0  # embeddings stay


def test_some_experts_on_the_card(published, machine):
    model = published("qwen3")
    plan = make_plan(model, machine(12, ram=32))
    assert plan.gpu_layers == 49
    assert 10 < plan.expert_layers < 48
    assert in_ram(model, plan) == set(range(48 - plan.expert_layers))
    assert plan.shares[0].used <= 12 * GIB - MARGIN


def test_without_a_card(published, machine):
    plan = make_plan(published("qwen3"), machine(ram=32))
    assert (plan.gpu_layers, plan.overrides, plan.tensor_split, plan.mmap, plan.fits) == (0, (), (), False, True)
    assert [share.device.name for share in plan.shares] == ["RAM"]
    assert plan.ram.weights.every_token + plan.ram.weights.experts == plan.weights
    assert "without a graphics card" in plan.sentence


def test_experts_may_lie_on_the_disk_but_nothing_else(published, machine):
    model = published("qwen3")
    plan = make_plan(model, machine(ram=12))
    assert plan.fits
    assert plan.disk > 4 * GIB
    assert plan.mmap
    small = make_plan(model, machine(ram=2))
    assert not small.fits
    assert "free" in small.why
    assert "too large" in small.sentence


def test_a_dense_model_gives_the_card_its_last_layers(shapes, small, machine, tmp_path):
    from app.engine.placement.shape import read_shape

    shape = shapes.llama(
        layers=40, width=5120, inner=13824, heads=40, kv=8, vocabulary=32000, quantize=shapes.all_of("Q8_0"), tied=False
    )
    shapes.write(tmp_path / "dense.gguf", shape)
    model = read_shape(tmp_path / "dense.gguf")
    plan = make_plan(model, machine(8, ram=32), Wishes(context=8192))
    assert 10 < plan.gpu_layers < 41
    assert plan.overrides == ()
    assert plan.gpus[0].layers == (41 - plan.gpu_layers, 40)
    assert plan.ram.layers == (0, 41 - plan.gpu_layers)
    assert plan.ram.kv > 0
    assert "processor" in plan.why


def test_wishes_are_followed(published, machine):
    model = published("qwen3")
    wishes = Wishes(context=5000, kv_types=("q8_0", "q8_0"), expert_layers=7, micro_batch=256, threads=3)
    plan = make_plan(model, machine(24, ram=32), wishes)
    assert (plan.context, plan.kv_types, plan.expert_layers, plan.micro_batch, plan.threads) == (
        5000, ("q8_0", "q8_0"), 7, 256, 3,
    )  # fmt: skip
    assert in_ram(model, plan) == set(range(41))
    # 5000 tokens take 20 blocks of 256; 34 bytes hold 32 numbers.
    assert plan.gpus[0].kv == 48 * 5120 * 2 * 512 // 32 * 34
    plan = make_plan(model, machine(24, ram=32), Wishes(gpu_layers=10))
    assert (plan.gpu_layers, plan.gpus[0].layers) == (10, (39, 48))
    assert make_plan(model, machine(24, ram=32), Wishes(gpu_layers=0)).gpu_layers == 0


def test_a_wish_too_large_is_said(published, machine):
    model = published("qwen3")
    plan = make_plan(model, machine(12, ram=32), Wishes(expert_layers=48))
    assert not plan.fits
    assert "GPU 1 needs" in plan.why
    plan = make_plan(model, machine(2, ram=32), Wishes(gpu_layers=49, context=32768))
    assert (plan.fits, plan.gpu_layers) == (False, 49)


def test_a_card_with_the_machines_own_memory(published):
    apple = gpu("Apple M4", 48 * GIB, unified=True)
    plan = make_plan(published("qwen3"), Machine(invented_ram(64 * GIB), (apple,)))
    assert plan.gpu_layers == 49
    assert plan.expert_layers == 48
    tight = Machine(invented_ram(20 * GIB), (gpu("Apple M4", 18 * GIB, unified=True),))
    plan = make_plan(published("qwen3"), tight)
    assert plan.fits
    assert sum(share.used for share in plan.shares) - plan.disk <= 16 * GIB - MARGIN


def test_two_unequal_cards_share_by_size(published, machine):
    model = published("qwen3")
    plan = make_plan(model, machine(16, 8, ram=32), Wishes(context=16384))
    assert plan.expert_layers == 48
    first, second = plan.tensor_split
    assert first > 1.3 * second
    # llama.cpp copies what goes into several cards' micro-batches, unless something is overridden.
    assert plan.gpus[0].compute > make_plan(model, machine(32, ram=32), Wishes(context=16384)).gpus[0].compute


SIZES = (1, 2, 4, 6, 8, 11, 16, 24, 32, 48, 80, 120)  # GiB


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    st.sampled_from(["qwen3-30b-a3b-q4_k_m", "gpt-oss-20b-mxfp4", "kimi-k2-thinking-q4_0"]),
    st.lists(st.sampled_from(SIZES), max_size=3),
    st.integers(4, 900),
)
@example("kimi-k2-thinking-q4_0", [7], 4)  # a few last layers on the GPU, and no expert
@example("qwen3-30b-a3b-q4_k_m", [2], 119)
@example("kimi-k2-thinking-q4_0", [1], 8)  # a GPU that is no use
@example("gpt-oss-20b-mxfp4", [1], 8)
@example("qwen3-30b-a3b-q4_k_m", [1, 120, 1], 4)
@example("kimi-k2-thinking-q4_0", [120, 120, 120], 900)
def test_no_device_gets_more_than_it_has_and_nothing_is_lost(published, machine, name, cards, ram):
    model = published(name)
    plan = make_plan(model, machine(*cards, ram=ram))
    for share in plan.gpus:
        assert not share.used or share.used + MARGIN <= share.device.free
    assert sum(s.weights.every_token + s.weights.experts for s in plan.shares) == plan.weights
    assert plan.ram.used - plan.disk + MARGIN <= plan.ram.device.free or not plan.fits
    away = in_ram(model, plan)
    assert away == set(plan.experts_in_ram)
    assert plan.ram.weights.experts == sum(
        layer.weights.experts for index, layer in enumerate(model.layers) if index in away or index not in on_gpus(plan)
    )
    assert sum(plan.tensor_split) == plan.gpu_layers
    assert plan.tokens_per_second > 0
    covered = [share.layers for share in (plan.ram, *plan.gpus) if share.used and share.layers != (0, 0)]
    assert all(first[1] == second[0] for first, second in pairwise(covered))


def test_the_same_machine_gets_the_same_plan(published, machine):
    model = published("qwen3")
    assert make_plan(model, machine(16, 8, ram=32)) == make_plan(model, machine(16, 8, ram=32))


def test_more_memory_is_never_slower(published, machine):
    model = published("kimi-k2-thinking-q4_0")
    wish = Wishes(context=16384)
    speeds = [make_plan(model, machine(*cards, ram=ram), wish).tokens_per_second for cards, ram in (
        ((), 64), ((), 256), ((24,), 256), ((48,), 256), ((48, 48), 256), ((96, 96), 256),
    )]  # fmt: skip
    assert speeds == sorted(speeds)


def test_a_processor_with_amx_gets_weights_in_another_layout(published, machine, small, shapes, tmp_path):
    path = tmp_path / "model.gguf"
    shapes.write(path, small["dense, Q4_0, tied"])
    model = read_shape(path)
    stored, laid_out = make_plan(model, machine(ram=16)), make_plan(model, replace(machine(ram=16), amx=True))
    assert (stored.amx, laid_out.amx) == (False, True)
    assert laid_out.ram.used - stored.ram.used == model.amx == model.tied > 0  # the embeddings' table is looked up, too


@pytest.mark.parametrize("name", ["kimi-k2-thinking-1.8bit", "deepseek-v3-q4_k_m"])
def test_latent_attention_stays_in_the_files_layout(published, machine, name):
    plan = make_plan(published(name), replace(machine(ram=1000), amx=True))
    assert not plan.amx
    assert plan == make_plan(published(name), machine(ram=1000))


@pytest.mark.parametrize("ram", [20, 21, 22, 24, 28, 32, 48])
def test_the_layout_for_amx_costs_no_context(published, machine, ram):
    model = published("qwen3")
    stored, laid_out = make_plan(model, machine(ram=ram)), make_plan(model, replace(machine(ram=ram), amx=True))
    assert (laid_out.context, laid_out.fits, laid_out.mmap) == (stored.context, stored.fits, stored.mmap)
    assert laid_out.amx == (laid_out.ram.used > stored.ram.used)


@pytest.mark.parametrize(
    ("name", "shape", "kind", "wanted"),
    [
        ("blk.0.attn_k_b.weight", (128, 512, 64), "Q8_0", True),
        ("blk.0.attn_k_b.weight", (128, 512, 64), "F32", False),
        ("blk.0.ssm_dt.weight", (160, 5120), "Q8_0", True),
        ("blk.0.time_mix_w1.weight", (2048, 160), "Q8_0", True),
        ("blk.0.attn_q.weight", (4096, 4096), "Q8_0", False),
    ],
)
def test_weights_over_which_llama_cpp_ends_the_process(name, shape, kind, wanted):
    assert aborts(Tensor(name, shape, kind, 0, 0)) is wanted


def test_the_layout_for_amx_is_left_where_it_is_of_no_use(published, machine):
    model = published("qwen3")
    assert make_plan(model, replace(machine(ram=64), amx=True)).amx
    assert not make_plan(model, replace(machine(24, ram=64), amx=True)).amx
    assert not make_plan(model, replace(machine(ram=64), amx=True), Wishes(mapped=True)).amx
    tight = replace(machine(ram=64), amx=True)
    wishes = Wishes(context=4096)
    needed = make_plan(model, tight, wishes).ram.used + MARGIN
    tight = replace(tight, ram=replace(tight.ram, free=needed))
    assert make_plan(model, tight, wishes).amx
    tight = replace(tight, ram=replace(tight.ram, free=needed - 1))
    plan = make_plan(model, tight, wishes)
    assert (plan.amx, plan.mmap) == (False, False)  # as stored it fits
