"""The compute buffer of one device: what its layers need while a micro-batch passes, as llama.cpp builds their graphs.

Follows src/llama-graph.cpp (build_attn, build_ffn, build_moe_ffn) and src/models/*.cpp for the sizes and the order of
operations. Tokens by width, 4 bytes an element, unless said otherwise.
"""

from collections.abc import Mapping, Sequence

from app.engine.placement.buffers import Graph, Node
from app.engine.placement.shape import Layer, ModelShape, not_planned

F16, F32, I64 = 2, 4, 8
# Tokens whose logits there is room for (``n_outputs_max``). One would do, but near its beginning a graph has that many
# numbers of 4 bytes, which ggml rounds to 32: with fewer than 16 everything behind them begins in the middle of a cache
# line. Reading loses 1 to 7% by that, writing 1 to 3% (AVX-512).
OUTPUTS = 16


def compute_bytes(
    model: ModelShape,
    layers: Sequence[Layer],
    tokens: int,
    full: int,
    windowed: int,
    *,
    first: bool,
    last: bool,
    flash: bool = True,
) -> int:
    """Bytes of the buffer in which one device computes.

    ``layers``: those of this device. ``tokens``: of a micro-batch. ``full``, ``windowed``: cells of the cache.
    ``first``, ``last``: the device also looks up the embeddings, and computes the logits (of ``OUTPUTS`` tokens).
    ``flash``: attention never holds a layer's scores all at once.
    Raises AppError ``plan-not-a-model`` where a layer lacks a tensor, or the sizes contradict each other.
    """
    graph = _Layers(model, tokens, flash=flash)
    few = [layers[place] for place in representatives(kinds(layers))]
    try:
        return graph.build(few, full, windowed, first=first, last=last)
    except (LookupError, ValueError) as error:
        raise not_planned(model.name, repr(error)) from error


def kinds(layers: Sequence[Layer]) -> tuple[int, ...]:
    """Equal numbers for layers whose graphs are equal."""
    numbers: dict[object, int] = {}
    return tuple(
        numbers.setdefault((tuple(layer.tensors.items()), layer.cache.window), len(numbers)) for layer in layers
    )


def representatives(of: Sequence[int]) -> tuple[int, ...]:
    """Places of a few of the layers, whose kinds are given.

    The buffer stops growing when each kind has followed each other once.
    """
    seen: dict[tuple[int, int], int] = {}
    chosen = []
    before = -1
    for place, kind in enumerate(of):
        count = seen.get((before, kind), 0)
        if count < 2:
            chosen.append(place)
        seen[before, kind] = count + 1
        before = kind
    return tuple(chosen)


