"""Small JSON files with what was learned about models on this machine. Losing one costs time and nothing else."""

import contextlib
import json
import logging
import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.domain.models import LoadRequest
from app.gguf.files import display_name

log = logging.getLogger(__name__)


def read_entries(path: Path | None) -> dict[str, Any]:
    """By key; nothing where there is no file, or it is damaged. Values are whatever somebody wrote."""
    if path is None:
        return {}
    try:
        entries = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return entries if isinstance(entries, dict) else {}


def write_entries(path: Path | None, entries: Mapping[str, object]) -> None:
    """All or nothing; ``path`` None: nowhere. A disk that cannot be written is not worth an error."""
    if path is None:
        return
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(dict(entries)), "utf-8")
        part.replace(path)
    except OSError as error:
        log.info("%s is not written: %s", path, error)
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def machine_key(request: LoadRequest) -> str:
    """The model, what was wished for it, and the machine: a home folder may be shared."""
    path = Path(request.path)
    try:
        size = path.stat().st_size
    except OSError:
        size = 0
    wishes = f"context={request.context} gpu={request.gpu_layers} experts={request.expert_layers}"
    wishes += f" kv={request.kv_types} batch={request.micro_batch}"
    return f"{display_name(request.path)} {size} {wishes} {platform.node()} {os.cpu_count()}"
