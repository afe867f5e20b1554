"""Model shapes as GGUF files without weights: metadata and tensor table, built from published configurations.

``python tests/data/make_shapes.py`` writes the files in ``shapes/``. Tests also build small shapes of their own from
the same families and let llama.cpp load them: ``write(..., weights=True)`` lengthens the file by a hole of zeros, which
is a model whose every weight is zero. Quantizations: Q4_K_M as llama.cpp mixes it for these architectures
(src/llama-quant.cpp), MXFP4 and Q4_0 for the experts of models that were trained so, with everything else in Q8_0.
"""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from app.gguf.types import TENSOR_TYPES

Value = int | float | str | list[int]
Table = dict[str, tuple[tuple[int, ...], str]]
"""Tensor name -> (shape in ggml's order, type)."""
Quantize = Callable[[str, int, int], str]
"""(tensor name without layer and ".weight", layer, layers) -> type."""

_NUMBERS = {kind.name: number for number, kind in TENSOR_TYPES.items()}
ALIGNMENT = 32
FOLDER = Path(__file__).with_name("shapes")


@dataclass(frozen=True)
class Shape:
    metadata: dict[str, Value]
    tensors: Table


def all_of(kind: str) -> Quantize:
    return lambda _name, _layer, _layers: kind


def q4_k_m(name: str, layer: int, layers: int) -> str:
    more = layer < layers // 8 or layer >= 7 * layers // 8 or (layer - layers // 8) % 3 == 2
    if name == "output" or (more and (name == "attn_v" or name.startswith("ffn_down"))):
        return "Q6_K"
    return "Q8_0" if name in ("attn_k_b", "attn_v_b") else "Q4_K"


def experts(kind: str, down: str = "", rest: str = "Q8_0") -> Quantize:
    """One type for the experts (another for their ``down``), one for everything else."""

    def quantize(name: str, _layer: int, _layers: int) -> str:
        if not name.endswith("_exps"):
            return rest
        return down if down and "down" in name else kind

    return quantize


class _Tables:
    """Collects tensors; vectors and routers stay F32."""

    def __init__(self, layers: int, quantize: Quantize) -> None:
        self.tensors: Table = {}
        self._layers = layers
        self._quantize = quantize

    def matrix(self, name: str, *shape: int, layer: int = -1) -> None:
        kind = self._quantize(name, layer, self._layers)
        block = TENSOR_TYPES[_NUMBERS[kind]].block
        self._add(f"{name}.weight", shape, kind if shape[0] % block == 0 else "F32", layer)

    def plain(self, name: str, *shape: int, layer: int = -1) -> None:
        self._add(name, shape, "F32", layer)

    def _add(self, name: str, shape: tuple[int, ...], kind: str, layer: int) -> None:
        self.tensors[f"blk.{layer}.{name}" if layer >= 0 else name] = (shape, kind)

    def ends(self, width: int, vocabulary: int, *, tied: bool = False, norm: str = "output_norm") -> None:
        self.matrix("token_embd", width, vocabulary)
        self.plain(f"{norm}.weight", width)
        if not tied:
            self.matrix("output", width, vocabulary)

    def attention(self, layer: int, width: int, q: int, k: int, v: int, *, bias: bool = False) -> None:
        self.plain("attn_norm.weight", width, layer=layer)
        for name, length in (("attn_q", q), ("attn_k", k), ("attn_v", v)):
            self.matrix(name, width, length, layer=layer)
            if bias:
                self.plain(f"{name}.bias", length, layer=layer)
        self.matrix("attn_output", q, width, layer=layer)
        if bias:
            self.plain("attn_output.bias", width, layer=layer)

    def feed_forward(self, layer: int, width: int, inner: int, suffix: str = "", *count: int) -> None:
        self.matrix(f"ffn_gate{suffix}", width, inner, *count, layer=layer)
        self.matrix(f"ffn_up{suffix}", width, inner, *count, layer=layer)
        self.matrix(f"ffn_down{suffix}", inner, width, *count, layer=layer)

    def router(self, layer: int, width: int, count: int) -> None:
        self.plain("ffn_gate_inp.weight", width, count, layer=layer)


