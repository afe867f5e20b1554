"""Small JSON files with what was learned about models on this machine. Losing one costs time and nothing else."""

import logging
import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from app.domain.models import LoadRequest
from app.gguf.names import display_name
from app.storage import jsonfile

log = logging.getLogger(__name__)

T = TypeVar("T")


def read_entries(path: Path | None, of: type[T]) -> dict[str, T]:
    """Those of one type, by key; nothing where there is no file, or it is damaged."""
    try:
        return jsonfile.fitting((path and jsonfile.load(path, dict)) or {}, of)
    except OSError as error:
        log.info("%s is not read: %s", path, error)
        return {}


def write_entries(path: Path | None, entries: Mapping[str, object]) -> None:
    """All or nothing; ``path`` None: nowhere. A disk that cannot be written is not worth an error."""
    if path is None:
        return
    try:
        jsonfile.write(path, entries, durable=False)
    except OSError as error:
        log.info("%s is not written: %s", path, error)


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
