"""What lies on a device, as stretches of a bar."""

from dataclasses import dataclass
from enum import StrEnum

from app.domain.placement import DeviceShare, Placement

LEAST = 4  # px of a stretch, however little it is


class Kind(StrEnum):
    """In the order in which a bar shows them."""

    DENSE = "dense"
    EXPERTS = "experts"
    KV = "kv"
    COMPUTE = "compute"
    OTHERS = "others"  # programs beside this one
    FREE = "free"
    DISK = "disk"  # experts that are read from the file again and again


@dataclass(frozen=True, slots=True)
class Stretch:
    kind: Kind
    size: int  # bytes


@dataclass(frozen=True, slots=True)
class Bar:
    """One device. Sizes in bytes. ``number``: of a GPU among several, else 0. ``name`` is "" for the disk.
    ``missing``: how much more than it has would be needed."""

    name: str
    total: int
    stretches: tuple[Stretch, ...]
    number: int = 0
    missing: int = 0

    @property
    def extent(self) -> int:
        """What the whole length of the bar stands for: the device, or more where it is too small."""
        return max(self.total, sum(part.size for part in self.stretches))

    @property
    def used(self) -> int:
        """By the model."""
        return sum(part.size for part in self.stretches if part.kind not in (Kind.OTHERS, Kind.FREE))


def bars(placement: Placement) -> tuple[Bar, ...]:
    """GPUs in order, RAM, then the disk where experts are read from it."""
    gpus = [share for share in placement.shares if share.kind == "gpu"]
    found = [_bar(share, 0, number * (len(gpus) > 1)) for number, share in enumerate(gpus, 1)]
    found += [_bar(share, placement.disk) for share in placement.shares if share.kind == "ram"]
    if placement.disk:
        found.append(Bar("", max(placement.weights, placement.disk), (Stretch(Kind.DISK, placement.disk),)))
    return tuple(found)


def _bar(share: DeviceShare, on_disk: int, number: int = 0) -> Bar:
    others = max(0, share.total - share.free)
    experts = max(0, share.experts - on_disk)
    used = share.dense + experts + share.kv + share.compute
    free = share.total - others - used
    parts = (
        Stretch(Kind.DENSE, share.dense),
        Stretch(Kind.EXPERTS, experts),
        Stretch(Kind.KV, share.kv),
        Stretch(Kind.COMPUTE, share.compute),
        Stretch(Kind.OTHERS, others),
        Stretch(Kind.FREE, max(0, free)),
    )
    return Bar(share.name, share.total, _whole(*parts), number, max(0, -free))


def _whole(*parts: Stretch) -> tuple[Stretch, ...]:
    return tuple(part for part in parts if part.size > 0)


def widths(bar: Bar, width: int) -> list[int]:
    """Pixels of each stretch in a bar of ``width``. What is there can be seen: the largest stretch gives way to it."""
    if not bar.stretches:
        return []
    room = round(width * sum(part.size for part in bar.stretches) / bar.extent)
    least = min(LEAST, room // len(bar.stretches))
    found = [max(least, round(width * part.size / bar.extent)) for part in bar.stretches]
    while (over := sum(found) - room) != 0:
        largest = max(range(len(found)), key=found.__getitem__)
        found[largest] = max(least, found[largest] - over)
    return found
