"""The passage behind a citation: the stored quote, where it stands, and the way to its file."""

import re
from pathlib import Path

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QColor, QDesktopServices, QTextBlockFormat, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QDialog, QFrame, QHBoxLayout, QLabel, QPushButton, QTextEdit, QVBoxLayout, QWidget

from app.domain.messages import CitationPart
from app.domain.sources import Locator, Source
from ui.theme import current_theme, icon, text_font

AROUND = 1500  # characters shown on either side of the quote


class SourceView(QDialog):
    """Shows text only: nothing of a document is ever run or fetched. The file is opened on a press, never by itself."""

    def __init__(self, source: Source | CitationPart, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._path = source.path
        self._quote = source.quote if isinstance(source, CitationPart) else source.text
        self.setWindowTitle(self.tr("Source {n}").format(n=source.n))
        self.resize(640, 460)
        name = QLabel(Path(source.path).name, self)
        name.setProperty("kind", "heading")
        name.setTextFormat(Qt.TextFormat.PlainText)
        where = QLabel(locator_text(source.locator, self), self)
        where.setProperty("kind", "muted")
        where.setTextFormat(Qt.TextFormat.PlainText)
        where.setVisible(bool(where.text()))
        folder = QLabel(str(Path(source.path).parent), self)
        folder.setProperty("kind", "muted")
        folder.setTextFormat(Qt.TextFormat.PlainText)
        folder.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.text = QTextEdit(self)
        self.text.setReadOnly(True)
        self.text.setProperty("kind", "field")
        self.text.setFrameShape(QFrame.Shape.NoFrame)
        self.text.setFont(text_font())
        self.text.setAccessibleName(self.tr("Quoted passage"))
        self._fill("", "")
        self._missing = QLabel(self.tr("The file is no longer there; this is the passage as it was."), self)
        self._missing.setProperty("kind", "muted")
        exists = Path(source.path).exists()
        self._missing.setVisible(not exists)
        self._open = QPushButton(icon("external", current_theme().text), self.tr("Open file"), self)
        self._open.setEnabled(exists)
        self._open.clicked.connect(self.open_file)
        close = QPushButton(self.tr("Close"), self)
        close.setDefault(True)
        close.clicked.connect(self.accept)
        buttons = QHBoxLayout()
        buttons.addWidget(self._missing)
        buttons.addStretch(1)
        buttons.addWidget(self._open)
        buttons.addWidget(close)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 18)
        column.setSpacing(4)
        column.addWidget(name)
        column.addWidget(where)
        column.addWidget(folder)
        column.addSpacing(8)
        column.addWidget(self.text, 1)
        column.addSpacing(8)
        column.addLayout(buttons)

    def open_file(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(self._path))

    def show_context(self, text: str) -> None:
        """What stands around the quote in its document, where ``text`` still holds it."""
        # A quote stands in the prompt on one line; the document has its own white space.
        found = re.search(r"\s+".join(map(re.escape, self._quote.split())), text) if self._quote.strip() else None
        if found is not None:
            start, end = found.span()
            self._quote = found.group()
            self._fill(text[max(0, start - AROUND) : start], text[end : end + AROUND])

    def _fill(self, before: str, after: str) -> None:
        """The quote on a tint, its surroundings quiet."""
        theme = current_theme()
        marked = QTextCharFormat()
        marked.setBackground(QColor(theme.accent_soft))
        plain = QTextCharFormat()
        plain.setForeground(QColor(theme.muted))
        self.text.clear()
        self.text.document().setDocumentMargin(12)
        cursor = QTextCursor(self.text.document())
        spacing = QTextBlockFormat()
        spacing.setLineHeight(135, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        cursor.setBlockFormat(spacing)
        cursor.insertText(before, plain)
        at = cursor.position()
        cursor.insertText(self._quote, marked)
        cursor.insertText(after, plain)
        cursor.setPosition(at)
        self.text.setTextCursor(cursor)
        self.text.ensureCursorVisible()


def locator_text(locator: Locator, widget: QWidget) -> str:
    """Where a passage stands, in the person's language."""
    parts = [locator.heading] if locator.heading else []
    if locator.page is not None:
        parts.append(widget.tr("page {page}").format(page=locator.page))
    if locator.line_start is not None:
        end = locator.line_end if locator.line_end is not None else locator.line_start
        if end == locator.line_start:
            parts.append(widget.tr("line {line}").format(line=end))
        else:
            parts.append(widget.tr("lines {start} to {end}").format(start=locator.line_start, end=end))
    return ", ".join(parts)
