"""What declarations say, in the person's language: their English texts are the keys of the translation."""

from PySide6.QtCore import QCoreApplication

from app.domain.setting import Declared, Needs

CONTEXT = "Settings"


def said(text: str) -> str:
    return QCoreApplication.translate(CONTEXT, text) if text else ""


def help_text(declared: Declared) -> str:
    """What a setting means and what a change needs, as whole sentences."""
    setting = declared.setting
    sentences = [f"{said(setting.help)}."] if setting.help else []
    if setting.needs is not Needs.NOTHING:
        sentences.append(said(setting.needs.value))
    return " ".join(sentences)


def value_text(declared: Declared, value: object) -> str:
    """A value as the dialog shows it."""
    setting = declared.setting
    if value in setting.words:
        return said(setting.words[value])
    if isinstance(value, bool):
        return said("On") if value else said("Off")
    if isinstance(value, int):
        return f"{value} {said(setting.unit)}".strip()
    if isinstance(value, tuple):
        return ", ".join(value) or said("nothing")
    return str(value) or said("nothing")


def search_text(declared: Declared) -> str:
    """Where the search looks: all that a person can read of a setting, and its name in the file."""
    setting = declared.setting
    words = [setting.label, setting.help, setting.group.label, *setting.words.values()]
    return " ".join((*map(said, words), declared.key)).casefold()
