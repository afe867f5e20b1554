"""Bytes of the KV cache and of recurrent states."""

from app.engine.placement.shape import Layer
from app.gguf.types import TENSOR_TYPES

PADDING = 256  # llama.cpp pads the number of cells to it
_TYPES = {kind.name.lower(): kind for kind in TENSOR_TYPES.values()}


def cells(context: int) -> int:
    """Tokens that a cache for ``context`` holds."""
    return -(-context // PADDING) * PADDING


def window_cells(context: int, window: int, micro_batch: int, *, full_window: bool) -> int:
    """The same for layers with a sliding window (llama-kv-cache-iswa.cpp)."""
    return cells(context) if full_window else cells(min(cells(context), window + micro_batch))


def cache_bytes(layer: Layer, full: int, windowed: int, kv_types: tuple[str, str]) -> int:
    """Of one layer with ``full`` cells (``windowed`` where it sees a window only), for one sequence."""
    cache = layer.cache
    count = windowed if cache.window else full
    return (
        count * (row_bytes(kv_types[0], cache.key + cache.indexer) + row_bytes(kv_types[1], cache.value))
        + 4 * cache.state
    )


def row_bytes(kind: str, elements: int) -> int:
    """``elements`` values in ggml's type ``kind`` ("f16", "q8_0")."""
    traits = _TYPES[kind]
    return -(-elements // traits.block) * traits.size
