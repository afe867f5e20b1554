"""Simple, conservative arithmetic for what fits: context length and layers on the GPU. Pure; sizes in bytes."""

from collections.abc import Sequence
from dataclasses import dataclass

MARGIN = 1 << 30  # left free on every device
SMALLEST_CONTEXT = 2048  # tokens; less is of no use in a chat
HOST_SHARE = 0.5  # of the RAM that the weights leave, for the KV cache: other programs want some too
F16 = 2  # bytes of a K or V element


@dataclass(frozen=True, slots=True)
class Shape:
    """What decides the size of the KV cache. ``key`` and ``value`` are lengths of one head in elements."""

    layers: int
    kv_heads: int
    key: int
    value: int
    latent: bool = False  # multi-head latent attention keeps one compressed key and no values

    def kv_bytes(self) -> int:
        """Of one token, over all layers, with f16 keys and values."""
        heads = 1 if self.latent else self.kv_heads
        return self.layers * heads * (self.key + (0 if self.latent else self.value)) * F16


def context_size(wish: int | None, trained: int, kv_bytes: int, budget: int, rung: int) -> int:
    """Tokens: the wish, or what the model was trained for; at most what ``budget`` holds; halved at every rung.

    Never under ``SMALLEST_CONTEXT`` unless that is wished or trained.
    """
    wanted = wish or trained or SMALLEST_CONTEXT
    floor = min(wanted, SMALLEST_CONTEXT)
    fits = budget // kv_bytes // 256 * 256 if kv_bytes > 0 else wanted  # llama.cpp pads to 256
    size = min(wanted, max(fits, floor))
    return max(size >> rung, min(size, SMALLEST_CONTEXT)) if rung > 0 else size


def gpu_layers(wish: int | None, layers: int, weights: int, kv: int, free: Sequence[int], rung: int) -> int:
    """Layers to offload; ``layers`` + 1 is everything, output included. ``kv``: a whole context's bytes."""
    if rung >= 2 or not free:
        return 0
    everything = layers + 1
    if wish is not None:
        return max(0, min(wish, everything))
    room = sum(max(0, size - MARGIN) for size in free)
    needed = weights + kv
    return everything if needed <= room else everything * room // needed
