"""From wishes and a plan to llama.cpp's parameters."""

import ctypes
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app.domain.errors import AppError
from app.domain.models import LoadRequest
from app.engine.llama import bindings
from app.engine.llama.bindings import lib
from app.engine.placement.fit import plan_on_rung
from app.engine.placement.graph import OUTPUTS
from app.engine.placement.plan import Plan, Share
from app.engine.placement.shape import read_shape
from app.machine.devices import Kind, Machine, found_gpu, this_ram

log = logging.getLogger(__name__)

MICRO_BATCH = 512  # tokens of a prompt that are evaluated together: the step of progress and Stop
UNPLANNED_CONTEXT = 8192  # where the header cannot be understood
_TYPES = {"f32": 0, "f16": 1, "q4_0": 2, "q4_1": 3, "q5_0": 6, "q5_1": 7, "q8_0": 8, "iq4_nl": 20, "bf16": 30}  # ggml.h


def decide(request: LoadRequest, path: Path, machine: Machine) -> Plan | None:
    """Where everything goes; None where the header cannot be understood, and llama.cpp says why, or knows better.

    Raises AppError ``gguf-tensor-type``, which llama.cpp does not survive.
    """
    try:
        return plan_on_rung(read_shape(path), machine, request)
    except AppError as error:
        if error.code == "gguf-tensor-type":
            raise
        log.info("no plan: %s", error)
        return None


def this_machine() -> Machine:
    """RAM and GPUs as llama.cpp sees them now."""
    ram = this_ram(measure=False)
    gpus = (found_gpu(device.description or device.name, device.total, device.free, ram) for device in bindings.gpus())
    return Machine(ram, tuple(gpus), amx=bindings.has_amx())


class _Override(ctypes.Structure):
    """struct llama_model_tensor_buft_override"""

    _fields_ = (("pattern", ctypes.c_char_p), ("buft", ctypes.c_void_p))


def model_params(plan: Plan | None, *, rung: int = 0) -> tuple[Any, list[Any]]:
    """``llama_model_params``, and what has to live until the load is over."""
    params = lib.llama_model_default_params()
    params.n_gpu_layers = plan.gpu_layers if plan else 0
    # There is no switch for AMX alone. What died once is not tried in another layout than the file's again.
    params.use_extra_bufts = rung == 0 and (not bindings.has_amx() or (plan is not None and plan.amx))
    keep: list[Any] = []
    if plan is None:
        return params, keep
    if plan.mmap:  # more than the RAM holds: pages of the file come and go, and copies in another layout would not
        params.load_mode = lib.LLAMA_LOAD_MODE_MMAP
        params.use_extra_bufts = False
    if plan.overrides:
        processor = bindings.cpu_buffer_type()
        entries = [_Override(override.pattern.encode(), processor) for override in plan.overrides]
        keep.append((_Override * (len(entries) + 1))(*entries))  # zeros end it
        params.tensor_buft_overrides = ctypes.addressof(keep[-1])
    if plan.tensor_split:
        keep.append((ctypes.c_float * lib.llama_max_devices())(*map(float, plan.tensor_split)))
        params.tensor_split = keep[-1]
    return params, keep


def context_params(plan: Plan | None, request: LoadRequest, trained: int) -> Any:
    """``llama_context_params`` without threads."""
    params = lib.llama_context_default_params()
    if plan is None:
        params.n_ctx = (request.context or min(trained or UNPLANNED_CONTEXT, UNPLANNED_CONTEXT)) >> request.rung
    else:
        params.n_ctx = plan.context
        params.type_k, params.type_v = (_TYPES[kind] for kind in plan.kv_types)
        params.swa_full = plan.full_window
        partly = 0 < plan.gpu_layers <= plan.layers
        if partly or plan.kv_types[1] != "f16":
            params.flash_attn_type = lib.LLAMA_FLASH_ATTN_TYPE_ENABLED  # "auto" gives up where layers are split
    flash = request.variant.flash_attention
    if flash is not None and request.rung == 0:
        params.flash_attn_type = lib.LLAMA_FLASH_ATTN_TYPE_ENABLED if flash else lib.LLAMA_FLASH_ATTN_TYPE_DISABLED
    batch = plan.micro_batch if plan else MICRO_BATCH
    params.n_batch = params.n_ubatch = min(batch, params.n_ctx)
    params.n_outputs_max = min(OUTPUTS, params.n_batch)
    return params


def places(plan: Plan | None) -> tuple[str, ...]:
    """Where the weights lie, in words."""
    if plan is None:
        return (bindings.processor(),)
    return tuple(
        bindings.processor() if share.device.kind is Kind.RAM else share.device.name for share in _worth_naming(plan)
    )


def _worth_naming(plan: Plan) -> Sequence[Share]:
    """Embeddings alone are always in RAM."""
    gpus = [share for share in plan.gpus if share.used]
    everything = plan.gpu_layers > plan.layers and not plan.experts_in_ram
    return gpus if gpus and everything else [*gpus, plan.ram]
