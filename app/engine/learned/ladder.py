"""Safer and safer plans for a model that needs more memory than there is, and which one it took on this machine.

Rung 0 is what was asked for. Every rung halves the context; from the second one on nothing is put on a GPU
(`app.engine.placement.fit`). What it took is remembered for a week: programs that were in the way may be gone then.
"""

import time
from dataclasses import dataclass
from pathlib import Path

from app.domain.errors import ErrorInfo
from app.domain.models import LoadRequest, ModelInfo
from app.engine.learned.remembered import machine_key, read_entries, write_entries

LAST_RUNG = 3
REMEMBERED_S = 7 * 24 * 3600.0
ENTRIES = 100


@dataclass(frozen=True, slots=True)
class Ladder:
    """``path``: a JSON file, made when there is something to remember; None: nothing is. Written by one thread."""

    path: Path | None = None

    def rung(self, request: LoadRequest) -> int:
        """Where to begin."""
        rung, when = self._read().get(machine_key(request), (0, 0.0))
        return rung if time.time() - when < REMEMBERED_S else 0

    def remember(self, request: LoadRequest) -> None:
        """``request.rung`` is what it took."""
        entries = {**self._read(), machine_key(request): (min(request.rung, LAST_RUNG), time.time())}
        write_entries(self.path, dict(sorted(entries.items(), key=lambda entry: entry[1][1])[-ENTRIES:]))

    def _read(self) -> dict[str, tuple[int, float]]:
        entries = read_entries(self.path, tuple[int, float])
        return {key: (max(0, min(rung, LAST_RUNG)), when) for key, (rung, when) in entries.items()}


def explanation(model: ModelInfo) -> ErrorInfo:
    """What a person is told of a model that was loaded on a safer rung."""
    return ErrorInfo(
        "safer-plan",
        "{name} needed more memory than there is, so it runs with a context of {context} tokens.",
        "For more, close other programs and choose another context for it, or choose a smaller model.",
        {"name": model.name, "context": str(model.context)},
    )
