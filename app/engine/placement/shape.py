"""What placement needs to know of a model: bytes of weights, cache and layout, layer by layer, from its header."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.domain.errors import AppError
from app.engine.placement.amx import aborts, extra_bytes
from app.gguf.files import check_model_file
from app.gguf.names import display_name
from app.gguf.reader import Array, Header, Tensor, read_file

EXPERTS = r"\.ffn_(up|down|gate|gate_up)_(ch|)exps"
"""The weights of routed experts, as a regular expression over tensor names that Python and std::regex read alike."""

_LAYER = re.compile(r"blk\.(\d+)\.(.+)")
_EXPERTS = re.compile(EXPERTS)
_SHARED = re.compile(r"ffn_\w*shexp")
_MIXER = re.compile(r"attn_|ssm_|shortconv\.|time_mix_|indexer\.|post_attention_norm")
_RECURRENT = re.compile(r"ssm_|shortconv\.|time_mix_")
_INPUTS = ("token_embd.weight", "per_layer_token_embd.weight", "position_embd.weight", "token_types.weight")

# llama.cpp, src/models/*.cpp: every how many layers one sees everything, and whether it is the first of them. Other
# architectures store a flag for each layer, or have no window.
_WINDOW_PATTERNS: dict[str, tuple[int, bool]] = {
    "afmoe": (4, False), "cohere2": (4, False), "cohere2moe": (4, True), "exaone-moe": (4, False),
    "exaone4": (4, False), "gemma2": (2, False), "gemma3": (6, False), "gemma3n": (5, False), "gpt-oss": (2, False),
    "laguna": (4, True), "llama4": (4, False), "mellum": (4, False), "muse-glimmer": (4, False), "olmo2": (4, False),
    "plamo3": (8, False), "smallthinker": (4, True),
}  # fmt: skip
_WINDOWS = {"gemma2": 4096, "llama4": 8192}  # where the header does not say
WIDEST = 1 << 20  # no model is; headers come from strangers


@dataclass(frozen=True, slots=True)
class WeightBytes:
    """Bytes of weights, by who needs them.

    ``mixer``: attention or what stands in for it.
    ``dense``: norms, routers, feed-forward that every token passes.
    ``shared``: experts that every token passes.
    ``experts``: those that a router chooses from.
    """

    mixer: int = 0
    dense: int = 0
    shared: int = 0
    experts: int = 0

    @property
    def every_token(self) -> int:
        return self.mixer + self.dense + self.shared

    def __add__(self, other: "WeightBytes") -> "WeightBytes":
        return WeightBytes(
            self.mixer + other.mixer,
            self.dense + other.dense,
            self.shared + other.shared,
            self.experts + other.experts,
        )


@dataclass(frozen=True, slots=True)
class LayerCache:
    """What a layer remembers.

    ``key``, ``value`` and ``indexer``: elements of one token.
    ``window``: only of the latest tokens.
    ``state``: f32 elements of a recurrent layer, however long the conversation is.
    """

    key: int = 0
    value: int = 0
    indexer: int = 0
    window: bool = False
    state: int = 0


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer's weights and memory.

    ``tensors``: name without the layer -> shape, fastest first.
    ``largest_expert``: bytes of the largest tensor of experts.
    """

    weights: WeightBytes
    cache: LayerCache
    tensors: Mapping[str, tuple[int, ...]]
    largest_expert: int = 0


@dataclass(frozen=True, slots=True)
class ModelShape:
    """What a model's header says of its size, in bytes.

    ``input``: embedding tables, always in RAM.
    ``output``: the last norm and projection, without the embeddings where those are ``tied`` to it (then ``tied`` is
    their size, and a GPU needs a copy).
    ``amx``: bytes more in the layout for AMX, with a copy of such embeddings; None where llama.cpp cannot lay the model
    out so.
    """

    name: str
    architecture: str
    layers: tuple[Layer, ...]
    input: int
    output: int
    tied: int
    width: int
    heads: int
    vocabulary: int
    context_trained: int
    window: int
    experts: int
    experts_used: int
    amx: int | None = None

    @property
    def weights(self) -> int:
        """All that is loaded, once."""
        return (
            self.input + self.output + sum(layer.weights.every_token + layer.weights.experts for layer in self.layers)
        )

    @property
    def expert_layers(self) -> int:
        return sum(1 for layer in self.layers if layer.weights.experts)


