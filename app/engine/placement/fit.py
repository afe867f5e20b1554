"""From what was asked for, and how often that was too much, to a plan. Pure."""

from dataclasses import replace

from app.domain.models import LoadRequest
from app.domain.placement import AS_PLANNED
from app.engine.placement.plan import Plan, Share, Wishes
from app.engine.placement.planner import MARGIN, SMALLEST_CONTEXT, make_plan
from app.engine.placement.shape import ModelShape, WeightBytes
from app.machine.devices import Machine


def plan_on_rung(shape: ModelShape, machine: Machine, request: LoadRequest) -> Plan:
    """The plan for a request, safer on every rung.

    On each the context is halved and twice as much memory left free; from the second one on nothing is put on a GPU or
    laid out for AMX. No rung takes more context than the one before.
    """
    machine = replace(machine, amx=machine.amx and request.rung == 0)
    variant = request.variant if request.rung == 0 else AS_PLANNED
    if variant.gpus is not None and variant.gpus < len(machine.gpus):
        fewer = replace(machine, gpus=machine.gpus[: variant.gpus])
        plan = plan_on_rung(shape, fewer, replace(request, variant=replace(variant, gpus=None)))
        idle = [Share(gpu, WeightBytes(), 0, 0) for gpu in machine.gpus[variant.gpus :]]
        return replace(plan, shares=(*plan.gpus, *idle, plan.ram))
    wishes = Wishes(
        context=request.context,
        kv_types=request.kv_types or ("f16", "f16"),
        gpu_layers=0 if request.rung >= 2 else request.gpu_layers,
        expert_layers=request.expert_layers if variant.expert_layers is None else variant.expert_layers,
        micro_batch=variant.micro_batch or request.micro_batch,
        threads=request.threads,
        mapped=bool(variant.mapped),
        flash_attention=variant.flash_attention is not False,
    )
    plan = make_plan(shape, machine, wishes, margin=MARGIN)
    if request.rung == 0:
        return plan
    floor = min(plan.context, SMALLEST_CONTEXT)
    first = make_plan(shape, machine, replace(wishes, gpu_layers=request.gpu_layers)).context
    smaller = max(min(plan.context, first) >> request.rung, floor)
    return make_plan(shape, machine, replace(wishes, context=smaller), margin=MARGIN << request.rung)
