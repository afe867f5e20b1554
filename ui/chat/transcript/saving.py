"""Code of an answer saved to a file that the person chooses."""

import logging
from pathlib import Path

from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound
from PySide6.QtCore import QCoreApplication, QIODevice, QSaveFile, Qt
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

log = logging.getLogger(__name__)


def save_code(text: str, language: str, parent: QWidget) -> None:
    """Ask where to, without waiting for the answer."""
    title = QCoreApplication.translate("save_code", "Save code")
    dialog = QFileDialog(parent, title, str(Path.home() / f"code{_ending(language)}"))
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.fileSelected.connect(lambda path: _write(path, text, parent))
    dialog.open()


def _ending(language: str) -> str:
    """The most usual one of a language, as ".py"; an unknown language has that of plain text."""
    try:
        patterns = get_lexer_by_name(language.lower()).filenames
    except ClassNotFound:
        patterns = []
    endings = [pattern[1:] for pattern in patterns if pattern.startswith("*.") and pattern[2:].isalnum()]
    return endings[0] if endings else ".txt"


def _write(path: str, text: str, parent: QWidget) -> None:
    """Whole or not at all."""
    file = QSaveFile(path)
    if file.open(QIODevice.OpenModeFlag.WriteOnly):
        file.write(text.removesuffix("\n").encode() + b"\n")
        if file.commit():
            return
    log.info("code was not saved: %s", file.errorString())
    message = QCoreApplication.translate("save_code", "The code could not be saved. Choose another folder.")
    box = QMessageBox(QMessageBox.Icon.Warning, "", message, QMessageBox.StandardButton.Ok, parent)
    box.setInformativeText(file.errorString())
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.open()
