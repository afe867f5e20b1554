"""Damage to a model file's metadata and vocabulary. ``damaged_models`` has the list."""

import random
import struct

from gguf_editor import ARRAY, BOOL, F32, I32, STRING, U32, U64, Gguf, Pair, string, u32, u64

Draw = random.Random
ODD = (0, 1, 3, 7, 255, 65_537, (1 << 31) - 1, 1 << 31, (1 << 32) - 1)


# --- metadata --------------------------------------------------------------------------------------------------------


def doubled_key(model: Gguf, draw: Draw) -> bytes:
    model.pairs.insert(draw.randrange(len(model.pairs)), draw.choice(model.pairs))
    return model.filled()


def missing_key(model: Gguf, draw: Draw) -> bytes:
    del model.pairs[draw.randrange(len(model.pairs))]
    return model.filled()


def key_of_another_type(model: Gguf, draw: Draw) -> bytes:
    pair = draw.choice(model.pairs)
    pair.kind, pair.data = draw.choice(
        [
            (kind, data)
            for kind, data in (
                (STRING, string("12")), (U32, u32(1)), (F32, struct.pack("<f", 1)), (BOOL, b"\1"), (BOOL, b"\7"),
                (U64, u64(1)), (ARRAY, u32(U32) + u64(1) + u32(1)), (ARRAY, u32(STRING) + u64(0)), (I32, u32(-1)),
            )
            if kind != pair.kind
        ]
    )  # fmt: skip
    return model.filled()


def number(model: Gguf, draw: Draw) -> bytes:
    pair = draw.choice(model.numbers)
    pair.kind, pair.data = U32, u32(draw.choice(ODD))
    return model.filled()


def layers(model: Gguf, draw: Draw) -> bytes:
    model.set("block_count", U32, u32(draw.choice((0, 1, 2, 100, 512, 513, 4096, 1 << 31, (1 << 32) - 1))))
    return model.filled()


def heads(model: Gguf, draw: Draw) -> bytes:
    key = draw.choice(
        ("attention.head_count", "attention.head_count_kv", "attention.key_length", "rope.dimension_count")
    )
    model.set(key, U32, u32(draw.choice(ODD)))
    return model.filled()


def heads_by_layer(model: Gguf, draw: Draw) -> bytes:
    values = [draw.choice(ODD) for _ in range(draw.choice((0, 1, 4, 600)))]
    key = draw.choice(("attention.head_count", "attention.head_count_kv", "feed_forward_length"))
    model.set(key, ARRAY, u32(U32) + u64(len(values)) + b"".join(map(u32, values)))
    return model.filled()


def experts(model: Gguf, draw: Draw) -> bytes:
    key = draw.choice(
        ("expert_count", "expert_used_count", "expert_gating_func", "expert_group_count", "leading_dense_block_count")
    )
    model.set(key, U32, u32(draw.choice((0, 1, 5, 9, 17, 1000, (1 << 32) - 1))))
    return model.filled()


def context(model: Gguf, draw: Draw) -> bytes:
    model.set("context_length", U32, u32(draw.choice((0, 1, 8, 1 << 30, (1 << 31) - 1, (1 << 32) - 1))))
    return model.filled()


def real_number(model: Gguf, draw: Draw) -> bytes:
    keys = (
        "attention.layer_norm_rms_epsilon",
        "rope.freq_base",
        "rope.scaling.factor",
        "expert_weights_scale",
        "attention.scale",
    )
    value = draw.choice((0.0, -1.0, float("nan"), float("inf"), -float("inf"), 1e38, 1e-45))
    model.set(draw.choice(keys), F32, struct.pack("<f", value))
    return model.filled()


def window(model: Gguf, draw: Draw) -> bytes:
    model.set("attention.sliding_window", U32, u32(draw.choice((0, 1, 3, 1 << 31, (1 << 32) - 1))))
    model.set("attention.sliding_window_pattern", U32, u32(draw.choice((0, 1, 2, (1 << 32) - 1))))
    return model.filled()