def _shape(architecture: str, tables: _Tables, common: Mapping[str, Value], own: Mapping[str, Value]) -> Shape:
    metadata: dict[str, Value] = {"general.architecture": architecture, "tokenizer.ggml.model": "no_vocab"}
    metadata |= {f"{architecture}.{key}": value for key, value in {**common, **own}.items()}
    return Shape(metadata, tables.tensors)


def _common(
    layers: int, width: int, vocabulary: int, context: int, heads: int, kv: int | list[int]
) -> dict[str, Value]:
    return {
        "block_count": layers,
        "embedding_length": width,
        "vocab_size": vocabulary,
        "context_length": context,
        "attention.head_count": heads,
        "attention.head_count_kv": kv,
        "attention.layer_norm_rms_epsilon": 1e-6,
    }


def llama(
    *, layers: int, width: int, inner: int, heads: int, kv: int, vocabulary: int, quantize: Quantize, tied: bool = True
) -> Shape:
    """A dense transformer with grouped-query attention."""
    tables = _Tables(layers, quantize)
    tables.ends(width, vocabulary, tied=tied)
    head = width // heads
    for layer in range(layers):
        tables.attention(layer, width, width, head * kv, head * kv)
        tables.plain("ffn_norm.weight", width, layer=layer)
        tables.feed_forward(layer, width, inner)
    own: dict[str, Value] = {"feed_forward_length": inner, "rope.dimension_count": head}
    return _shape("llama", tables, _common(layers, width, vocabulary, 32768, heads, kv), own)


def gemma3(
    *,
    layers: int,
    width: int,
    inner: int,
    heads: int,
    kv: int,
    head: int,
    window: int,
    vocabulary: int,
    quantize: Quantize,
) -> Shape:
    """Five sliding-window layers to one full layer; embeddings tied."""
    tables = _Tables(layers, quantize)
    tables.ends(width, vocabulary, tied=True)
    for layer in range(layers):
        tables.attention(layer, width, head * heads, head * kv, head * kv)
        for name, length in (("attn_q_norm", head), ("attn_k_norm", head), ("post_attention_norm", width)):
            tables.plain(f"{name}.weight", length, layer=layer)
        tables.plain("ffn_norm.weight", width, layer=layer)
        tables.plain("post_ffw_norm.weight", width, layer=layer)
        tables.feed_forward(layer, width, inner)
    own: dict[str, Value] = {
        "feed_forward_length": inner,
        "attention.key_length": head,
        "attention.value_length": head,
        "attention.sliding_window": window,
    }
    return _shape("gemma3", tables, _common(layers, width, vocabulary, 131072, heads, kv), own)


def qwen3moe(
    *, layers: int, width: int, heads: int, kv: int, head: int, count: int, used: int, inner: int, vocabulary: int,
    context: int, quantize: Quantize,
) -> Shape:  # fmt: skip
    """Grouped-query attention, every layer a mixture of experts, none shared."""
    tables = _Tables(layers, quantize)
    tables.ends(width, vocabulary)
    for layer in range(layers):
        tables.attention(layer, width, head * heads, head * kv, head * kv)
        tables.plain("attn_q_norm.weight", head, layer=layer)
        tables.plain("attn_k_norm.weight", head, layer=layer)
        tables.plain("ffn_norm.weight", width, layer=layer)
        tables.router(layer, width, count)
        tables.feed_forward(layer, width, inner, "_exps", count)
    own: dict[str, Value] = {
        "attention.key_length": head,
        "attention.value_length": head,
        "feed_forward_length": inner * used,
        "expert_count": count,
        "expert_used_count": used,
        "expert_feed_forward_length": inner,
    }
    return _shape("qwen3moe", tables, _common(layers, width, vocabulary, context, heads, kv), own)


