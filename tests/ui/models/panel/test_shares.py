"""Placements as bars."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.placement import DeviceShare, Placement
from ui.models.panel.shares import LEAST, Bar, Kind, Stretch, bars, widths

GIB = 1 << 30


def placement(*shares: DeviceShare, disk: int = 0, weights: int = 20 * GIB) -> Placement:
    return Placement(
        "m", 4096, 8192, 33, 32, 33, 0, ("f16", "f16"), 512, weights, shares, disk, 10.0, True, True, "It runs.", "So."
    )


def share(name: str, kind: str, total: int, free: int, *parts: int) -> DeviceShare:
    return DeviceShare(name, kind, total * GIB, free * GIB, *(part * GIB for part in parts))


CARD = share("Card", "gpu", 24, 23, 4, 8, 2, 1)
RAM = share("RAM", "ram", 64, 60, 1, 10, 0, 1)


def sizes(bar: Bar) -> dict[Kind, int]:
    return {part.kind: part.size // GIB for part in bar.stretches}


def test_a_device_holds_the_model_then_other_programs_and_what_is_free() -> None:
    card, ram = bars(placement(CARD, RAM))
    assert sizes(card) == {
        Kind.DENSE: 4, Kind.EXPERTS: 8, Kind.KV: 2, Kind.COMPUTE: 1, Kind.OTHERS: 1, Kind.FREE: 8,
    }  # fmt: skip
    assert (card.used, card.missing) == (15 * GIB, 0)
    assert sizes(ram) == {Kind.DENSE: 1, Kind.EXPERTS: 10, Kind.COMPUTE: 1, Kind.OTHERS: 4, Kind.FREE: 48}


def test_what_is_read_from_the_disk_is_no_part_of_the_memory() -> None:
    ram, disk = bars(placement(replace(RAM, experts=90 * GIB), disk=60 * GIB, weights=100 * GIB))
    assert sizes(ram)[Kind.EXPERTS] == 30
    assert (sizes(disk), disk.total, disk.name) == ({Kind.DISK: 60}, 100 * GIB, "")


def test_what_a_device_is_too_small_for_is_told() -> None:
    (card,) = bars(placement(replace(CARD, experts=20 * GIB)))
    assert card.missing == 4 * GIB
    assert Kind.FREE not in sizes(card)
    assert card.extent == 28 * GIB


def test_several_cards_are_counted_one_is_not() -> None:
    assert [bar.number for bar in bars(placement(CARD, CARD, RAM))] == [1, 2, 0]
    assert [bar.number for bar in bars(placement(CARD, RAM))] == [0, 0]


@given(st.lists(st.integers(1, 1 << 45), min_size=1, max_size=6), st.integers(60, 2000))
def test_stretches_fill_the_bar_and_each_can_be_seen(parts: list[int], width: int) -> None:
    bar = Bar("Card", sum(parts), tuple(Stretch(Kind.DENSE, size) for size in parts))
    found = widths(bar, width)
    assert sum(found) == width
    assert min(found) >= LEAST


@pytest.mark.parametrize("total", [100, 1 << 40])
def test_a_bar_that_is_not_full_stays_so(total: int) -> None:
    bar = Bar("", total, (Stretch(Kind.DISK, total // 4),))
    assert widths(bar, 400) == [100]
