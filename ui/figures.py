"""Figures that several features of the window show."""

from PySide6.QtCore import QLocale


def rate_text(rate: float) -> str:
    """``0.36``, ``9.1``, ``1,391``: two or three digits that count."""
    digits = 2 if rate < 1 else 1 if rate < 100 else 0
    return QLocale().toString(rate, "f", digits)