def gpt_oss(
    *, layers: int, width: int, heads: int, kv: int, head: int, count: int, used: int, inner: int, vocabulary: int,
    window: int, quantize: Quantize,
) -> Shape:  # fmt: skip
    """Every second layer sees a window; biases and attention sinks; every layer a mixture of experts."""
    tables = _Tables(layers, quantize)
    tables.ends(width, vocabulary)
    for layer in range(layers):
        tables.attention(layer, width, head * heads, head * kv, head * kv, bias=True)
        tables.plain("post_attention_norm.weight", width, layer=layer)
        tables.plain("attn_sinks.weight", heads, layer=layer)
        tables.router(layer, width, count)
        tables.plain("ffn_gate_inp.bias", count, layer=layer)
        tables.feed_forward(layer, width, inner, "_exps", count)
        for name, length in (("gate", inner), ("up", inner), ("down", width)):
            tables.plain(f"ffn_{name}_exps.bias", length, count, layer=layer)
    own: dict[str, Value] = {
        "attention.key_length": head,
        "attention.value_length": head,
        "attention.sliding_window": window,
        "feed_forward_length": inner,
        "expert_count": count,
        "expert_used_count": used,
        "expert_feed_forward_length": inner,
    }
    return _shape("gpt-oss", tables, _common(layers, width, vocabulary, 131072, heads, kv), own)


def deepseek2(
    *, layers: int, dense: int, width: int, inner: int, heads: int, q_rank: int, kv_rank: int, nope: int, rope: int,
    value: int, count: int, used: int, shared: int, expert_inner: int, vocabulary: int, context: int,
    quantize: Quantize, groups: int = 1, groups_used: int = 1,
) -> Shape:  # fmt: skip
    """Multi-head latent attention and experts with shared ones, after ``dense`` leading dense layers."""
    tables = _Tables(layers, quantize)
    tables.ends(width, vocabulary)
    for layer in range(layers):
        for name, length in (("attn_norm", width), ("attn_q_a_norm", q_rank), ("attn_kv_a_norm", kv_rank)):
            tables.plain(f"{name}.weight", length, layer=layer)
        tables.matrix("attn_q_a", width, q_rank, layer=layer)
        tables.matrix("attn_q_b", q_rank, heads * (nope + rope), layer=layer)
        tables.matrix("attn_kv_a_mqa", width, kv_rank + rope, layer=layer)
        tables.matrix("attn_k_b", nope, kv_rank, heads, layer=layer)
        tables.matrix("attn_v_b", kv_rank, value, heads, layer=layer)
        tables.matrix("attn_output", heads * value, width, layer=layer)
        tables.plain("ffn_norm.weight", width, layer=layer)
        if layer < dense:
            tables.feed_forward(layer, width, inner)
            continue
        tables.router(layer, width, count)
        tables.plain("exp_probs_b.bias", count, layer=layer)
        tables.feed_forward(layer, width, expert_inner, "_exps", count)
        tables.feed_forward(layer, width, expert_inner * shared, "_shexp")
    own: dict[str, Value] = {
        "feed_forward_length": inner,
        "leading_dense_block_count": dense,
        "attention.q_lora_rank": q_rank,
        "attention.kv_lora_rank": kv_rank,
        "attention.key_length": kv_rank + rope,
        "attention.value_length": kv_rank,
        "attention.key_length_mla": nope + rope,
        "attention.value_length_mla": value,
        "rope.dimension_count": rope,
        "expert_count": count,
        "expert_used_count": used,
        "expert_shared_count": shared,
        "expert_feed_forward_length": expert_inner,
        "expert_gating_func": 2,  # sigmoid
        "expert_weights_scale": 2.5,
    }
    if groups > 1:
        own |= {"expert_group_count": groups, "expert_group_used_count": groups_used}
    return _shape("deepseek2", tables, _common(layers, width, vocabulary, context, heads, 1), own)


