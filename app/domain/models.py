"""Descriptions of models, of how to load one and of how to sample from it."""

from dataclasses import dataclass, field
from typing import NamedTuple

from app.domain.placement import AS_PLANNED, Placement, PlacementVariant


@dataclass(frozen=True, slots=True)
class Sampling:
    """Sampler settings. Neutral values switch a step off: ``top_k=0``, ``top_p=1``, ``min_p=0``, ``repeat_penalty=1``.

    ``temperature=0`` is greedy. ``seed=None`` draws one.
    """

    temperature: float = 0.6
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.05
    repeat_penalty: float = 1.0
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class SamplingValues:
    """Some figures of ``Sampling``, as somebody states them. None: nothing is said of it."""

    temperature: float | None = None
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None
    repeat_penalty: float | None = None


@dataclass(frozen=True, slots=True)
class CallGrammar:
    """What a tool call has to look like, from the moment at which the model begins one.

    ``text``: rules in llama.cpp's notation (GBNF); ``root`` begins with what opens a call. A call opens with one of the
    tokens ``openers`` or the texts ``phrases``. In these texts a NUL stands before each control token; a phrase without
    one counts only outside of what stands between ``quiet`` and ``loud`` (``is_quiet``: so it begins), and in ``prose``
    only at the beginning of a line and outside of fenced code.
    ``markers``: control tokens with a place in the rules; no others may stand in a call. ``ends_text``: those of them
    that may follow any character. ``begun``: how many of the prompt's last tokens the model wrote itself.
    """

    text: str
    openers: frozenset[int] = frozenset()
    phrases: tuple[str, ...] = ()
    quiet: tuple[str, ...] = ()
    loud: tuple[str, ...] = ()
    is_quiet: bool = False
    prose: bool = True
    markers: frozenset[int] = frozenset()
    ends_text: frozenset[int] = frozenset()
    begun: int = 0


@dataclass(frozen=True, slots=True)
class LoadRequest:
    """What to load and how. None leaves the choice to the placement; ``rung`` counts the safer plans tried before.

    ``expert_layers``: how many layers keep their experts on the GPU; ``kv_types``: of keys and values ("f16", "q8_0");
    ``micro_batch``: tokens of a prompt that are evaluated together. ``variant``: another placement than the planned
    one; what it says comes first, but it counts on the first rung only.
    """

    path: str
    context: int | None = None  # tokens
    gpu_layers: int | None = None
    threads: int | None = None
    threads_batch: int | None = None
    rung: int = 0
    expert_layers: int | None = None
    kv_types: tuple[str, str] | None = None
    micro_batch: int | None = None
    variant: PlacementVariant = AS_PLANNED


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A loaded model. ``context`` and ``context_trained`` in tokens, ``size`` in bytes of tensors."""

    name: str
    path: str
    architecture: str
    description: str
    size: int
    parameters: int
    context: int
    context_trained: int
    template: str  # Jinja source, "" where the file has none
    vocabulary: str  # fingerprint of the tokens; token ids are comparable between equal fingerprints only
    vocabulary_size: int
    bos: str
    eos: str
    add_bos: bool
    eog_ids: frozenset[int] = frozenset()
    control_tokens: dict[str, int] = field(default_factory=dict)  # text of control and user-defined tokens -> id
    devices: tuple[str, ...] = ()  # where the weights lie, in words
    seconds: float = 0.0  # how long the load took
    backends: tuple[str, ...] = ()  # paths of the engine's libraries chosen for this machine, where there is a choice
    placement: Placement | None = None  # None where the file's header was not understood
    sampling: SamplingValues = SamplingValues()  # what the file says of it


@dataclass(frozen=True, slots=True)
class ModelAbilities:
    """What a model can do, as its chat template and its makers say.

    ``thinks``: it reasons before it answers, or can. ``switchable``: it can be asked to answer at once.
    ``efforts``: how much it can be asked to reason, in its own words, least first; () where it cannot be asked.
    ``takes_tools``: it can be told of tools.
    """

    thinks: bool = False
    switchable: bool = False
    efforts: tuple[str, ...] = ()
    takes_tools: bool = False


@dataclass(frozen=True, slots=True)
class EmbeddingModel:
    """A model that turns text into vectors of ``dimension`` numbers. ``id``: vectors are comparable between equal ids
    only; it is made of the file's content."""

    id: str
    name: str
    dimension: int


class TokenPiece(NamedTuple):
    """A generated token. ``text`` may be "" while a character is incomplete; the next piece then holds it whole.

    ``control``: the token is a control or user-defined token of the vocabulary, ``text`` is its spelling.
    """

    id: int
    text: str
    control: bool


class PromptText(NamedTuple):
    """A stretch of prompt text. ``special``: markers in it are control tokens; False for what a stranger wrote."""

    text: str
    special: bool = True
