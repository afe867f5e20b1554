"""Weights in the layout that llama.cpp's kernels for AMX read (ggml/src/ggml-cpu/amx): what they take beyond their size
in the file. The kernels know nothing of routed experts."""

import re

from app.gguf.reader import Tensor

# Elements of a block, and bytes that each one gets besides (mmq.cpp, get_row_size).
_BLOCKS = {
    "F16": (16, 0), "Q4_0": (32, 0), "Q4_1": (32, 0), "Q8_0": (32, 4),
    "Q4_K": (256, 4), "Q5_K": (256, 4), "Q6_K": (256, 0), "IQ4_XS": (256, 2),
}  # fmt: skip
_ROWS = 32
# Multiplied with turned activations, which the layout does not allow: the heads' parts of latent attention, which lie
# in three dimensions, Mamba's time steps (src/models/mamba-base.cpp), and perhaps some of RWKV's, which nobody tried.
_ABORTING = re.compile(r"blk\.\d+\.(ssm_dt\.weight|time_mix_)")


def extra_bytes(tensor: Tensor) -> int | None:
    """None where it stays as stored (amx.cpp, supports_op)."""
    block, more = _BLOCKS.get(tensor.type, (0, 0))
    if not block or len(tensor.shape) != 2 or tensor.shape[0] % block or tensor.shape[1] % _ROWS:
        return None
    return tensor.elements // block * more


def aborts(tensor: Tensor) -> bool:
    """Whether llama.cpp's graph ends the process over this weight, which is none of routed experts."""
    return tensor.type in _BLOCKS and (len(tensor.shape) > 2 or bool(_ABORTING.match(tensor.name)))
