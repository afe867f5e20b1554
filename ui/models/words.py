"""Models and numbers about them as a person reads them."""

from PySide6.QtCore import QCoreApplication

from app.domain.library import LibraryModel

_UNITS = ("B", "KB", "MB", "GB", "TB")


def problem_text(model: LibraryModel) -> str:
    """Why it cannot be chosen for a chat, or ""."""
    if model.error or model.writes:
        return model.error
    return QCoreApplication.translate("Library", "It finds passages in your documents and does not chat.")


def size_text(size: float) -> str:
    """Bytes as a person reads them: ``2.2 MB``. Decimal, as disks and the Hub count."""
    value = float(size)
    unit = _UNITS[0]
    for unit in _UNITS:
        if value < 1000 or unit == _UNITS[-1]:
            break
        value /= 1000
    return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.1f} {unit}"


def count_text(count: int) -> str:
    """Parameters and downloads: ``30.5B``, ``1.04T``, ``12k``."""
    for unit, name, digits in ((1e12, "T", 2), (1e9, "B", 1), (1e6, "M", 1), (1e3, "k", 0)):
        if count >= unit:
            number = f"{count / unit:.{digits}f}"
            return f"{number.rstrip('0').rstrip('.') if digits else number}{name}"
    return str(count)


def context_text(tokens: int) -> str:
    """``256K`` for 262,144 tokens; 131,072 and 128,000 are both called 128K, as their makers do."""
    if tokens < 1000:
        return str(tokens)
    thousands = tokens / 1000 if tokens % 1000 == 0 else tokens / 1024
    return f"{thousands / 1000:.0f}M" if thousands >= 1000 else f"{thousands:.0f}K"


def time_text(seconds: float) -> str:
    """How long it still takes, about."""
    if seconds < 60:
        return _words("{n} s left", max(1, round(seconds)))
    if seconds < 90 * 60:
        return _words("{n} min left", round(seconds / 60))
    return _words("{n} h left", round(seconds / 3600))


def _words(text: str, number: int) -> str:
    return QCoreApplication.translate("Downloads", text).format(n=number)
