"""The choice: attention and dense weights to the GPUs first, experts next, the rest to RAM, what is left to disk."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from app.engine.placement.cache import cache_bytes, cells, window_cells
from app.engine.placement.graph import F32, compute_bytes, kinds, representatives
from app.engine.placement.plan import Override, Plan, Share, Wishes
from app.engine.placement.shape import EXPERTS, Layer, ModelShape, WeightBytes
from app.engine.placement.speed import tokens_per_second
from app.engine.placement.words import Outcome, reason, sentence
from app.machine.devices import GIB, Machine

MARGIN = GIB  # left free on every GPU and in RAM
SMALLEST_CONTEXT = 2048
USUAL_CONTEXT = 8192  # less only where nothing else fits
CACHE_SHARE = 0.25  # of the memory that the cache may take before the context is halved
MICRO_BATCH = 512
# Experts in RAM are sent to the GPU for every micro-batch of a prompt, so a larger one reads a prompt faster.
LARGE_MICRO_BATCHES = (4096, 2048, 1024)
COMPUTE_SHARE = 0.25  # of the smallest GPU
COPIES = 4  # GGML_SCHED_MAX_COPIES


def make_plan(model: ModelShape, machine: Machine, wishes: Wishes | None = None, *, margin: int = MARGIN) -> Plan:
    """The fastest placement that is safe. Wishes are followed even where they do not fit; ``fits`` then says so."""
    wishes = wishes or Wishes()
    plan = _make(model, replace(machine, amx=False), wishes, margin)
    # Beside a GPU, weights in RAM stay where it reaches them.
    if not machine.amx or machine.gpus or model.amx is None or plan.mmap:
        return plan
    laid_out = _make(model, machine, replace(wishes, context=plan.context), margin)
    return laid_out if laid_out.fits and not laid_out.mmap else plan


def _make(model: ModelShape, machine: Machine, wishes: Wishes, margin: int) -> Plan:
    machine = _without_sharing(machine, model.input + margin)
    best: _Draft | None = None
    for context in _contexts(model, wishes):
        draft = _place(model, machine, wishes, context, margin)
        if best is None or (draft.resident and not best.resident):
            best = draft
        if draft.resident and draft.cache <= CACHE_SHARE * _room(machine, margin, draft):
            best = draft
            break
    assert best is not None
    return _finish(model, machine, wishes, best, margin)


def _without_sharing(machine: Machine, reserve: int) -> Machine:
    """GPUs that use the RAM leave ``reserve`` of it to what has to lie there."""
    most = max(0, machine.ram.free - reserve)
    gpus = tuple(replace(gpu, free=min(gpu.free, most)) if gpu.unified else gpu for gpu in machine.gpus)
    return replace(machine, gpus=gpus)


def _contexts(model: ModelShape, wishes: Wishes) -> list[int]:
    """The wish, or the trained context and its halves, the usual one among them."""
    if wishes.context is not None:
        return [max(1, wishes.context)]
    trained = model.context_trained or USUAL_CONTEXT
    halves = [size for size in (1 << bits for bits in range(30, 10, -1)) if SMALLEST_CONTEXT <= size < trained]
    return [trained, *halves]


def _room(machine: Machine, margin: int, draft: "_Draft") -> int:
    """Memory for weights and cache where the cache lies."""
    devices = machine.gpus if draft.gpu_layers else (machine.ram,)
    return sum(max(0, device.free - margin) for device in devices)


@dataclass(frozen=True, slots=True)
class _Draft:
    """A plan being made.

    ``starts``: the first layer of each GPU, then one past the last.
    ``on_gpu``: layers whose experts are there.
    ``resident``: everything that every token needs is in memory.
    """

    context: int
    micro_batch: int
    gpu_layers: int
    starts: tuple[int, ...]
    on_gpu: frozenset[int]
    shares: tuple[Share, ...]
    disk: int
    resident: bool

    @property
    def cache(self) -> int:
        return sum(share.kv for share in (self.shares[:-1] if self.gpu_layers else self.shares))


def _place(model: ModelShape, machine: Machine, wishes: Wishes, context: int, margin: int) -> _Draft:
    everything = len(model.layers) + 1
    wanted = everything if wishes.gpu_layers is None else max(0, min(wishes.gpu_layers, everything))
    most = wanted if machine.gpus else 0
    for batch in _micro_batches(model, machine, wishes):
        sizes = _Sizes(model, machine, wishes, context, min(batch, cells(context)), margin)
        if not most:
            return sizes.draft(0, (len(model.layers),), frozenset())
        if batch in LARGE_MICRO_BATCHES and wishes.micro_batch is None and not sizes.batch_is_worth_it(most):
            continue
        counts = range(most, most - 1, -1) if wishes.gpu_layers is not None else range(most, 0, -1)
        for count in counts:
            starts = sizes.split(count)
            if starts is not None:
                chosen = sizes.experts(starts, wishes.expert_layers)
                return sizes.draft(count, starts, chosen)
        if wishes.gpu_layers is not None:
            return sizes.draft(most, sizes.even_split(most), frozenset())
    return sizes.draft(0, (len(model.layers),), frozenset())


def _micro_batches(model: ModelShape, machine: Machine, wishes: Wishes) -> tuple[int, ...]:
    if wishes.micro_batch is not None:
        return (max(1, wishes.micro_batch),)
    return (*LARGE_MICRO_BATCHES, MICRO_BATCH) if machine.gpus and model.expert_layers else (MICRO_BATCH,)


class _Sizes:
    """Sizes of a model on a machine with one context and one micro-batch."""

    def __init__(
        self, model: ModelShape, machine: Machine, wishes: Wishes, context: int, batch: int, margin: int
    ) -> None:
        self._model = model
        self._machine = machine
        self._margin = margin
        self._flash = wishes.flash_attention
        self._context = context
        self._batch = batch
        self._full = cells(context)
        self._windowed = window_cells(context, model.window, batch, full_window=wishes.full_window)
        self._kv = [cache_bytes(layer, self._full, self._windowed, wishes.kv_types) for layer in model.layers]
        self._kinds = kinds(model.layers)
        self._computed: dict[tuple[tuple[int, ...], bool, bool], int] = {}

    # --- what one device holds --------------------------------------------------------------------------------------

    def _compute(self, first: int, end: int, start: bool, last: bool) -> int:
        """Equal runs of layers are measured once."""
        run = self._kinds[first:end]
        key = (tuple(run[place] for place in representatives(run)), start, last)
        if key not in self._computed:
            layers = self._model.layers[first:end]
            self._computed[key] = compute_bytes(
                self._model,
                layers,
                self._batch,
                self._full,
                self._windowed,
                first=start,
                last=last,
                flash=self._flash,
            )
        return self._computed[key]

    def gpu_share(self, index: int, first: int, end: int, experts: frozenset[int], copies: int) -> Share:
        """Layers ``first`` to ``end`` on a GPU, the one after the last layer being the output."""
        model, count = self._model, len(self._model.layers)
        weights = WeightBytes(dense=model.output + model.tied) if end > count else WeightBytes()
        end = min(end, count)
        for number in range(first, end):
            own = model.layers[number].weights
            weights += own if number in experts else WeightBytes(own.mixer, own.dense, own.shared)
        compute = self._compute(first, end, False, end == count)
        # For a prompt the scheduler copies the weights in RAM to a GPU, one tensor at a time; the first GPU comes first
        # (ggml-backend.cpp, ggml_backend_sched_backend_id_from_cur).
        reach = range(count) if index == 0 else range(first, end)
        if not self._machine.gpus[index].unified:
            compute += max(
                (model.layers[number].largest_expert for number in reach if number not in experts), default=0
            )
        compute += (copies - 1) * self._inputs()
        return Share(self._machine.gpus[index], weights, sum(self._kv[first:end]), compute, (first, end))

    def _inputs(self) -> int:
        """Attention masks and embeddings of a micro-batch."""
        windows = {layer.cache.window for layer in self._model.layers if layer.cache.key}
        masks = sum(self._windowed if windowed else self._full for windowed in windows)
        return self._batch * (masks * 2 + self._model.width * F32)

    def ram_share(self, first_gpu: int, gpu_layers: int, on_gpu: frozenset[int], copies: int) -> Share:
        """The layers before the GPUs', the embeddings, and the experts that are nowhere else."""
        model = self._model
        weights = WeightBytes(dense=model.input)
        if gpu_layers == 0:
            weights += WeightBytes(dense=model.output)
        if self._machine.amx:  # then nothing is on a GPU
            weights += WeightBytes(dense=model.amx or 0)
        for number, layer in enumerate(model.layers):
            own = layer.weights
            if number < first_gpu:
                weights += own
            elif number not in on_gpu:
                weights += WeightBytes(experts=own.experts)
        logits = model.vocabulary * F32
        if gpu_layers:
            compute = copies * self._inputs() + self._batch * model.width * F32 + logits
            if first_gpu:
                compute = max(compute, self._compute(0, first_gpu, True, False))
        else:
            compute = self._compute(0, first_gpu, True, True) + logits
        return Share(self._machine.ram, weights, sum(self._kv[:first_gpu]), compute, (0, first_gpu))

    # --- how layers are dealt out -----------------------------------------------------------------------------------

    def batch_is_worth_it(self, gpu_layers: int) -> bool:
        """A large micro-batch pays where experts stay in RAM, and must leave the GPU to the weights."""
        first = len(self._model.layers) + 1 - gpu_layers
        rooms = [device.free - self._margin for device in self._machine.gpus]
        needed = sum(layer.weights.every_token + layer.weights.experts for layer in self._model.layers[first:])
        if needed + sum(self._kv[first:]) + self._model.output + self._model.tied <= sum(rooms):
            return False
        return self._compute(first, len(self._model.layers), False, True) <= COMPUTE_SHARE * min(rooms)

    def even_split(self, gpu_layers: int) -> tuple[int, ...]:
        """By memory alone, as llama.cpp does it."""
        first, gpus = len(self._model.layers) + 1 - gpu_layers, self._machine.gpus
        total = sum(device.free for device in gpus) or 1
        taken, starts = 0, [first]
        for device in gpus:
            taken += device.free
            starts.append(first + round(gpu_layers * taken / total))
        return tuple(starts)

    def split(self, gpu_layers: int) -> tuple[int, ...] | None:
        """Where each GPU's layers begin, so that all hold their share and the most experts find room besides.

        None where attention and dense weights do not fit.
        """
        first, end, gpus = len(self._model.layers) + 1 - gpu_layers, len(self._model.layers) + 1, self._machine.gpus
        if len(gpus) == 1:
            return (first, end) if self._fits((first, end), frozenset()) else None
        starts = self.even_split(gpu_layers)
        score = self._score(starts)
        improved = True
        while improved:
            improved = False
            for other in _neighbours(starts):
                if (found := self._score(other)) > score:
                    starts, score, improved = other, found, True
                    break
        return starts if score[0] == 0 else None

    def _score(self, starts: tuple[int, ...]) -> tuple[int, int, int]:
        """Better is larger: nothing too much anywhere, then experts on GPUs, then the emptiest GPU."""
        left = [self._left(share) for share in self._gpu_shares(starts, frozenset())]
        excess = sum(min(0, room) for room in left)
        chosen = self.experts(starts, None) if excess == 0 else frozenset()
        rest = min(self._left(share) for share in self._gpu_shares(starts, chosen))
        return excess, len(chosen), rest

    def experts(self, starts: tuple[int, ...], wish: int | None) -> frozenset[int]:
        """The layers whose experts go to the GPU that has the rest of them.

        From the last, as many as fit or as are wished.
        """
        mixtures = [
            index for index, layer in enumerate(self._model.layers) if layer.weights.experts and index >= starts[0]
        ]
        if wish is not None:
            return frozenset(mixtures[len(mixtures) - max(0, min(wish, len(mixtures))) :])
        if self._fits(starts, frozenset(mixtures)):
            return frozenset(mixtures)
        chosen: set[int] = set()
        for share in self._gpu_shares(starts, frozenset()):
            left = self._left(share)
            for index in reversed([index for index in mixtures if share.layers[0] <= index < share.layers[1]]):
                size = self._model.layers[index].weights.experts
                if size > left:
                    break
                left -= size
                chosen.add(index)
        return frozenset(chosen)

    def _left(self, share: Share) -> int:
        return share.device.free - self._margin - share.used

    def _fits(self, starts: tuple[int, ...], experts: frozenset[int]) -> bool:
        return all(self._left(share) >= 0 for share in self._gpu_shares(starts, experts))

    def _gpu_shares(self, starts: tuple[int, ...], experts: frozenset[int]) -> list[Share]:
        copies = self._copies(starts, experts)
        return [
            self.gpu_share(index, first, end, experts, copies) for index, (first, end) in enumerate(pairwise(starts))
        ]

    def _copies(self, starts: tuple[int, ...], experts: frozenset[int]) -> int:
        """Several GPUs that hold everything work on different micro-batches at once (llama-context.cpp)."""
        mixtures = {index for index, layer in enumerate(self._model.layers) if layer.weights.experts}
        return COPIES if len(self._machine.gpus) > 1 and starts[0] == 0 and mixtures <= experts else 1

    def draft(self, gpu_layers: int, starts: tuple[int, ...], on_gpu: frozenset[int]) -> _Draft:
        gpus = self._gpu_shares(starts, on_gpu) if gpu_layers else []
        idle = [Share(device, WeightBytes(), 0, 0) for device in self._machine.gpus[len(gpus) :]]
        ram = self.ram_share(starts[0], gpu_layers, on_gpu, self._copies(starts, on_gpu) if gpu_layers else 1)
        shared = sum(share.used for share in gpus if share.device.unified)
        room = max(0, ram.device.free - self._margin - shared)
        disk = max(0, ram.used - room)
        resident = disk <= ram.weights.experts and all(self._left(share) >= 0 for share in gpus)
        shares = (*gpus, *idle, ram)
        return _Draft(self._context, self._batch, gpu_layers, starts, on_gpu, shares, disk, resident)


