"""Damaged model files, always the same ones: what a disk, a broken converter or an enemy makes of good ones.

``cases`` goes through the kinds of damage again and again, each time with another source and other random numbers, so
that the first ``len(KINDS)`` of them are one of each kind.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import damaged_metadata
import damaged_structure
from damaged_structure import Draw, Files
from gguf_editor import parse


@dataclass(frozen=True, slots=True)
class Case:
    """``files``: name -> content, the one to open first."""

    id: str
    files: Files

    def write(self, folder: Path) -> Path:
        """The file to open, in a new folder."""
        folder.mkdir()
        for name, content in self.files.items():
            (folder / name).write_bytes(content)
        return folder / min(self.files)


def sources() -> dict[str, bytes]:
    """The small model that ships, and headers of large ones."""
    shapes = sorted(Path(__file__).with_name("shapes").glob("*.gguf"))
    tiny = Path(__file__).parents[2] / "resources" / "models" / "alcove-tiny.gguf"
    return {path.stem: path.read_bytes() for path in (tiny, *shapes)}


def cases(sources: dict[str, bytes], count: int) -> Iterator[Case]:
    """``sources``: name -> a whole model, or a header without its weights."""
    names = sorted(sources)
    for number in range(count):
        kind, turn = list(KINDS)[number % len(KINDS)], number // len(KINDS)
        source = names[(number + turn) % len(names)]
        draw = Draw(f"{kind} {source} {turn}")
        made = KINDS[kind](parse(sources[source]), draw)
        files = {"model.gguf": made} if isinstance(made, bytes) else made
        yield Case(f"{number:03d} {kind.replace('_', ' ')}, {source}", files)


KINDS = {**damaged_structure.KINDS, **damaged_metadata.KINDS}
