"""Sizes as a person reads them."""

from app.domain.sizes import disk_size, memory_size


def test_memory_is_binary() -> None:
    sizes = (5.84 * (1 << 30), 244 << 30, 1536 << 30, 12 << 20, 2048)
    assert [memory_size(size) for size in sizes] == ["5.8 GB", "244 GB", "1.5 TB", "12.0 MB", "2 KB"]


def test_disks_are_decimal() -> None:
    assert [disk_size(size) for size in (12_340_000_000, 999_000_000, 300_000)] == ["12.3 GB", "999 MB", "0 MB"]
