"""What is worth timing besides the plan."""

import pytest

from app.domain.models import LoadRequest
from app.engine.placement.alternatives import MOST, alternatives
from app.engine.placement.fit import plan_on_rung


@pytest.fixture
def found(published, machine):
    """The plan's alternatives, each of which says another thing than the plan and counts on the first rung only."""

    def find(name, *gpus, ram=64, **wishes):
        model, on = published(name), machine(*gpus, ram=ram)

        def plan(**more):
            return plan_on_rung(model, on, LoadRequest("model.gguf", **wishes, **more))

        variants = alternatives(plan(), on)
        assert len(variants) <= MOST
        assert len({variant.what for variant in variants}) == len(variants)
        for variant in variants:
            assert plan(variant=variant) != plan() or variant.flash_attention is False
            assert plan(variant=variant, rung=1) == plan(rung=1)
        return plan(), variants

    return find


def test_in_ram(found):
    plan, variants = found("qwen3-30b-a3b-q4_k_m")
    assert plan.gpu_layers == 0
    assert [(variant.mapped, variant.flash_attention) for variant in variants] == [(True, None), (None, False)]


def test_a_quantized_cache_needs_flash_attention(found):
    _, variants = found("qwen3-30b-a3b-q4_k_m", kv_types=("q8_0", "q8_0"))
    assert [variant.mapped for variant in variants] == [True]


def test_a_card_that_is_filled_may_want_some_room(found):
    plan, variants = found("qwen3-30b-a3b-q4_k_m", 12)
    assert 0 < plan.expert_layers < plan.layers_with_experts
    assert [variant.expert_layers for variant in variants] == [plan.expert_layers - 1, 0, plan.expert_layers - 2]
    assert variants[1].micro_batch > plan.micro_batch or plan.micro_batch == 4096


def test_without_room_in_memory_the_experts_stay(found):
    plan, variants = found("kimi-k2-thinking-1.8bit", 24, ram=224)
    assert plan.expert_layers == 1
    assert [variant.flash_attention for variant in variants] == [False]


def test_fewer_cards(found):
    plan, variants = found("qwen3-30b-a3b-q4_k_m", 24, 24)
    assert sum(1 for share in plan.gpus if share.used) == 2
    assert [(variant.gpus, variant.flash_attention) for variant in variants] == [(1, None), (None, False)]


def test_everything_on_one_card(found):
    _, variants = found("qwen3-30b-a3b-q4_k_m", 48)
    assert [variant.flash_attention for variant in variants] == [False]


def test_what_is_larger_than_memory_has_no_choice(found):
    plan, variants = found("kimi-k2-thinking-q4_0", 24, ram=256)
    assert plan.disk > 0
    assert [variant for variant in variants if variant.mapped is False or variant.expert_layers] == []
