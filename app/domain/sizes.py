"""Sizes as a person reads them, for sentences and for both front ends."""


def memory_size(size: float) -> str:
    """Bytes of memory: ``5.8 GB``. Binary, as memory is sold."""
    for unit, step in (("TB", 1 << 40), ("GB", 1 << 30), ("MB", 1 << 20)):
        if size >= step:
            value = size / step
            return f"{value:.0f} {unit}" if value >= 100 else f"{value:.1f} {unit}"
    return f"{size / 1024:.0f} KB"


def disk_size(size: float) -> str:
    """Bytes of files: ``12.3 GB``, megabytes below one. Decimal, as disks and the Hub count."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"
