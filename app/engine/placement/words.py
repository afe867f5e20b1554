"""A plan in words: one sentence for a beginner, and the reason behind it."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.sizes import memory_size
from app.engine.placement.plan import Share
from app.engine.placement.shape import ModelShape
from app.machine.devices import Machine

READING_SPEED = 7.0  # tokens a second that a person reads


@dataclass(frozen=True, slots=True)
class Outcome:
    """What there is to say something about."""

    model: ModelShape
    machine: Machine
    shares: Sequence[Share]
    disk: int
    gpu_layers: int
    expert_layers: int
    context: int
    tokens_per_second: float
    margin: int


def sentence(outcome: Outcome, *, fits: bool) -> str:
    """For somebody who knows nothing of layers."""
    if not fits:
        return f"{outcome.model.name} is too large for this computer: {_shortage(outcome)}."
    speed = outcome.tokens_per_second
    pace = (
        f"about {_rounded(speed)} words or pieces of words a second"
        if speed >= 1
        else f"about one word every {_rounded(1 / speed)} seconds"
    )
    comfort = (
        "faster than you read" if speed > READING_SPEED else "slower than you read" if speed > 1 else "very slowly"
    )
    return f"{outcome.model.name} runs {_where(outcome)} and should answer with {pace}, {comfort}."


def reason(outcome: Outcome, *, fits: bool) -> str:
    """Why it does not fit, or what decides the speed."""
    if not fits:
        return f"{outcome.model.name} does not fit: {_shortage(outcome)}."
    layers = len(outcome.model.layers)
    if outcome.disk:
        return (
            f"{memory_size(outcome.disk)} of the experts do not fit into memory and are read from the disk whenever a "
            "token needs them; that decides the speed."
        )
    if not outcome.gpu_layers:
        return "Everything is in RAM, whose bandwidth decides the speed."
    if outcome.gpu_layers <= layers:
        return f"{outcome.gpu_layers} of {layers + 1} layers fit on the GPU; the rest is computed by the processor."
    if outcome.expert_layers < outcome.model.expert_layers:
        return (
            f"Attention, dense weights and the cache are on the GPU, with the experts of {outcome.expert_layers} of "
            f"{outcome.model.expert_layers} layers; the other experts are in RAM, whose bandwidth decides the speed."
        )
    return "Everything is on the GPU."


def _where(outcome: Outcome) -> str:
    gpus = sum(1 for share in outcome.shares[:-1] if share.used)
    graphics = "the graphics card" if gpus == 1 else f"{gpus} graphics cards"
    if outcome.disk:
        parts = f"{graphics}, memory and the disk" if gpus else "memory and the disk"
        return f"from {parts} together, because it is larger than the memory,"
    if not gpus:
        return "in memory, without a graphics card,"
    if outcome.gpu_layers > len(outcome.model.layers) and outcome.expert_layers == outcome.model.expert_layers:
        return f"entirely on {graphics}"
    return f"on {graphics} and in memory together"


def _shortage(outcome: Outcome) -> str:
    for share in outcome.shares[:-1]:
        missing = share.used + outcome.margin - share.device.free
        if missing > 0 and share.used:
            return f"what was chosen for {share.device.name} needs {memory_size(missing)} more than it has"
    ram = outcome.shares[-1]
    needed = ram.weights.every_token + ram.kv + ram.compute + outcome.margin
    return f"what every token needs takes {memory_size(needed)} of RAM, and {memory_size(ram.device.free)} are free"


def _rounded(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"
