"""Which placement of a model turned out fastest on this machine, beside the ladder's memory."""

import time
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from app.domain.models import LoadRequest
from app.domain.placement import AS_PLANNED, PlacementVariant, Tuning
from app.engine.learned.remembered import machine_key, read_entries, write_entries

ENTRIES = 100
_TYPES = {"what": str, "mapped": bool, "flash_attention": bool}  # numbers otherwise
_LARGEST = 1 << 20


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
        entry = {
            "variant": asdict(tuning.chosen),
            "figures": [asdict(speed) for speed in tuning.figures],
            "seconds": tuning.seconds,
            "when": time.time(),
        }
        entries = {key: old for key, old in read_entries(self.path).items() if key != machine_key(request)}
        latest = dict(list(entries.items())[1 - ENTRIES :])
        write_entries(self.path, {**latest, machine_key(request): entry})

    def _find(self, request: LoadRequest) -> PlacementVariant | None:
        entry = read_entries(self.path).get(machine_key(request))
        return _variant(entry.get("variant")) if isinstance(entry, dict) else None


def _variant(stored: Any) -> PlacementVariant | None:
    names = {field.name for field in fields(PlacementVariant)}
    if not isinstance(stored, dict) or set(stored) != names:
        return None
    for name, value in stored.items():
        if value is not None and type(value) is not _TYPES.get(name, int):
            return None
        if type(value) is int and not 0 <= value <= _LARGEST:
            return None
    return PlacementVariant(**stored) if isinstance(stored["what"], str) else None
