"""What a model file's name tells: which shard it is, the quantization, whether it is a projector."""

import re
from pathlib import Path, PurePath, PurePosixPath
from typing import NamedTuple

SUFFIX = ".gguf"
_SHARD = re.compile(r"-(\d{5})-of-(\d{5})$")  # at the end of a stem; llama.cpp, llama_split_path
_QUANTIZATION = re.compile(
    r"(?<![A-Za-z0-9])((?:UD-)?(?:I?Q\d(?:_(?:K|XXS|XS|S|XL|L|M|NL|\d))*|TQ\d_\d|MXFP4(?:_MOE)?|NVFP4|BF16|FP?16|FP?32))(?![A-Za-z0-9])",
    re.IGNORECASE,
)


class ShardName(NamedTuple):
    """Shard ``number`` of ``of``. ``stem``: what all names of a model have in common; its only file is 1 of 1."""

    stem: str
    number: int
    of: int


def is_gguf(name: str) -> bool:
    return name.casefold().endswith(SUFFIX)


def shard_of(path: PurePath | str) -> ShardName:
    """``.../NAME-00002-of-00013.gguf`` -> (NAME, 2, 13)."""
    name = PurePath(path).name
    stem = name[: -len(SUFFIX)] if is_gguf(name) else name
    match = _SHARD.search(stem)
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        return ShardName(stem, 1, 1)
    return ShardName(stem[: match.start()], int(match[1]), int(match[2]))


def shards(path: Path) -> list[Path]:
    """All files of the model that ``path`` belongs to, in order, there or not."""
    stem, _, of = shard_of(path)
    if of == 1:
        return [path]
    return [path.with_name(f"{stem}-{number:05d}-of-{of:05d}{path.suffix}") for number in range(1, of + 1)]


def display_name(path: PurePath | str) -> str:
    """The file's name without ending and shard number."""
    return shard_of(path).stem


def quantization_of(path: str) -> str:
    """``.../Qwen3-UD-Q4_K_XL-00001-of-00002.gguf`` -> ``UD-Q4_K_XL``.

    The folder's name counts where the file's tells nothing; "" where neither does.
    """
    for text in (display_name(path), PurePosixPath(path).parent.name):
        found = _QUANTIZATION.findall(text)
        if found:
            return str(found[-1]).upper()
    return ""


def bare_name(name: str) -> str:
    """A displayed name without its quantization: ``Qwen3-8B-UD-Q4_K_XL`` -> ``Qwen3-8B``."""
    found = list(_QUANTIZATION.finditer(name))
    return name[: found[-1].start()].rstrip("-._") if found else name


def is_projector(path: str) -> bool:
    """Whether the file holds a vision model's projector instead of a language model."""
    return "mmproj" in PurePath(path).name.casefold()


def is_importance_matrix(path: str) -> bool:
    """Whether the file holds what a quantizer measured, and no model."""
    return "imatrix" in PurePath(path).name.casefold()
