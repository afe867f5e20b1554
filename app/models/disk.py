"""What downloads need of a disk: room, one file system, files that survive a power cut."""

import errno
import os
import shutil
from pathlib import Path

from app.domain.errors import AppError
from app.domain.sizes import disk_size

MARGIN_BYTES = 512 << 20  # left free besides what is downloaded: conversations and the system need room too
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def free_bytes(folder: Path) -> int:
    """Room on the disk that holds ``folder``, which need not exist yet."""
    return shutil.disk_usage(existing(folder)).free


def existing(folder: Path) -> Path:
    """The nearest folder upwards that exists."""
    folder = folder.absolute()
    while not folder.is_dir() and folder.parent != folder:
        folder = folder.parent
    return folder


def check_room(folder: Path, needed: int, free: int, name: str) -> None:
    """Raises AppError ``disk-too-small`` unless ``needed`` bytes and a margin fit into ``free``."""
    if needed + MARGIN_BYTES > free:
        raise AppError(
            "disk-too-small",
            "{name} needs {needed} on the disk, but {folder} has only {free} left.",
            "Free some space, or choose a folder on another disk.",
            name=name,
            needed=disk_size(needed + MARGIN_BYTES),
            folder=folder,
            free=disk_size(free),
        )


def disk_error(error: OSError, path: Path) -> AppError:
    """What the system said about writing ``path``, as a sentence."""
    if error.errno in _FULL:
        return AppError(
            "disk-full",
            "The disk that holds {folder} is full.",
            "Free some space, then resume the download: what was fetched is kept.",
            detail=repr(error),
            folder=path.parent,
        )
    return AppError(
        "download-unwritable",
        "{path} cannot be written: {reason}.",
        "Check the folder's permissions, then resume the download.",
        detail=repr(error),
        path=path,
        reason=error.strerror or error,
    )


def same_file_system(first: Path, second: Path) -> bool:
    """Whether a rename from one folder to the other is possible; neither need exist yet."""
    return existing(first).stat().st_dev == existing(second).stat().st_dev


def sync_folder(folder: Path) -> None:
    """Make a rename in ``folder`` durable, where the system has a way to say so."""
    if os.name == "nt":
        return  # NTFS journals renames, and folders cannot be opened
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def place(source: Path, target: Path) -> None:
    """Move a finished file to its place in one step, durably. Both are on one file system. Raises OSError."""
    target.parent.mkdir(parents=True, exist_ok=True)
    source.replace(target)
    sync_folder(target.parent)