def another_architecture(model: Gguf, draw: Draw) -> bytes:
    """With its numbers under the new name."""
    old = f"{model.architecture}.".encode()
    new = draw.choice(
        ("llama", "qwen2", "qwen3moe", "gemma3", "gpt-oss", "bert", "t5", "mamba", "rwkv6", "clip", "whisper",
         "deepseek2", "lfm2", "granitehybrid", "falcon-h1", "", "x" * 5000, "llama\0x")
    )  # fmt: skip
    for pair in model.pairs:
        if pair.key.startswith(old):
            pair.key = f"{new}.".encode() + pair.key.removeprefix(old)
    model.set("general.architecture", STRING, string(new))
    return model.filled()


def scaling(model: Gguf, draw: Draw) -> bytes:
    model.set("rope.scaling.type", STRING, string(draw.choice(("yarn", "linear", "longrope", "none", "", "nonsense"))))
    model.set("rope.scaling.factor", F32, struct.pack("<f", draw.choice((0.0, -4.0, 1e30, float("nan")))))
    model.set("rope.scaling.original_context_length", U32, u32(draw.choice(ODD)))
    return model.filled()


def pooling(model: Gguf, draw: Draw) -> bytes:
    model.set("pooling_type", U32, u32(draw.choice((1, 2, 3, 4, 99, (1 << 32) - 1))))
    model.set("attention.causal", BOOL, draw.choice((b"\0", b"\1", b"\2")))
    return model.filled()


def huge_text(model: Gguf, draw: Draw) -> bytes:
    key = draw.choice(("general.name", "general.description", "tokenizer.ggml.pre", "k" * 70_000))
    if key.startswith("k"):
        model.pairs.append(Pair(key.encode(), U32, u32(1)))
    else:
        model.set(key, STRING, string("many words " * 500_000))
    return model.filled()


def very_many_keys(model: Gguf, draw: Draw) -> bytes:
    model.pairs += [Pair(f"general.note.{index}".encode(), U32, u32(index)) for index in range(20_000)]
    return model.filled()


# --- words -----------------------------------------------------------------------------------------------------------


def tokenizer(model: Gguf, draw: Draw) -> bytes:
    kinds = ("llama", "gpt2", "bert", "t5", "rwkv", "plamo2", "no_vocab", "none", "", "wordpiece")
    model.set("tokenizer.ggml.model", STRING, string(draw.choice(kinds)))
    return model.filled()


def splitter(model: Gguf, draw: Draw) -> bytes:
    model.set(
        "tokenizer.ggml.pre", STRING, string(draw.choice(("", "nonsense", "llama-bpe", "kimi-k2", "gpt-4o", "\0")))
    )
    return model.filled()


