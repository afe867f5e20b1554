"""Typed JSON files: read in one way, written whole or not at all.

A file that is no JSON, or not of the type that was asked for, is one kind of error, ``DamagedFile``. ``load`` sets it
aside under another name, so that nothing is lost when the next ``write`` makes a new one. Any thread; every call waits
for the disk.
"""

import contextlib
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from app.domain.errors import AppError
from app.storage.paths import make_folder

log = logging.getLogger(__name__)

T = TypeVar("T")

_MOST_ASIDE = 9  # damaged files of one name that are kept


class DamagedFile(AppError):
    """The file is there and holds something else than it should."""

    def __init__(self, path: Path, reason: Exception) -> None:
        super().__init__(
            "file-damaged",
            "The file {path} is damaged.",
            "Mend it in a text editor, or move it away.",
            detail=str(reason),
            path=path,
        )


def read(path: Path, of: type[T]) -> T:
    """What a file holds. Keys that a dataclass does not know are passed over.

    Raises DamagedFile, FileNotFoundError, and OSError where it cannot be read.
    """
    data = path.read_bytes()
    try:
        return convert(json.loads(data), of)  # of bytes: UTF-8, -16 or -32, with or without a byte order mark
    except (ValueError, RecursionError) as error:
        raise DamagedFile(path, error) from error


def load(path: Path, of: type[T]) -> T | None:
    """What a file holds; None where it is not there, or is damaged and now set aside. Raises OSError."""
    try:
        return read(path, of)
    except FileNotFoundError:
        return None
    except DamagedFile:
        set_aside(path)
        return None


def fitting(entries: Mapping[str, object], of: type[T]) -> dict[str, T]:
    """The entries that are of one type. What another version of the program wrote otherwise is left out."""
    found = {}
    for key, entry in entries.items():
        with contextlib.suppress(ValueError):
            found[key] = convert(entry, of)
    return found


def convert(stored: object, of: type[T]) -> T:
    """What ``json.loads`` made, as a value of a type. Raises ValueError."""
    if of in (dict, object):
        if isinstance(stored, of):
            return stored
        raise ValueError(f"Expected `object`, got {type(stored).__name__}")
    import msgspec  # here, because it takes 50 ms and most starts need none of it

    return msgspec.convert(stored, of)


def write(path: Path, value: object, *, durable: bool = True) -> None:
    """Put a whole value into a file; a crash at any moment leaves the old or the new content.

    ``durable``: a power cut does, too. Missing folders are made, readable by the owner alone. Raises OSError.
    """
    text = json.dumps(value, indent=1, default=_as_json) + "\n"
    make_folder(path.parent)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def update(path: Path, changes: object, *, without: Iterable[str] = ()) -> dict[str, Any]:
    """Put some keys into a file that holds an object, leave out others, and return all that it holds now.

    ``changes`` is a mapping or a dataclass. What else is in the file stays: another process of ours may have written
    it meanwhile, or another version. Raises OSError.
    """
    known = load(path, dict) or {}
    changed = {**known, **(changes if isinstance(changes, Mapping) else _as_json(changes))}
    kept = {key: changed[key] for key in sorted(changed.keys() - set(without))}
    write(path, kept)
    return kept


def set_aside(path: Path, instead: object = None) -> Path:
    """Give a damaged file a name of its own, from which a person can mend it, and return that. Raises OSError.

    ``instead`` takes its place; there is no moment without a file then.
    """
    names = [f"{path.name}.broken", *(f"{path.name}.broken-{number}" for number in range(2, _MOST_ASIDE + 1))]
    places = [path.with_name(name) for name in names]
    aside = next((place for place in places if not place.exists()), places[-1])
    if instead is None:
        path.replace(aside)
    else:
        shutil.copy2(path, aside)
        write(path, instead)
    log.warning("%s is damaged; what it held is now in %s", path, aside)
    return aside


def _as_json(value: object) -> Any:
    import msgspec

    return msgspec.to_builtins(value)
