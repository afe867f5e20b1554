"""Which placement of a model turned out fastest on this machine, beside the ladder's memory."""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from app.domain.models import LoadRequest
from app.domain.placement import AS_PLANNED, PlacementVariant, Speed, Tuning
from app.engine.learned.remembered import machine_key, read_entries, write_entries
from app.storage.jsonfile import convert

ENTRIES = 100
_LARGEST = 1 << 20


@dataclass(frozen=True, slots=True)
class _Entry:
    """``when``: seconds since 1970."""

    variant: Mapping[str, object]
    figures: tuple[Speed, ...]
    seconds: float
    when: float


@dataclass(frozen=True, slots=True)
class Tunings:
    """``path``: a JSON file with variants and the figures behind them, for whoever wonders; None: nothing is kept."""

    path: Path | None = None

    def known(self, request: LoadRequest) -> bool:
        """Whether placements were compared for this model, these wishes and this machine."""
        return self._find(request) is not None

    def apply(self, request: LoadRequest) -> LoadRequest:
        """With the fastest variant, where that is known, nothing else is asked for, and no safer plan is needed."""
        if request.rung > 0:
            return replace(request, variant=AS_PLANNED)
        found = self._find(request) if request.variant == AS_PLANNED else None
        return request if found is None else replace(request, variant=found)

    def remember(self, request: LoadRequest, tuning: Tuning) -> None:
        entry = _Entry(asdict(tuning.chosen), tuning.figures, tuning.seconds, time.time())
        known = read_entries(self.path, object)
        others = {key: old for key, old in known.items() if key != machine_key(request)}
        latest = dict(list(others.items())[1 - ENTRIES :])
        write_entries(self.path, {**latest, machine_key(request): entry})

    def _find(self, request: LoadRequest) -> PlacementVariant | None:
        entry = read_entries(self.path, _Entry).get(machine_key(request))
        return _variant(entry.variant) if entry is not None else None


def _variant(stored: Mapping[str, object]) -> PlacementVariant | None:
    """None for that of another version, in which more or less is decided, and for figures that cannot be."""
    try:
        variant = convert(stored, PlacementVariant)
    except ValueError:
        return None
    numbers = (variant.expert_layers, variant.micro_batch, variant.gpus)
    sound = all(number is None or 0 <= number <= _LARGEST for number in numbers)
    return variant if sound and asdict(variant) == stored else None