def _neighbours(starts: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    for index in range(1, len(starts) - 1):
        for step in (-1, 1):
            moved = starts[index] + step
            if starts[index - 1] <= moved <= starts[index + 1]:
                yield (*starts[:index], moved, *starts[index + 1 :])


def _finish(model: ModelShape, machine: Machine, wishes: Wishes, draft: _Draft, margin: int) -> Plan:
    away = [index for index in _mixtures(model.layers, draft.starts[0]) if index not in draft.on_gpu]
    overrides = _overrides(away, everything=not draft.on_gpu) if draft.gpu_layers and away else ()
    split = tuple(end - first for first, end in pairwise(draft.starts)) if draft.gpu_layers else ()
    disk = min(draft.disk, draft.shares[-1].weights.experts + draft.shares[-1].weights.every_token)
    speed = tokens_per_second(model, machine, draft.shares, disk, draft.context)
    outcome = Outcome(
        model, machine, draft.shares, disk, draft.gpu_layers, len(draft.on_gpu), draft.context, speed, margin
    )
    return Plan(
        model=model.name,
        architecture=model.architecture,
        layers=len(model.layers),
        layers_with_experts=model.expert_layers,
        weights=model.weights,
        context=draft.context,
        context_trained=model.context_trained,
        kv_types=wishes.kv_types,
        full_window=wishes.full_window,
        micro_batch=draft.micro_batch,
        gpu_layers=draft.gpu_layers,
        expert_layers=len(draft.on_gpu),
        tensor_split=split,
        overrides=overrides,
        experts_in_ram=tuple(away) if draft.gpu_layers else (),
        mmap=disk > 0 or wishes.mapped,
        amx=machine.amx,
        threads=wishes.threads,
        shares=draft.shares,
        disk=disk,
        disk_bandwidth=machine.disk_bandwidth,
        tokens_per_second=speed,
        measured=all(share.device.measured for share in draft.shares if share.used) and not disk,
        fits=draft.resident,
        why=reason(outcome, fits=draft.resident),
        sentence=sentence(outcome, fits=draft.resident),
    )


def _mixtures(layers: Sequence[Layer], first: int) -> list[int]:
    return [index for index, layer in enumerate(layers) if layer.weights.experts and index >= first]


def _overrides(layers: Sequence[int], *, everything: bool) -> tuple[Override, ...]:
    if everything:
        return (Override(EXPERTS),)
    return (Override(rf"blk\.({'|'.join(map(str, layers))}){EXPERTS}"),)
