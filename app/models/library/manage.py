"""Changing the library: taking files in, checking them, removing them."""

import contextlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from app.domain.cancel import CancelToken
from app.domain.errors import AppError
from app.domain.library import FileCheck, FileProgress, ImportBy, LibraryModel, Origin, Removal
from app.gguf.files import check_model_file
from app.gguf.reader import unreadable
from app.models.disk import check_room, disk_error, free_bytes, place
from app.models.library import records
from app.models.library.checks import check_model, sha256_of
from app.models.library.folder import record_of

_COPY_STEP = 4 << 20


def import_model(
    path: Path,
    library: Path,
    by: ImportBy,
    register: Callable[[str], None],
    progress: FileProgress,
    cancel: CancelToken,
) -> Path:
    """Take the model of ``path`` with all its shards into ``library``; returns its first file there.

    Raises AppError: not a GGUF file, a shard that is missing, already there, no room, not writable; Cancelled.
    """
    files = check_model_file(path.expanduser().absolute())
    for file in files:
        try:
            check_model(file, file.name)
        except OSError as error:
            raise unreadable(file, error) from error
    if by is ImportBy.REGISTER:
        register(str(files[0]))
        return files[0]
    targets = [library / file.name for file in files]
    for target in targets:
        if target.exists():
            raise AppError(
                "already-there",
                "{name} is in the library already.",
                "Remove that one first, or rename yours.",
                name=target.name,
            )
    try:
        library.mkdir(parents=True, exist_ok=True)
        for file, target in reversed(list(zip(files, targets, strict=True))):
            if by is ImportBy.LINK:
                _link(file, target)
            elif by is ImportBy.MOVE and file.stat().st_dev == library.stat().st_dev:
                place(file, target)
            else:
                _copy(files, file, target, progress, cancel)
                if by is ImportBy.MOVE:
                    file.unlink()
    except OSError as error:
        raise disk_error(error, library / files[0].name) from error
    return targets[0]


def verify_model(model: LibraryModel, progress: FileProgress, cancel: CancelToken) -> list[FileCheck]:
    """Compare every file's checksum, where it is known, and its header. Raises Cancelled only."""
    checks = [FileCheck(name, None, f"{name} is missing.") for name in model.missing]
    done = 0

    def step(size: int) -> None:
        nonlocal done
        done += size
        progress(done, model.size)

    for name in model.files:
        path = Path(name)
        known = record_of(path)[2]
        sha256 = known.sha256 if known else _cache_name(path)
        try:
            check_model(path, path.name)
            if known and path.stat().st_size != known.size:
                checks.append(FileCheck(name, False, f"{path.name} has not the size that it was downloaded with."))
            elif not sha256:
                checks.append(FileCheck(name, None))
            elif sha256_of(path, cancel, step) == sha256:
                checks.append(FileCheck(name, True))
            else:
                checks.append(FileCheck(name, False, f"{path.name} is damaged: its checksum is wrong."))
        except AppError as error:
            checks.append(FileCheck(name, None, str(error)))
        except OSError as error:
            checks.append(FileCheck(name, None, str(unreadable(path, error))))
    return checks


def remove_model(model: LibraryModel, library: Path, forget: Callable[[str], None]) -> None:
    """Delete a model of our own folder for good, or ``forget`` one that was registered. Raises AppError."""
    if model.removal is Removal.FORGET:
        forget(model.root)
        return
    if model.removal is not Removal.DELETE:
        raise AppError(
            "model-not-ours",
            "{name} is not in Alcove's own folder, so it is not removed.",
            "Remove {path} yourself if you are sure."
            if model.origin is not Origin.SHIPPED
            else "It came with the program and goes with it.",
            name=model.name,
            path=model.path,
        )
    try:
        for name in model.files:
            path = Path(name)
            folder, key, known = record_of(path)
            path.unlink()
            if known is not None:
                records.write(folder, records.read(folder).without(key))
            _tidy(path.parent, library)
    except OSError as error:
        raise AppError(
            "model-not-removed",
            "{name} cannot be removed: {reason}.",
            "If it is loaded, choose another model first; else check the folder's permissions.",
            detail=repr(error),
            name=model.name,
            reason=error.strerror or error,
        ) from error


def _tidy(folder: Path, library: Path) -> None:
    """Remove folders below the library that hold nothing any more, their record apart."""
    while folder != library and library in folder.parents:
        files = list(folder.iterdir())
        if not all(path.name.startswith(records.NAME) for path in files):
            return
        for path in files:
            path.unlink(missing_ok=True)
        folder.rmdir()
        folder = folder.parent


def _link(file: Path, target: Path) -> None:
    try:
        os.link(file, target)
    except OSError:  # another disk, or a file system without hard links
        target.symlink_to(file)


def _copy(files: list[Path], file: Path, target: Path, progress: FileProgress, cancel: CancelToken) -> None:
    """To a hidden name first, so that nothing half-written is in the library."""
    total = sum(each.stat().st_size for each in files)
    done = sum(each.stat().st_size for each in files[files.index(file) + 1 :])
    check_room(target.parent, file.stat().st_size, free_bytes(target.parent), file.name)
    temporary = target.with_name(f".{target.name}.part")
    try:
        with file.open("rb") as source, temporary.open("wb") as copy:
            while data := source.read(_COPY_STEP):
                cancel.raise_if_cancelled()
                copy.write(data)
                done += len(data)
                progress(done, total)
            copy.flush()
            os.fsync(copy.fileno())
        shutil.copystat(file, temporary)
        place(temporary, target)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def _cache_name(path: Path) -> str:
    """In the Hub's cache a file is a link to its content, which is named by its SHA-256."""
    name = path.resolve().name if path.is_symlink() else ""
    return name if len(name) == 64 and not set(name) - set("0123456789abcdef") else ""
