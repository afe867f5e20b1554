"""``alcove plan``: where a model would go, on this machine or on an invented one, and how fast it would be."""

import argparse
from collections.abc import Iterator
from pathlib import Path

from app.chat.model_plan import shape_on_hub
from app.cli.arguments import count, positive
from app.cli.local_model import model_service
from app.cli.output import JsonLines, Plain
from app.domain.placement import KV_TYPES
from app.domain.sizes import memory_size
from app.engine.placement.plan import Plan, Share, Wishes
from app.engine.placement.planner import make_plan
from app.engine.placement.shape import ModelShape, read_shape
from app.engine.probe import this_machine
from app.gguf.names import is_gguf
from app.machine.devices import Machine, invented_gpus, invented_ram, parse_size, this_ram


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="a GGUF file, a model that is there, or OWNER/NAME on the Hub")
    parser.add_argument("quantization", metavar="QUANTIZATION", nargs="?", default="", help="of a model on the Hub")
    parser.add_argument("--gpu", metavar="SIZE", action="append", default=[], help="plan for a GPU of 24GB; repeatable")
    parser.add_argument("--ram", metavar="SIZE", help="plan for a machine with 64GB of memory")
    parser.add_argument("--context", metavar="N", type=positive, help="tokens of conversation")
    parser.add_argument("--kv", metavar="TYPE", choices=KV_TYPES, default="f16", help="type of the cache: f16, q8_0, …")
    parser.add_argument("--gpu-layers", metavar="N", type=count, help="layers on the GPU")
    parser.add_argument("--expert-layers", metavar="N", type=count, help="layers whose experts are on the GPU")
    parser.add_argument("--json", action="store_true", help="answer in JSON Lines")


def run(arguments: argparse.Namespace) -> int:
    """A model that does not fit is an answer, not an error."""
    machine = _machine(arguments)
    wishes = Wishes(
        context=arguments.context,
        kv_types=(arguments.kv, arguments.kv),
        gpu_layers=arguments.gpu_layers,
        expert_layers=arguments.expert_layers,
    )
    plan = make_plan(_shape(arguments.model, arguments.quantization), machine, wishes)
    if arguments.json:
        JsonLines().write(record(plan))
    else:
        plain = Plain()
        for line in describe(plan):
            plain.line(line)
    return 0


def _shape(name: str, quantization: str) -> ModelShape:
    """Of a file, or of a model that is not here: from its first megabytes on the Hub."""
    here = Path(name).expanduser().exists() or is_gguf(name) or name.count("/") > 1
    with model_service() as models:
        if not here and ("/" in name or models.entry(name) is not None):
            return shape_on_hub(models, name, quantization)
        return read_shape(Path(models.library.locate(name).path))


def _machine(arguments: argparse.Namespace) -> Machine:
    invented = bool(arguments.gpu or arguments.ram)
    gpus = invented_gpus([parse_size(text) for text in arguments.gpu])
    if not invented:
        return this_machine()
    return Machine(invented_ram(parse_size(arguments.ram)) if arguments.ram else this_ram(), gpus)


def record(plan: Plan) -> dict[str, object]:
    """The plan as JSON: sizes in bytes, the RAM last among the devices."""
    return {
        "model": plan.model,
        "context": plan.context,
        "devices": [_device(share) for share in plan.shares],
        "disk": plan.disk,
        "tokens_per_second": round(plan.tokens_per_second, 3),
        "measured": plan.measured,
        "fits": plan.fits,
        "why": plan.why,
        "overrides": [{"pattern": override.pattern, "buffer": override.buffer} for override in plan.overrides],
        "gpu_layers": plan.gpu_layers,
        "expert_layers": plan.expert_layers,
        "tensor_split": list(plan.tensor_split),
        "micro_batch": plan.micro_batch,
        "kv_types": list(plan.kv_types),
        "mmap": plan.mmap,
        "weights": plan.weights,
    }


def _device(share: Share) -> dict[str, object]:
    return {
        "name": share.device.name,
        "kind": share.device.kind.value,
        "total": share.device.total,
        "free": share.device.free,
        "dense": share.weights.every_token,
        "experts": share.weights.experts,
        "kv": share.kv,
        "compute": share.compute,
        "used": share.used,
        "bandwidth": share.device.bandwidth,
        "measured": share.device.measured,
    }


def describe(plan: Plan) -> Iterator[str]:
    """The sentence, the table behind it, and what llama.cpp is told."""
    yield plan.sentence
    yield plan.why
    yield ""
    yield from _table(plan)
    yield ""
    trained = f" of {plan.context_trained:,}" if plan.context_trained else ""
    yield f"context        {plan.context:,}{trained} tokens, cache in {'/'.join(plan.kv_types)}"
    yield f"micro-batch    {plan.micro_batch:,} tokens"
    yield f"GPU layers     {plan.gpu_layers}{_split(plan)}, experts of {plan.expert_layers} layers"
    if plan.experts_in_ram:
        yield f"in RAM         experts of layers {_ranges(plan.experts_in_ram)}"
    yield f"file           {'mapped, read as needed' if plan.mmap else 'read into memory once'}"
    known = "measured" if plan.measured else "assumed"
    speeds = ", ".join(f"{s.device.name} {s.device.bandwidth / 1e9:.0f} GB/s" for s in plan.shares if s.used)
    if plan.disk:
        speeds += f", disk {plan.disk_bandwidth / 1e9:.1f} GB/s"
    yield f"speed          {plan.tokens_per_second:.2g} tokens a second, from {known} bandwidth: {speeds}"


def _table(plan: Plan) -> Iterator[str]:
    heads = ("", "attention", "dense", "shared", "experts", "cache", "compute", "used", "free")
    yield _row(heads)
    for share in plan.shares:
        own = share.weights
        cells = (own.mixer, own.dense, own.shared, own.experts, share.kv, share.compute, share.used, share.device.free)
        yield _row((share.device.name, *(memory_size(cell) if cell else "-" for cell in cells)))
    if plan.disk:
        yield _row(("of it on disk", *("" for _ in range(6)), memory_size(plan.disk), ""))


def _row(cells: tuple[str, ...]) -> str:
    return f"{cells[0]:14}" + "".join(f"{cell:>10}" for cell in cells[1:])


def _ranges(numbers: tuple[int, ...]) -> str:
    """(1, 2, 3, 7) -> "1-3, 7"."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][1] == number - 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


def _split(plan: Plan) -> str:
    return f" ({' + '.join(map(str, plan.tensor_split))})" if len(plan.tensor_split) > 1 else ""
