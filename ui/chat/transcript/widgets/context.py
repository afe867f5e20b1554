"""What every row of a transcript is given: colours, fonts, and the signals through which it speaks."""

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QFont, QFontMetricsF, QPainter
from PySide6.QtWidgets import QApplication, QTextEdit, QWidget

from ui.chat.tool_words import ToolWords
from ui.chat.transcript.math.formulas import Formulas
from ui.chat.transcript.rows.content import Metrics
from ui.chat.transcript.rows.segment import Segment
from ui.chat.transcript.widgets.highlight import Highlighter
from ui.theme import Theme, code_font, text_font

LINE_SPACING = 1.45  # of the font's own height
CODE_SPACING = 1.3


class RowContext(QObject):
    """Made anew when the theme changes."""

    citation_activated = Signal(object)  # CitationPart
    link_activated = Signal(str)
    regenerate_requested = Signal(str)
    continue_requested = Signal(str)
    edit_requested = Signal(str)
    sibling_requested = Signal(str, int)
    tool_call_activated = Signal(str)
    copy_pressed = Signal(object)  # QTextEdit that has the focus
    copy_requested = Signal(str)  # text for the clipboard
    copy_answer_requested = Signal(str)  # message id
    save_requested = Signal(str, str)  # code, its language
    wrap_toggled = Signal(object)  # Segment whose button it was
    open_source_requested = Signal(object, object)  # path, Locator
    approval_decided = Signal(str, bool, bool)
    fold_toggled = Signal(object)  # Segment
    scroll_key_pressed = Signal(object)  # QKeyEvent

    def __init__(
        self,
        app: QApplication,
        theme: Theme,
        tools: ToolWords,
        formulas: Formulas,
        parent: QObject,
        *,
        wrap_code: bool = False,
    ) -> None:
        super().__init__(parent)
        self.formulas = formulas
        self.wrap_code = wrap_code  # long lines of code are broken instead of scrolled
        self.theme = theme
        self.tools = tools
        self.width = 0  # px of the column, so that text is laid out once only
        self.text_font = text_font(app)
        self.code_font = code_font(app)
        self.small_font = QFont(self.text_font)
        self.small_font.setPixelSize(self.text_font.pixelSize() - 2)
        letters = QFontMetricsF(self.text_font)
        self.highlighter = Highlighter(theme)
        self._letter = letters.averageCharWidth()
        self._line = round(letters.height() * LINE_SPACING)
        self.code_line = round(QFontMetricsF(self.code_font).height() * CODE_SPACING)

    @property
    def formula_width(self) -> int:
        """px that the widest formula may have: it may stand in a list or in a cell."""
        return max(40, self.width - 48)

    def metrics(self, width: int) -> Metrics:
        return Metrics(width, self._letter, self._line, self.code_line)


class RowWidget(QWidget):
    """The widget of one segment while it is on the screen.

    ``OUTSET``: px by which it reaches beyond the column on both sides, so that pictures inside padded buttons stand
    flush with the text.
    """

    OUTSET = 0

    def __init__(self, segment: Segment, context: RowContext, parent: QWidget) -> None:
        super().__init__(parent)
        self.segment, self.context, self.theme = segment, context, context.theme

    def painter(self) -> QPainter:
        """One that aligns text as the row does, not as the application's language."""
        painter = QPainter(self)
        painter.setLayoutDirection(self.layoutDirection())
        return painter

    @property
    def text_edit(self) -> QTextEdit | None:
        """Where its text can be selected together with other rows'."""
        return None

    def refresh(self) -> None:
        """The segment's content has changed."""
        raise NotImplementedError

    def measure(self, width: int) -> int:
        """Lay it out for ``width`` px and tell the height."""
        raise NotImplementedError
