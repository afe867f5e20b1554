"""Tokens a second to expect: the bytes that one token needs, over the bandwidth of where they lie.

Decoding one token reads every weight that is not an expert once, ``used`` of ``count`` experts, and the cache so far. A
router spreads its choice evenly over its experts, so of experts that the RAM holds in part, that part is found there.
"""

from collections.abc import Sequence

from app.engine.placement.plan import Share
from app.engine.placement.shape import ModelShape
from app.machine.devices import Machine

OVERHEAD_S = 0.0005  # a token's fixed cost: starting kernels, threads that meet, sampling
DEPTH = 4096  # tokens of conversation that are assumed to be in the cache


def tokens_per_second(model: ModelShape, machine: Machine, shares: Sequence[Share], disk: int, context: int) -> float:
    """``disk``: bytes of RAM's weights that lie on the disk. Experts come first among them."""
    used = model.experts_used / model.experts if model.experts else 1.0
    depth = min(DEPTH, context) / context if context else 0.0
    seconds = OVERHEAD_S
    for share in shares:
        active = share.weights.every_token + share.weights.experts * used + share.kv * depth
        seconds += active / share.device.bandwidth
    seconds -= _looked_up(model, shares[-1]) / shares[-1].device.bandwidth
    ram = shares[-1].weights
    absent = min(disk, ram.experts)
    from_disk = absent * used + (disk - absent)
    # These bytes were counted at the RAM's bandwidth above, through which they pass as well.
    return 1.0 / (seconds + from_disk / machine.disk_bandwidth)


def _looked_up(model: ModelShape, ram: Share) -> int:
    """Bytes of embedding tables of which a token needs one row: all but those that also compute the output there."""
    computes_output = ram.layers[1] == len(model.layers)
    return model.input - (model.tied if computes_output else 0)