def qwen3next(
    *, layers: int, width: int, heads: int, kv: int, head: int, key_heads: int, value_heads: int, state: int,
    count: int, used: int, inner: int, vocabulary: int, quantize: Quantize,
) -> Shape:  # fmt: skip
    """Three layers of linear attention (gated delta net) to one of full attention; experts with a shared one."""
    tables = _Tables(layers, quantize)
    tables.ends(width, vocabulary)
    keys, values = state * key_heads, state * value_heads
    for layer in range(layers):
        if (layer + 1) % 4:
            tables.plain("attn_norm.weight", width, layer=layer)
            tables.matrix("attn_qkv", width, 2 * keys + values, layer=layer)
            tables.matrix("attn_gate", width, values, layer=layer)
            tables.plain("ssm_conv1d.weight", 4, 2 * keys + values, layer=layer)
            tables.plain("ssm_dt.bias", value_heads, layer=layer)
            tables.plain("ssm_a", value_heads, layer=layer)
            tables.matrix("ssm_ba", width, 2 * value_heads, layer=layer)
            tables.plain("ssm_norm.weight", state, layer=layer)
            tables.matrix("ssm_out", values, width, layer=layer)
        else:
            tables.attention(layer, width, head * heads, head * kv, head * kv)
            tables.matrix("attn_q", width, 2 * head * heads, layer=layer)  # queries and their gates
            tables.plain("attn_q_norm.weight", head, layer=layer)
            tables.plain("attn_k_norm.weight", head, layer=layer)
        tables.plain("post_attention_norm.weight", width, layer=layer)
        tables.router(layer, width, count)
        tables.feed_forward(layer, width, inner, "_exps", count)
        tables.plain("ffn_gate_inp_shexp.weight", width, layer=layer)
        tables.feed_forward(layer, width, inner, "_shexp")
    own: dict[str, Value] = {
        "attention.key_length": head,
        "attention.value_length": head,
        "feed_forward_length": inner * used,
        "rope.dimension_count": head // 4,
        "ssm.conv_kernel": 4,
        "ssm.inner_size": values,
        "ssm.state_size": state,
        "ssm.time_step_rank": value_heads,
        "ssm.group_count": key_heads,
        "full_attention_interval": 4,
        "expert_count": count,
        "expert_used_count": used,
        "expert_feed_forward_length": inner,
        "expert_shared_feed_forward_length": inner,
    }
    return _shape("qwen3next", tables, _common(layers, width, vocabulary, 262144, heads, kv), own)


def granite_hybrid(
    *, layers: int, width: int, inner: int, heads: int, kv: int, state: int, vocabulary: int, quantize: Quantize
) -> Shape:
    """Mamba 2, with attention in every fourth layer; dense feed-forward."""
    tables = _Tables(layers, quantize)
    tables.ends(width, vocabulary, tied=True)
    head, wide = width // heads, 2 * width
    ssm_heads = wide // 64
    kv_heads = [kv if layer % 4 == 3 else 0 for layer in range(layers)]
    for layer, own_kv in enumerate(kv_heads):
        if own_kv:
            tables.attention(layer, width, width, head * kv, head * kv)
        else:
            tables.plain("attn_norm.weight", width, layer=layer)
            tables.matrix("ssm_in", width, 2 * wide + 2 * state + ssm_heads, layer=layer)
            tables.plain("ssm_conv1d.weight", 4, wide + 2 * state, layer=layer)
            tables.plain("ssm_conv1d.bias", wide + 2 * state, layer=layer)
            tables.plain("ssm_dt.bias", ssm_heads, layer=layer)
            tables.plain("ssm_a", 1, ssm_heads, layer=layer)
            tables.plain("ssm_d", 1, ssm_heads, layer=layer)
            tables.plain("ssm_norm.weight", wide, 1, layer=layer)
            tables.matrix("ssm_out", wide, width, layer=layer)
        tables.plain("ffn_norm.weight", width, layer=layer)
        tables.feed_forward(layer, width, inner)
    own: dict[str, Value] = {
        "feed_forward_length": inner,
        "ssm.conv_kernel": 4,
        "ssm.inner_size": wide,
        "ssm.state_size": state,
        "ssm.time_step_rank": ssm_heads,
        "ssm.group_count": 1,
        "rope.dimension_count": head,
    }
    return _shape("granitehybrid", tables, _common(layers, width, vocabulary, 131072, heads, kv_heads), own)


