"""Placements that may turn out faster than the planned one: what arithmetic cannot know is for a stopwatch."""

from collections.abc import Iterator
from itertools import islice

from app.domain.placement import PlacementVariant
from app.engine.placement.plan import Plan
from app.engine.placement.planner import LARGE_MICRO_BATCHES, MARGIN
from app.machine.devices import Machine

MOST = 3


def alternatives(plan: Plan, machine: Machine) -> tuple[PlacementVariant, ...]:
    """The most promising ones, without the plan itself.

    None where there is nothing to choose: a model that is larger than the memory has to be mapped, and its experts read
    from the disk.
    """
    return tuple(islice(_on_gpus(plan, machine) if plan.gpu_layers else _in_ram(plan), MOST))


def _on_gpus(plan: Plan, machine: Machine) -> Iterator[PlacementVariant]:
    """A GPU that is filled to the margin can be slower than one with some room: drivers move memory about then."""
    most = _that_find_room(plan, machine) if 0 < plan.expert_layers < plan.layers_with_experts else 0
    if most >= 1:
        yield PlacementVariant(
            "with the experts of one layer less on the graphics card", expert_layers=plan.expert_layers - 1
        )
    if sum(1 for share in plan.gpus if share.used) > 1:
        count = sum(1 for share in plan.gpus if share.used) - 1
        yield PlacementVariant("on one graphics card" if count == 1 else f"on {count} graphics cards", gpus=count)
    if most and most == plan.expert_layers:
        yield PlacementVariant("with all experts in memory", expert_layers=0, micro_batch=_larger(plan.micro_batch))
    if most >= 2:
        yield PlacementVariant(
            "with the experts of two layers less on the graphics card", expert_layers=plan.expert_layers - 2
        )
    if plan.gpu_layers > plan.layers:
        yield from _without_flash_attention(plan)


def _in_ram(plan: Plan) -> Iterator[PlacementVariant]:
    if not plan.mmap:
        yield PlacementVariant("from the mapped file", mapped=True)
    yield from _without_flash_attention(plan)


def _without_flash_attention(plan: Plan) -> Iterator[PlacementVariant]:
    if plan.kv_types[1] in ("f16", "bf16", "f32"):  # quantized values need it
        yield PlacementVariant("without flash attention", flash_attention=False)


def _that_find_room(plan: Plan, machine: Machine) -> int:
    """How many of the layers whose experts are on GPUs find room for them in RAM."""
    one = sum(share.weights.experts for share in plan.gpus) // plan.expert_layers
    return min(plan.expert_layers, max(0, machine.ram.free - MARGIN - plan.ram.used) // max(1, one))


def _larger(micro_batch: int) -> int:
    return next((size for size in reversed(LARGE_MICRO_BATCHES) if size > micro_batch), micro_batch)