class _Layers:
    """Records the operations of layers one after the other."""

    def __init__(self, model: ModelShape, tokens: int, *, flash: bool) -> None:
        self._model = model
        self._flash = flash
        self._cells: dict[bool, int] = {}
        self._n = tokens
        self._graph = Graph()
        self._masks: dict[bool, Node] = {}
        self._index = self._graph.input(tokens * I64)
        self._fetched: Node | None = None

    def build(self, layers: Sequence[Layer], full: int, windowed: int, *, first: bool, last: bool) -> int:
        graph, width = self._graph, self._model.width
        self._cells = {False: full, True: windowed}
        given = graph.input(self._n * width * F32)  # embeddings from outside; of tokens there is a second tensor
        for layer in layers:
            cache = layer.cache
            if cache.key and cache.window not in self._masks:
                self._masks[cache.window] = graph.input(
                    self._n * self._cells[cache.window] * (F16 if self._flash else F32)
                )
        current = graph.op(self._n * width * F32, self._index) if first else given
        for layer in layers:
            current = self._layer(layer, current)
        if last:
            rows = min(OUTPUTS, self._n)
            chosen = self._op(width, self._norm(current, width), rows=rows)
            self._op(self._model.vocabulary, chosen, rows=rows)
        return graph.buffer_size()

    def _op(self, width: int, *sources: Node, rows: int = 0) -> Node:
        if width < 0:
            raise ValueError("a part is longer than the whole")
        return self._graph.op((rows or self._n) * width * F32, *sources)

    def _over(self, width: int, *sources: Node) -> Node:
        return self._graph.in_place(self._n * width * F32, *sources)

    def _norm(self, source: Node, width: int) -> Node:
        return self._over(width, self._over(width, source))  # normalize, multiply by the weight

    def _layer(self, layer: Layer, current: Node) -> Node:
        width, shapes = self._model.width, layer.tensors
        mixed = self._mixer(layer, self._norm(current, width))
        if mixed is None:
            mixed = current
        else:
            if "post_attention_norm.weight" in shapes and "ffn_norm.weight" in shapes:
                mixed = self._norm(mixed, width)
            mixed = self._add(mixed, current)
        normed = self._norm(mixed, width)
        result = self._feed_forward(shapes, normed)
        if result is None:
            return mixed
        if "post_ffw_norm.weight" in shapes:
            result = self._norm(result, width)
        return self._add(result, mixed)

    def _add(self, result: Node, before: Node) -> Node:
        first, second = (before, result) if self._model.architecture.startswith("lfm2") else (result, before)
        return self._over(self._model.width, first, second)

    def _mixer(self, layer: Layer, normed: Node) -> Node | None:
        shapes = layer.tensors
        if "attn_kv_a_mqa.weight" in shapes and "attn_k_b.weight" in shapes and layer.cache.key:
            return self._latent_attention(layer, normed)
        if "ssm_in.weight" in shapes:
            return self._mamba(layer, normed)
        if "ssm_conv1d.weight" in shapes and "ssm_out.weight" in shapes:
            return self._delta_net(layer, normed)
        if "shortconv.in_proj.weight" in shapes:
            return self._short_convolution(normed)
        if "attn_output.weight" in shapes:
            return self._attention(layer, normed)
        return None

    def _attention(self, layer: Layer, normed: Node) -> Node:
        shapes, graph = layer.tensors, self._graph
        out = shapes["attn_output.weight"][0]
        key, value = layer.cache.key, layer.cache.value
        if "attn_qkv.weight" in shapes:
            fused = self._op(shapes["attn_qkv.weight"][1], normed)
            query = self._op(out, graph.view(fused))
            keys, values = self._op(key, graph.view(fused)), graph.view(fused)
        else:
            wide = shapes["attn_q.weight"][1]
            query = self._op(wide, normed)
            if wide > out:  # queries and their gates in one
                both, query = query, self._op(out, graph.view(query))
            query = self._over(out, graph.view(query))  # normed or turned, head by head
            if self._model.window:  # build_attn with two caches puts the keys first
                keys = self._over(key, graph.view(self._op(key, normed)))
                values = self._op(value, normed)
            else:
                values = self._op(value, normed)
                keys = self._over(key, graph.view(self._op(key, normed)))
        graph.done(keys, self._index)
        graph.done(values, self._index)
        attended = self._attended(layer, out, query)
        if "attn_q.weight" in shapes and shapes["attn_q.weight"][1] > out:
            attended = self._over(out, graph.view(attended), self._op(out, graph.view(both)))
        return self._over(self._model.width, self._op(self._model.width, attended))

    def _attended(self, layer: Layer, out: int, query: Node) -> Node:
        window = layer.cache.window
        mask = self._masks.get(window, self._index)
        if self._flash:
            return self._op(out, query, mask)
        width = self._cells[window] * self._model.heads
        return self._op(out, self._op(out, self._over(width, self._op(width, query), mask)))

    def _latent_attention(self, layer: Layer, normed: Node) -> Node:
        shapes, graph = layer.tensors, self._graph
        nope, rank, heads = shapes["attn_k_b.weight"]
        rope, value = layer.cache.key - rank, shapes["attn_v_b.weight"][1]
        source = normed
        if "attn_q_a.weight" in shapes:
            q_rank = shapes["attn_q_a.weight"][1]
            source = self._norm(self._op(q_rank, normed), q_rank)
        query = self._op(heads * (nope + rope), source)
        absorbed = self._op(heads * rank, graph.view(query))
        turned = self._op(heads * rope, graph.view(query))
        whole = self._op(heads * (rank + rope), absorbed, turned)
        compressed = self._op(rank + rope, normed)
        latent = self._norm(self._op(rank, graph.view(compressed)), rank)
        keys = self._op(rank + rope, latent, self._op(rope, graph.view(compressed)))
        graph.done(keys, self._index)
        attended = self._attended(layer, heads * rank, whole)
        unfolded = self._op(heads * value, attended)
        flat = self._op(heads * value, unfolded)
        return self._op(self._model.width, flat)

    def _mamba(self, layer: Layer, normed: Node) -> Node:
        shapes, graph = layer.tensors, self._graph
        inner, (kernel, channels) = shapes["ssm_out.weight"][0], shapes["ssm_conv1d.weight"]
        before = self._conv_state(channels, kernel)
        projected = self._op(shapes["ssm_in.weight"][1], normed)
        padded = self._op(channels, before, graph.view(projected), rows=self._n + kernel - 1)
        graph.done(graph.view(padded))
        mixed = self._over(channels, self._over(channels, self._op(channels, padded)))
        heads = shapes["ssm_dt.bias"][0]
        part = graph.view(mixed)
        times = self._over(heads, self._op(heads, graph.view(projected)))
        state = layer.cache.state - (kernel - 1) * channels
        scanned = graph.op((self._n * inner + state) * F32, part, times)
        graph.done(graph.view(scanned))
        self._fetch(channels, kernel)
        gate = self._op(inner, graph.view(projected))
        output = graph.view(scanned, self._n * inner * F32)
        output = self._over(inner, output, self._op(inner, part))
        gated = self._norm(graph.view(self._op(inner, gate, output)), inner)
        return self._op(self._model.width, gated)

    def _delta_net(self, layer: Layer, normed: Node) -> Node:
        shapes, graph = layer.tensors, self._graph
        kernel, channels = shapes["ssm_conv1d.weight"]
        values = shapes["ssm_out.weight"][0]
        before = self._op(channels, self._index, rows=kernel - 1)
        mixed = self._op(channels, normed)
        padded = self._op(channels, before, graph.view(mixed), rows=self._n + kernel - 1)
        graph.done(graph.view(padded))
        state = (layer.cache.state - (kernel - 1) * channels) * F32
        remembered = graph.op(state, self._index)
        convolved = self._over(channels, self._op(channels, padded))
        keys = (channels - values) // 2
        query = self._op(keys, graph.view(convolved))
        if keys != values:
            query = self._op(values, query)
        key = self._op(keys, graph.view(convolved))
        if keys != values:
            key = self._op(values, key)
        heads = shapes["ssm_dt.bias"][0]
        both = self._op(2 * heads, normed)
        decay = self._over(heads, self._op(heads, graph.view(both)))
        write = self._op(heads, graph.view(both))
        result = graph.op(self._n * values * F32 + state, query, key, graph.view(convolved), remembered, decay, write)
        graph.done(graph.view(result))
        scaled = self._norm(graph.view(result, self._n * values * F32), values)
        gated = self._over(values, scaled, self._over(values, graph.view(self._op(values, normed))))
        return graph.view(self._op(self._model.width, graph.view(gated)))

    def _conv_state(self, channels: int, kernel: int) -> Node:
        fetched, self._fetched = self._fetched, None
        return fetched or self._op(channels, self._index, rows=kernel - 1)

    def _fetch(self, channels: int, kernel: int) -> None:
        """llama.cpp's order has the next layer's state read already when this layer has updated its own."""
        self._fetched = self._op(channels, self._index, rows=kernel - 1)

    def _short_convolution(self, normed: Node) -> Node:
        graph, width = self._graph, self._model.width
        projected = self._op(3 * width, normed)
        gated = self._op(width, graph.view(projected), graph.view(projected))
        padded = self._op(width, gated, rows=self._n + 2)
        graph.done(graph.view(padded))
        convolved = self._op(width, padded)
        return self._op(width, self._op(width, graph.view(projected), convolved))

    def _feed_forward(self, shapes: Mapping[str, tuple[int, ...]], normed: Node) -> Node | None:
        width = self._model.width
        if "ffn_down_exps.weight" in shapes:
            routed = self._experts(shapes, normed)
            if "ffn_up_shexp.weight" not in shapes:
                return routed
            return self._over(width, routed, self._dense(shapes["ffn_down_shexp.weight"][0], normed))
        if "ffn_down.weight" in shapes:
            return self._dense(shapes["ffn_down.weight"][0], normed)
        return None

    def _dense(self, inner: int, normed: Node) -> Node:
        return self._op(self._model.width, self._op(inner, self._op(inner, normed), self._op(inner, normed)))

    def _experts(self, shapes: Mapping[str, tuple[int, ...]], normed: Node) -> Node:
        model, graph = self._model, self._graph
        count, used, width = model.experts, model.experts_used, model.width
        inner = shapes["ffn_down_exps.weight"][0]
        scores = self._over(count, self._op(count, normed))
        selection = self._op(count, scores) if "exp_probs_b.bias" in shapes else scores
        chosen = graph.view(self._op(count, selection))
        weights = self._op(used, scores, chosen)
        biased = "ffn_up_exps.bias" in shapes
        if "ffn_gate_up_exps.weight" in shapes:
            fused = self._op(2 * used * inner, normed, chosen)
            gated = self._op(used * inner, graph.view(fused), graph.view(fused))
        else:
            gate, up = self._op(used * inner, normed, chosen), self._op(used * inner, normed, chosen)
            if biased:
                gate, up = self._over(used * inner, gate), self._over(used * inner, up)
            gated = self._op(used * inner, gate, up)
        down = self._op(used * width, gated, chosen)
        if biased:
            down = self._over(used * width, down, chosen)
        weighted = self._over(used * width, down, weights)
        views = [graph.view(weighted) for _ in range(used)]
        result = self._op(width, *views[:2])
        for view in views[2:]:
            result = self._over(width, result, view)
        return result