def lfm2(*, layers: int, width: int, inner: int, heads: int, kv: int, vocabulary: int, quantize: Quantize) -> Shape:
    """Short convolutions, with attention in every third layer."""
    tables = _Tables(layers, quantize)
    tables.ends(width, vocabulary, tied=True, norm="token_embd_norm")
    head = width // heads
    kv_heads = [kv if layer % 3 == 2 else 0 for layer in range(layers)]
    for layer, own_kv in enumerate(kv_heads):
        if own_kv:
            tables.attention(layer, width, width, head * kv, head * kv)
            tables.plain("attn_q_norm.weight", head, layer=layer)
            tables.plain("attn_k_norm.weight", head, layer=layer)
        else:
            tables.plain("attn_norm.weight", width, layer=layer)
            tables.plain("shortconv.conv.weight", 3, width, layer=layer)
            tables.matrix("shortconv.in_proj", width, 3 * width, layer=layer)
            tables.matrix("shortconv.out_proj", width, width, layer=layer)
        tables.plain("ffn_norm.weight", width, layer=layer)
        tables.feed_forward(layer, width, inner)
    own: dict[str, Value] = {"feed_forward_length": inner, "shortconv.l_cache": 3}
    return _shape("lfm2", tables, _common(layers, width, vocabulary, 131072, heads, kv_heads), own)


def write(path: Path, shape: Shape, *, weights: bool = False, name: str = "") -> None:
    """The header (GGUF version 3), and with ``weights`` a hole of zeros as long as the tensors."""
    metadata = {**shape.metadata, "general.alignment": ALIGNMENT, **({"general.name": name} if name else {})}
    head = b"".join(_string(key) + _value(value) for key, value in metadata.items())
    offset = 0
    for tensor, (dimensions, kind) in shape.tensors.items():
        number = _NUMBERS[kind]
        head += _string(tensor) + struct.pack(f"<I{len(dimensions)}QIQ", len(dimensions), *dimensions, number, offset)
        size = TENSOR_TYPES[number].size
        for dimension in dimensions:
            size *= dimension
        offset += -(-size // TENSOR_TYPES[number].block // ALIGNMENT) * ALIGNMENT
    body = b"GGUF" + struct.pack("<IQQ", 3, len(shape.tensors), len(metadata)) + head
    body += bytes(-len(body) % ALIGNMENT)
    with path.open("wb") as file:
        file.write(body)
        if weights:
            file.truncate(len(body) + offset)


def _string(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def _value(value: Value) -> bytes:
    if isinstance(value, bool):
        return struct.pack("<I?", 7, value)
    if isinstance(value, str):
        return struct.pack("<I", 8) + _string(value)
    if isinstance(value, float):
        return struct.pack("<If", 6, value)
    if isinstance(value, list):
        return struct.pack(f"<IIQ{len(value)}I", 9, 4, len(value), *value)
    return struct.pack("<II", 4, value)


def published() -> dict[str, tuple[str, Shape]]:
    """File name -> (model's name, shape), from the models' config.json."""

    def k2(quantize: Quantize) -> Shape:
        return deepseek2(
            layers=61, dense=1, width=7168, inner=18432, heads=64, q_rank=1536, kv_rank=512, nope=128, rope=64,
            value=128, count=384, used=8, shared=1, expert_inner=2048, vocabulary=163840, context=262144,
            quantize=quantize,
        )  # fmt: skip

    return {
        "kimi-k2-thinking-q4_0": ("Kimi K2 Thinking", k2(experts("Q4_0"))),
        "kimi-k2-thinking-1.8bit": ("Kimi K2 Thinking", k2(experts("IQ1_M", "IQ2_XXS", "Q6_K"))),
        "deepseek-v3-q4_k_m": (
            "DeepSeek V3",
            deepseek2(
                layers=61, dense=3, width=7168, inner=18432, heads=128, q_rank=1536, kv_rank=512, nope=128, rope=64,
                value=128, count=256, used=8, shared=1, expert_inner=2048, vocabulary=129280, context=163840,
                quantize=q4_k_m, groups=8, groups_used=4,
            ),
        ),
        "qwen3-30b-a3b-q4_k_m": (
            "Qwen3 30B A3B",
            qwen3moe(
                layers=48, width=2048, heads=32, kv=4, head=128, count=128, used=8, inner=768, vocabulary=151936,
                context=40960, quantize=q4_k_m,
            ),
        ),
        "gpt-oss-20b-mxfp4": (
            "gpt-oss 20b",
            gpt_oss(
                layers=24, width=2880, heads=64, kv=8, head=64, count=32, used=4, inner=2880, vocabulary=201088,
                window=128, quantize=experts("MXFP4"),
            ),
        ),
    }  # fmt: skip


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for file_name, (model_name, made) in published().items():
        write(FOLDER / f"{file_name}.gguf", made, name=model_name)
