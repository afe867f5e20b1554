"""Rows of prose and tables."""

from collections.abc import Iterator

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent, QTextLine
from PySide6.QtWidgets import QWidget

from ui.chat.transcript.rows.markdown import CITATION_SCHEME
from ui.chat.transcript.rows.packing import ProseRow, TableRow
from ui.chat.transcript.rows.segment import Segment
from ui.chat.transcript.widgets.context import RowContext
from ui.chat.transcript.widgets.text_box import TextBox


def style_sheet(context: RowContext) -> str:
    """CSS in the dialect of Qt's text documents."""
    theme, size = context.theme, context.text_font.pixelSize()
    mono = context.code_font.family()
    code = f"font-family:'{mono}'; font-size:{context.code_font.pixelSize()}px;"
    small = context.small_font.pixelSize()
    return f"""
p {{ margin:0 0 12px 0; line-height:145%; }}
h1 {{ font-size:{size + 7}px; font-weight:700; margin:0 0 12px 0; }}
h2 {{ font-size:{size + 4}px; font-weight:700; margin:16px 0 10px 0; }}
h3 {{ font-size:{size + 2}px; font-weight:700; margin:14px 0 8px 0; }}
h4, h5, h6 {{ font-size:{size}px; font-weight:700; margin:12px 0 8px 0; }}
li {{ margin:0 0 4px 0; line-height:145%; }}
ul, ol {{ margin:0 0 12px 0; }}
li ul, li ol {{ margin:4px 0 4px 0; }}
code {{ {code} background-color:{theme.inline_code}; }}
code.math {{ {code} color:{theme.code_type}; background-color:transparent; font-style:italic; }}
p.math {{ margin:8px 0 20px 0; line-height:100%; }}
p.math code {{ {code} color:{theme.code_type}; background-color:transparent; font-style:italic; }}
pre {{ {code} background-color:{theme.code_background}; margin:0 0 12px 0; }}
a {{ color:{theme.link}; text-decoration:underline; }}
a.chip {{ color:{theme.accent}; text-decoration:none; font-size:{small - 1}px; font-weight:600; }}
span.bracket {{ color:{theme.accent_soft}; font-size:{small - 1}px; }}
table.quote {{ margin:8px 0 16px 0; }}
td.bar {{ background-color:{theme.border_strong}; }}
td.quoted {{ padding-left:14px; color:{theme.muted}; }}
table.data {{ border-collapse:collapse; }}
table.data th {{ padding:8px 20px 8px 0; font-weight:600; color:{theme.muted};
  border-bottom-width:1px; border-bottom-style:solid; border-bottom-color:{theme.border_strong}; }}
table.data td {{ padding:8px 20px 8px 0;
  border-bottom-width:1px; border-bottom-style:solid; border-bottom-color:{theme.border}; }}
sup.note {{ color:{theme.muted}; }}
table.note {{ margin:0 0 6px 0; }}
td.mark {{ padding-right:8px; color:{theme.muted}; font-size:{small}px; }}
td.noted {{ color:{theme.muted}; font-size:{small}px; }}
hr {{ background-color:{theme.border}; }}
"""


def shown_html(row: ProseRow | TableRow, context: RowContext) -> tuple[str, bool]:
    """What a document is given, and whether some formula in it is not ready yet."""
    html = row.html.rstrip()  # Qt would make a space of the last line end
    return context.formulas.html(html, context.text_font, context.formula_width) if "<tex-" in html else (html, False)


class ProseWidget(TextBox):
    """Paragraphs, headings, lists, or a table; citations are drawn as chips."""

    def __init__(self, segment: Segment, context: RowContext, parent: QWidget) -> None:
        super().__init__(segment, context, parent)
        self.setAccessibleName(self.tr("Answer"))
        self.document().setDefaultStyleSheet(style_sheet(context))
        self.waiting = False  # for a formula
        self._chips: list[tuple[int, int]] = []
        self._chip_height = QFontMetricsF(context.small_font).ascent() + 5

    def refresh(self) -> None:
        row = self.segment.content
        assert isinstance(row, (ProseRow, TableRow))
        html, self.waiting = shown_html(row, self.context)
        self.put_html(html)
        self._chips = list(self._find_chips()) if CITATION_SCHEME in row.html else []

    def measure(self, width: int) -> int:
        row = self.segment.content
        if width != self.lineWrapColumnOrWidth() and isinstance(row, (ProseRow, TableRow)) and "<tex-" in row.html:
            self.refresh()  # its formulas may have to be smaller
        return self.layout_height(width)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._chips:
            painter = QPainter(self.viewport())
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(self.context.theme.accent_soft))
            for start, end in self._chips:
                painter.drawRoundedRect(self._chip_rect(start, end), 5, 5)
            painter.end()
        super().paintEvent(event)

    def _chip_rect(self, start: int, end: int) -> QRectF:
        """Around the text from ``start`` to ``end``; empty where a line break falls into it."""
        block = self.document().findBlock(start)
        layout, first = block.layout(), start - block.position()
        line = layout.lineForTextPosition(first)
        last = end - block.position()
        if not line.isValid() or last > line.textStart() + line.textLength():
            return QRectF()
        left, right = _x(line, first), _x(line, last)
        baseline = layout.position().y() + line.y() + line.ascent()
        height = self._chip_height
        return QRectF(layout.position().x() + left + 0.5, baseline - height + 3.5, right - left - 1, height)

    def _find_chips(self) -> Iterator[tuple[int, int]]:
        """Start and end of each citation in the text."""
        block = self.document().begin()
        while block.isValid():
            start, href = -1, ""
            step = block.begin()
            while not step.atEnd():
                fragment = step.fragment()
                step += 1
                link = fragment.charFormat().anchorHref()
                if link != href and start >= 0:
                    yield start, fragment.position()
                if link != href:
                    start, href = (fragment.position() if link.startswith(CITATION_SCHEME) else -1), link
            if start >= 0:
                yield start, block.position() + block.length() - 1
            block = block.next()


def _x(line: QTextLine, position: int) -> float:
    """``cursorToX`` gives a number or a pair, by version of the binding."""
    found: object = line.cursorToX(position)
    return float(found[0] if isinstance(found, tuple) else found)  # type: ignore[arg-type]  # the stubs know no tuple