def read_shape(path: Path) -> ModelShape:
    """Of a model on disk; shard 1 stands for all of them.

    Raises AppError as the header's reader does, and for missing shards.
    """
    return shape_of([read_file(part) for part in check_model_file(path)], display_name(path))


def shape_of(headers: Sequence[Header], name: str) -> ModelShape:
    """Of a model whose headers are known, all shards', the first one with the metadata.

    Raises AppError ``plan-not-a-model`` where the header does not describe a language model.
    """
    head = headers[0]
    architecture = head.text("general.architecture")
    by_layer: dict[int, dict[str, Tensor]] = defaultdict(dict)
    rest: dict[str, Tensor] = {}
    for tensor in (tensor for header in headers for tensor in header.tensors):
        if match := _LAYER.fullmatch(tensor.name):
            by_layer[int(match[1])][match[2]] = tensor
        else:
            rest[tensor.name] = tensor
    width, loaded = head.arch("embedding_length"), head.arch("block_count") - head.arch("nextn_predict_layers")
    words = rest.get("token_embd.weight")
    if not 0 < width <= WIDEST or not 0 < loaded <= 4096 or words is None or not words.shape or not by_layer:
        raise not_planned(name)
    hyper = _Hyper(head, loaded)
    layers = tuple(_layer(by_layer[index], hyper.cache(index, by_layer[index])) for index in range(loaded))
    return ModelShape(
        name=name,
        architecture=architecture,
        layers=layers,
        input=sum(tensor.size for tensor in rest.values() if tensor.name in _INPUTS),
        output=sum(tensor.size for tensor in rest.values() if tensor.name not in _INPUTS),
        tied=0 if "output.weight" in rest else words.size,
        width=width,
        heads=max(1, head.arch("attention.head_count", 1)),
        vocabulary=words.shape[-1],
        context_trained=head.arch("context_length"),
        window=hyper.window,
        experts=head.arch("expert_count"),
        experts_used=min(head.arch("expert_used_count"), head.arch("expert_count")),
        amx=_amx(by_layer.values(), rest),
    )


def _amx(layers: Iterable[Mapping[str, Tensor]], rest: Mapping[str, Tensor]) -> int | None:
    dense = [tensor for layer in layers for name, tensor in layer.items() if _kind(name) != "experts"]
    if any(map(aborts, dense)):
        return None
    laid_out = [*dense, *(tensor for name, tensor in rest.items() if name not in _INPUTS)]
    total = sum(extra_bytes(tensor) or 0 for tensor in laid_out)
    words = rest["token_embd.weight"]
    extra = extra_bytes(words)
    return total if "output.weight" in rest or extra is None else total + words.size + extra


def not_planned(name: str, detail: str = "") -> AppError:
    return AppError(
        "plan-not-a-model",
        "{name} is not a language model that can be planned.",
        "Choose the model's own GGUF file.",
        detail=detail,
        name=name,
    )


def _layer(tensors: Mapping[str, Tensor], cache: LayerCache) -> Layer:
    sizes = {"experts": 0, "shared": 0, "mixer": 0, "dense": 0}
    largest = 0
    for name, tensor in tensors.items():
        kind = _kind(name)
        sizes[kind] += tensor.size
        if kind == "experts":
            largest = max(largest, tensor.size)
    return Layer(WeightBytes(**sizes), cache, {name: tensor.shape for name, tensor in tensors.items()}, largest)


