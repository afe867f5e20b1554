"""Safer and safer plans for a model that needs more memory than there is, and which one it took on this machine.

Rung 0 is what was asked for. Every rung halves the context; from the second one on nothing is put on a GPU
(`app.engine.llama.fit`). What it took is remembered for a week: other programs that were in the way may be gone then.
"""

import contextlib
import json
import logging
import os
import platform
import time
from dataclasses import dataclass
from pathlib import Path

from app.domain.errors import ErrorInfo
from app.domain.models import LoadRequest, ModelInfo
from app.engine.files import display_name

log = logging.getLogger(__name__)

LAST_RUNG = 3
REMEMBERED_S = 7 * 24 * 3600.0
ENTRIES = 100


@dataclass(frozen=True, slots=True)
class Ladder:
    """``path``: a JSON file, made when there is something to remember; None: nothing is. Used by one thread."""

    path: Path | None = None

    def rung(self, request: LoadRequest) -> int:
        """Where to begin."""
        rung, when = self._read().get(_key(request), (0, 0.0))
        return rung if time.time() - when < REMEMBERED_S else 0

    def remember(self, request: LoadRequest) -> None:
        """``request.rung`` is what it took."""
        if self.path is None:
            return
        entries = {**self._read(), _key(request): (min(request.rung, LAST_RUNG), time.time())}
        newest = sorted(entries.items(), key=lambda entry: entry[1][1])[-ENTRIES:]
        part = self.path.with_name(f"{self.path.name}.{os.getpid()}.part")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            part.write_text(json.dumps(dict(newest)), "utf-8")
            part.replace(self.path)
        except OSError as error:
            log.info("the safer plan is not remembered: %s", error)
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)

    def _read(self) -> dict[str, tuple[int, float]]:
        if self.path is None:
            return {}
        try:
            entries = json.loads(self.path.read_text("utf-8"))
            return {str(key): (max(0, min(int(rung), LAST_RUNG)), float(when)) for key, (rung, when) in entries.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}


def explanation(model: ModelInfo) -> ErrorInfo:
    """What a person is told of a model that was loaded on a safer rung."""
    return ErrorInfo(
        "safer-plan",
        "{name} needed more memory than there is, so it runs with a context of {context} tokens.",
        "Close other programs and load it again, or choose a smaller model.",
        {"name": model.name, "context": str(model.context)},
    )


def _key(request: LoadRequest) -> str:
    """The model, what was wished for it, and the machine: a home folder may be shared."""
    path = Path(request.path)
    try:
        size = path.stat().st_size
    except OSError:
        size = 0
    wishes = f"context={request.context} gpu={request.gpu_layers}"
    return f"{display_name(request.path)} {size} {wishes} {platform.node()} {os.cpu_count()}"
