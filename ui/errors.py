"""Errors in the person's language: their English templates are the keys of the translation."""

from PySide6.QtCore import QCoreApplication

from app.domain.errors import ErrorInfo

CONTEXT = "Errors"


def error_message(info: ErrorInfo) -> str:
    """What happened, one sentence."""
    return _filled(info.message, info)


def error_hint(info: ErrorInfo) -> str:
    """What to do about it, or ""."""
    return _filled(info.hint, info)


def _filled(template: str, info: ErrorInfo) -> str:
    return QCoreApplication.translate(CONTEXT, template).format_map(info.values) if template else ""
