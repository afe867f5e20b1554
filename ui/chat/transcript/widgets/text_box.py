"""Read-only rich text of a given width that neither scrolls nor loads anything by itself."""

from collections.abc import Iterator

from PySide6.QtCore import QEvent, QMimeData, QRectF, Qt, QUrl
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QPen,
    QTextCursor,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QMenu, QTextBrowser, QTextEdit, QToolTip, QWidget

from app.domain.excerpt import shortened
from app.domain.messages import CitationPart
from ui.chat.transcript.math.formulas import Formula
from ui.chat.transcript.rows.markdown import CITATION_SCHEME
from ui.chat.transcript.rows.segment import Segment
from ui.chat.transcript.widgets.context import RowContext
from ui.chat.transcript.widgets.wording import source_label

OBJECT = "\N{OBJECT REPLACEMENT CHARACTER}"  # a picture, in plain text
QUOTE_CHARS = 400  # of a citation, in its tooltip
SCROLL_KEYS = frozenset({Qt.Key.Key_PageUp, Qt.Key.Key_PageDown, Qt.Key.Key_Up, Qt.Key.Key_Down})
SCROLL_KEYS_WITH_CONTROL = frozenset({Qt.Key.Key_Home, Qt.Key.Key_End})


class TextBox(QTextBrowser):
    """Links and citations speak through the context; the wheel and the scroll keys go on to the transcript."""

    OUTSET = 0

    def __init__(self, segment: Segment, context: RowContext, parent: QWidget) -> None:
        super().__init__(parent)
        self.segment, self.context = segment, context
        self._ring = False  # focus that came by the keyboard is drawn
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setOpenLinks(False)
        self.setLineWrapMode(QTextEdit.LineWrapMode.FixedPixelWidth)
        self.setLineWrapColumnOrWidth(context.width)
        self.setFont(context.text_font)
        self.viewport().setAutoFillBackground(False)
        document = self.document()
        document.setUndoRedoEnabled(False)
        document.setDocumentMargin(0)
        document.setIndentWidth(24)
        self.anchorClicked.connect(self._activate)

    @property
    def text_edit(self) -> QTextEdit:
        return self

    def layout_width(self, width: int) -> None:
        if self.lineWrapColumnOrWidth() != width:
            self.setLineWrapColumnOrWidth(width)

    def layout_height(self, width: int) -> int:
        """Height in px of the whole text at ``width``."""
        self.layout_width(width)
        return int(self.document().size().height() + 0.99)

    def put_html(self, html: str) -> None:
        """Replace the text but keep what is selected of it."""
        cursor = self.textCursor()
        anchor, position = cursor.anchor(), cursor.position()
        self.setHtml(html)
        if anchor != position:
            end = self.document().characterCount() - 1
            cursor = self.textCursor()
            cursor.setPosition(min(anchor, end))
            cursor.setPosition(min(position, end), QTextCursor.MoveMode.KeepAnchor)
            self.setTextCursor(cursor)

    def loadResource(self, kind: int, name: QUrl | str) -> object:
        """Pictures of formulas; nothing else is ever loaded."""
        context, name = self.context, name if isinstance(name, str) else name.toString()
        return context.formulas.picture(
            name, context.text_font, context.theme.text, context.formula_width, self.devicePixelRatioF()
        )

    def createMimeDataFromSelection(self) -> QMimeData:
        data = super().createMimeDataFromSelection()
        if OBJECT in data.text():
            data.setText(selected_text(self.textCursor()))
            for form in ("text/html", "text/markdown", "application/vnd.oasis.opendocument.text"):  # pictures in it
                data.removeFormat(form)
        return data

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            self.context.copy_pressed.emit(self)
        elif is_scroll_key(event):
            self.context.scroll_key_pressed.emit(event)
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = QMenu(self)
        copy = menu.addAction(self.tr("Copy"))
        copy.setEnabled(self.textCursor().hasSelection())
        copy.triggered.connect(lambda: self.context.copy_pressed.emit(self))
        link = self.anchorAt(event.pos())
        if link and not link.startswith(CITATION_SCHEME):
            menu.addAction(self.tr("Copy link address")).triggered.connect(
                lambda: self.context.copy_requested.emit(link)
            )
        menu.addAction(self.tr("Select all")).triggered.connect(self.selectAll)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(event.globalPos())

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            QToolTip.showText(event.globalPos(), self._tip(self.anchorAt(event.pos())), self)
            return True
        return super().viewportEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._ring = event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._ring = False
        super().focusOutEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._ring:
            painter = QPainter(self.viewport())
            painter.setPen(QPen(QColor(self.context.theme.focus), 1))
            painter.drawRoundedRect(QRectF(self.viewport().rect()).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)

    def _tip(self, link: str) -> str:
        citation = self._citation(link)
        if citation is None:
            return link
        place = source_label(citation.path, citation.locator)
        return f"{place}\n{shortened(citation.quote, QUOTE_CHARS)}"

    def _activate(self, url: QUrl) -> None:
        link = url.toString()
        citation = self._citation(link)
        if citation is not None:
            self.context.citation_activated.emit(citation)
        elif not link.startswith(CITATION_SCHEME):
            self.context.link_activated.emit(link)

    def _citation(self, link: str) -> CitationPart | None:
        number = link.removeprefix(CITATION_SCHEME)
        if number == link or not number.isdigit():
            return None
        return self.segment.citations.get(int(number))


def selected_text(cursor: QTextCursor) -> str:
    """Plain text, formulas as their source."""
    text = cursor.selection().toPlainText()
    if OBJECT not in text:
        return text
    sources = iter(list(_formulas_between(cursor)))
    return "".join(next(sources, letter) if letter == OBJECT else letter for letter in text)


def _formulas_between(cursor: QTextCursor) -> Iterator[str]:
    start, end = cursor.selectionStart(), cursor.selectionEnd()
    block = cursor.document().findBlock(start)
    while block.isValid() and block.position() < end:
        step = block.begin()
        while not step.atEnd():
            fragment = step.fragment()
            step += 1
            formula = Formula.named(fragment.charFormat().toImageFormat().name())
            first, last = max(start, fragment.position()), min(end, fragment.position() + fragment.length())
            if formula is not None:  # the same one twice in a row is one fragment
                yield from [formula.markdown] * max(0, last - first)
        block = block.next()


def is_scroll_key(event: QKeyEvent) -> bool:
    key = Qt.Key(event.key())
    modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    if modifiers == Qt.KeyboardModifier.NoModifier:
        return key in SCROLL_KEYS
    return modifiers == Qt.KeyboardModifier.ControlModifier and key in SCROLL_KEYS_WITH_CONTROL
