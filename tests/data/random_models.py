"""Small models with random weights and a vocabulary of 300 tokens, one of each kind of memory, written as GGUF files.

They say nothing, but the same thing every time, and every token depends on those before it.
"""

import importlib.util
import random
import struct
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

VOCABULARY = 300
_CONTROL, _NORMAL, _BYTE = 3, 1, 6  # enum llama_token_type
_Q8_0_BLOCK = 34


def write(path: Path, kind: str) -> None:
    """``kind``: a key of ``kinds``."""
    shapes = _shapes()
    _write(path, shapes, kinds(shapes)[kind], kind)


def write_encoder(path: Path, *, pooling: int = 1) -> None:
    """A BERT that turns a text into 32 numbers. ``pooling``: enum llama_pooling_type."""
    shapes = _shapes()
    metadata = {
        "general.architecture": "bert",
        "bert.block_count": 2,
        "bert.context_length": 64,
        "bert.embedding_length": 32,
        "bert.feed_forward_length": 64,
        "bert.attention.head_count": 4,
        "bert.attention.layer_norm_epsilon": 1e-12,
        "bert.attention.causal": False,
        "bert.pooling_type": pooling,
        "tokenizer.ggml.token_type_count": 1,
    }
    tensors = {"token_embd.weight": (32, VOCABULARY), "position_embd.weight": (32, 64), "token_types.weight": (32, 1)}
    tensors |= {f"token_embd_norm.{kind}": (32,) for kind in ("weight", "bias")}
    matrices = {"attn_q": (32, 32), "attn_k": (32, 32), "attn_v": (32, 32), "attn_output": (32, 32)}
    matrices |= {"attn_output_norm": (32,), "ffn_up": (32, 64), "ffn_down": (64, 32), "layer_output_norm": (32,)}
    for name, shape in matrices.items():
        for layer in range(2):
            tensors[f"blk.{layer}.{name}.weight"] = shape
            tensors[f"blk.{layer}.{name}.bias"] = shape[-1:]
    _write(path, shapes, shapes.Shape(metadata, {name: (shape, "F32") for name, shape in tensors.items()}), "bert")


def _write(path: Path, shapes: ModuleType, shape: Any, seed: str) -> None:
    metadata = {key: value for key, value in shape.metadata.items() if key != "tokenizer.ggml.model"}
    values = b"".join(shapes._string(key) + shapes._value(value) for key, value in metadata.items())
    draw = random.Random(seed)
    names, offset, data = b"", 0, bytearray()
    for name, (dimensions, quantization) in shape.tensors.items():
        number = shapes._NUMBERS[quantization]
        names += shapes._string(name)
        names += struct.pack(f"<I{len(dimensions)}QIQ", len(dimensions), *dimensions, number, offset)
        count = 1
        for dimension in dimensions:
            count *= dimension
        data += _weights(draw, name, quantization, count, dimensions[0])
        data += bytes(-len(data) % shapes.ALIGNMENT)
        offset = len(data)
    tokens = _vocabulary(shapes)
    head = struct.pack("<QQ", len(shape.tensors), len(metadata) + 1 + tokens[0])
    body = b"GGUF" + struct.pack("<I", 3) + head + values
    body += shapes._string("general.alignment") + shapes._value(shapes.ALIGNMENT) + tokens[1] + names
    path.write_bytes(body + bytes(-len(body) % shapes.ALIGNMENT) + data)


def kinds(shapes: Any) -> dict[str, Any]:
    q8 = shapes.all_of("Q8_0")
    size = {"width": 128, "heads": 4, "kv": 2, "vocabulary": VOCABULARY, "quantize": q8}
    return {
        "sliding window": shapes.gemma3(
            layers=7, width=128, inner=256, heads=4, kv=1, head=64, window=64, vocabulary=VOCABULARY, quantize=q8
        ),
        "latent attention": shapes.deepseek2(
            layers=3, dense=1, width=128, inner=256, heads=4, q_rank=64, kv_rank=64, nope=32, rope=32, value=32,
            count=8, used=2, shared=1, expert_inner=64, vocabulary=VOCABULARY, context=4096, quantize=q8,
        ),
        "delta net": shapes.qwen3next(
            **size, layers=4, head=64, key_heads=2, value_heads=4, state=64, count=8, used=2, inner=64
        ),
        "mamba 2": shapes.granite_hybrid(**size, layers=4, inner=256, state=64),
        "short convolutions": shapes.lfm2(**size, layers=6, inner=256),
    }  # fmt: skip


def _weights(draw: random.Random, name: str, quantization: str, count: int, width: int) -> bytes:
    if quantization == "F32":
        if "norm" in name:
            return struct.pack("<f", 1.0) * count
        if "ssm_a" in name:  # a decay
            return struct.pack(f"<{count}f", *(draw.uniform(-1.0, -0.1) for _ in range(count)))
        return struct.pack(f"<{count}f", *(draw.uniform(-0.5, 0.5) for _ in range(count)))
    assert quantization == "Q8_0"
    # Small embeddings, or else, where the output is made of them too, a model repeats the last token for ever.
    scale = struct.pack("<e", (0.05 if name == "token_embd.weight" else 2.0) / 127 / width**0.5)
    blocks = count // 32
    few = b"".join(scale + draw.randbytes(32) for _ in range(min(blocks, 3001)))
    return (few * (blocks // 3001 + 1))[: blocks * _Q8_0_BLOCK]


def _vocabulary(shapes: Any) -> tuple[int, bytes]:
    """How many entries, and the entries: a SentencePiece vocabulary of control tokens, bytes and a few words."""
    texts = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    types = [2, _CONTROL, _CONTROL, *[_BYTE] * 256]
    while len(texts) < VOCABULARY:
        texts.append(f"word{len(texts)}")
        types.append(_NORMAL)
    string = shapes._string
    entries = [
        string("tokenizer.ggml.model") + shapes._value("llama"),
        string("tokenizer.ggml.tokens")
        + struct.pack("<IIQ", 9, 8, len(texts))
        + b"".join(string(text) for text in texts),
        string("tokenizer.ggml.scores") + struct.pack(f"<IIQ{len(texts)}f", 9, 6, len(texts), *map(float, range(300))),
        string("tokenizer.ggml.token_type") + struct.pack(f"<IIQ{len(types)}i", 9, 5, len(types), *types),
        string("tokenizer.ggml.bos_token_id") + shapes._value(1),
        string("tokenizer.ggml.eos_token_id") + shapes._value(2),
    ]
    return len(entries), b"".join(entries)


def _shapes() -> ModuleType:
    path = Path(__file__).with_name("make_shapes.py")
    spec = importlib.util.spec_from_file_location("make_shapes", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["make_shapes"] = module
    spec.loader.exec_module(module)
    return module