def _kind(name: str) -> str:
    if _EXPERTS.search(f".{name}"):
        return "experts"
    if _SHARED.match(name):
        return "shared"
    return "mixer" if _MIXER.match(name) else "dense"


class _Hyper:
    """The header's numbers that decide what a layer remembers (llama.cpp, src/llama-hparams.cpp, src/models/*.cpp)."""

    def __init__(self, header: Header, layers: int) -> None:
        self._header = header
        self._layers = layers
        self._architecture = header.text("general.architecture")
        self._heads = header.arch("attention.head_count", 1)
        head = header.arch("embedding_length") // max(1, self._heads)
        self._key = header.arch("attention.key_length", head)
        self._value = header.arch("attention.value_length", head)
        self._key_window = header.arch("attention.key_length_swa", self._key)
        self._value_window = header.arch("attention.value_length_swa", self._value)
        self._latent = header.arch("attention.key_length_mla") > 0 and header.arch("attention.value_length_mla") > 0
        self.window = header.arch("attention.sliding_window", _WINDOWS.get(self._architecture, 0))
        if self._architecture == "llama4" and self.window:
            self.window = _WINDOWS["llama4"]
        self._windows = self._window_layers() if self.window else set()
        self._with_cache = {"gemma3n": 20, "gemma4": layers - header.arch("attention.shared_kv_layers")}.get(
            self._architecture, layers
        )

    def cache(self, index: int, tensors: Iterable[str]) -> LayerCache:
        names = set(tensors)
        recurrent = any(_RECURRENT.match(name) for name in names)
        both = self._architecture == "falcon-h1"
        state = self._state() if recurrent else 0
        attends = any(name.startswith(("attn_k", "attn_qkv", "attn_kv")) for name in names) and (both or not recurrent)
        if not attends or index >= self._with_cache:
            return LayerCache(state=state)
        kv_heads, windowed = self._kv_heads(index), index in self._windows
        indexed = any(name.startswith("indexer.") for name in names)
        return LayerCache(
            key=kv_heads * (self._key_window if windowed else self._key),
            value=0 if self._latent else kv_heads * (self._value_window if windowed else self._value),
            indexer=self._header.arch("attention.indexer.key_length") if indexed else 0,
            window=windowed,
            state=state,
        )

    def _state(self) -> int:
        """Elements of the convolution's and the recurrence's state (llama_hparams::n_embd_r and n_embd_s)."""
        number = self._header.arch
        short, kda = number("shortconv.l_cache"), number("kda.head_dim")
        convolution, inner, state = number("ssm.conv_kernel"), number("ssm.inner_size"), number("ssm.state_size")
        if short:
            return number("embedding_length") * (short - 1)
        if kda:
            return 3 * ((convolution or 4) - 1) * self._heads * kda + kda * kda * self._heads
        if wkv := number("wkv.head_size"):
            return number("embedding_length") * (number("token_shift_count", 2) + wkv)
        return max(0, convolution - 1) * (inner + 2 * number("ssm.group_count") * state) + state * inner

    def _kv_heads(self, index: int) -> int:
        value = self._header.metadata.get(f"{self._architecture}.attention.head_count_kv", self._heads)
        if isinstance(value, Array):
            value = value.values[index] if index < len(value.values) else self._heads
        return value if isinstance(value, int) else self._heads

    def _window_layers(self) -> set[int]:
        stored = self._header.metadata.get(f"{self._architecture}.attention.sliding_window_pattern")
        if isinstance(stored, Array):
            return {index for index, flag in enumerate(stored.values) if flag}
        if self._architecture not in _WINDOW_PATTERNS:
            return set()
        pattern, full_first = _WINDOW_PATTERNS[self._architecture]
        if isinstance(stored, int) and not isinstance(stored, bool):
            pattern = stored
        full = 0 if full_first else pattern - 1
        return {index for index in range(self._layers) if pattern == 0 or index % pattern != full}