def tokens(model: Gguf, draw: Draw) -> bytes:
    """Fewer, more, none, all the same, empty, no UTF-8, numbers."""
    words = _words(model)
    length = len(words)
    changed: list[bytes] = draw.choice(
        [
            words[: length // 2], words[:1], [], [*words, *words], [*words, b"one more"], [b"same"] * length,
            [b""] * length, [b"\xff\xfe"] * length, [word + b"\0" for word in words], [b"x" * 50_000, *words[1:]],
        ]
    )  # fmt: skip
    if draw.random() < 0.1:
        model.set("tokenizer.ggml.tokens", ARRAY, u32(U32) + u64(length) + b"".join(map(u32, range(length))))
    else:
        _set_words(model, "tokenizer.ggml.tokens", changed)
    return model.filled()


def token_types(model: Gguf, draw: Draw) -> bytes:
    length = len(_words(model))
    count = draw.choice((0, 1, length // 2, length, length + 1))
    value = draw.choice((0, 1, 3, 4, 5, 6, 99, -1, 1 << 30))
    model.set("tokenizer.ggml.token_type", ARRAY, u32(I32) + u64(count) + u32(value) * count)
    return model.filled()


def scores(model: Gguf, draw: Draw) -> bytes:
    length = len(_words(model))
    count = draw.choice((0, 1, length // 2, length, length + 1))
    value = struct.pack("<f", draw.choice((0.0, float("nan"), float("inf"), -1e30)))
    model.set("tokenizer.ggml.scores", ARRAY, u32(F32) + u64(count) + value * count)
    return model.filled()


def merges(model: Gguf, draw: Draw) -> bytes:
    texts = draw.choice(
        (
            [],
            [b""],
            [b"nospace"] * 50,
            [b" "] * 50,
            [b"a b c d"] * 50,
            [b"zq xj"] * 5000,
            [b"\xff \xfe"],
            [b" a", b"b "],
        )
    )
    _set_words(model, "tokenizer.ggml.merges", texts)
    if draw.random() < 0.5:
        model.set("tokenizer.ggml.model", STRING, string("gpt2"))
    return model.filled()


def special_tokens(model: Gguf, draw: Draw) -> bytes:
    length = len(_words(model))
    for key in ("bos", "eos", "eot", "unknown", "padding", "seperator"):
        if draw.random() < 0.6:
            value = draw.choice((length, length - 1, 0, 1 << 30, (1 << 31) - 1, 1 << 31, (1 << 32) - 1))
            model.set(f"tokenizer.ggml.{key}_token_id", U32, u32(value))
    return model.filled()


def missing_words(model: Gguf, draw: Draw) -> bytes:
    keys = [pair.key.decode() for pair in model.pairs if pair.key.startswith(b"tokenizer.")]
    for key in draw.sample(keys, draw.randrange(1, len(keys) + 1)):
        model.drop(key)
    return model.filled()


def other_vocabulary_size(model: Gguf, draw: Draw) -> bytes:
    """Fewer or more rows of embeddings than tokens."""
    rows = draw.choice((1, 32, 200, 5000))
    for tensor in model.tensors:
        if tensor.name in (b"token_embd.weight", b"output.weight"):
            tensor.shape[1] = rows
    if draw.random() < 0.5:
        model.set("vocab_size", U32, u32(rows))
    return model.filled()


def no_bytes(model: Gguf, draw: Draw) -> bytes:
    """A vocabulary in which most texts cannot be spelt."""
    words = _words(model)
    _set_words(model, "tokenizer.ggml.tokens", [f"<unused{index}>".encode() for index in range(len(words))])
    return model.filled()


def template(model: Gguf, draw: Draw) -> bytes:
    texts = (
        "", "{% for", "{{ messages[0]", "{{ 1 / 0 }}", "{% for i in range(10**12) %}x{% endfor %}", "{{ no.thing.at }}",
        "{{ raise_exception('no') }}", "{{ ''.__class__.__mro__ }}", "{% include 'x' %}", "words without messages",
        "{{ 'a' * 10**10 }}", "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "\0\1\2", "{{ messages }}" * 50_000,
        "{% if true %}" * 3000,
    )  # fmt: skip
    model.set("tokenizer.chat_template", STRING, string(draw.choice(texts)))
    return model.filled()


def template_of_another_type(model: Gguf, draw: Draw) -> bytes:
    kind, data = draw.choice(
        ((U32, u32(7)), (ARRAY, u32(STRING) + u64(1) + string("x")), (STRING, string(b"\xff\xfe{{ messages }}")))
    )
    model.set("tokenizer.chat_template", kind, data)
    return model.filled()


def _words(model: Gguf) -> list[bytes]:
    pair = model.pair("tokenizer.ggml.tokens")
    if pair is None:
        return [b"a", b"b"]
    words, at = [], 12
    for _ in range(struct.unpack_from("<Q", pair.data, 4)[0]):
        length = struct.unpack_from("<Q", pair.data, at)[0]
        words.append(pair.data[at + 8 : at + 8 + length])
        at += 8 + length
    return words


def _set_words(model: Gguf, key: str, words: list[bytes]) -> None:
    model.set(key, ARRAY, u32(STRING) + u64(len(words)) + b"".join(map(string, words)))


KINDS = {
    made.__name__: made
    for made in (
        doubled_key, missing_key, key_of_another_type, number, layers, heads, heads_by_layer, experts, context,
        real_number, window, another_architecture, scaling, pooling, huge_text, very_many_keys, tokenizer,
        splitter, tokens, token_types, scores, merges, special_tokens, missing_words, other_vocabulary_size,
        no_bytes, template, template_of_another_type,
    )
}  # fmt: skip
