"""A quiet button for dense places: an icon, a word, or both, painted by itself.

It costs a tenth of a styled ``QToolButton``, which counts where rows with buttons come and go while scrolling.
"""

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QEnterEvent, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QWidget

from ui.theme import Theme, icon
from ui.widgets.tip import plain_tip

ICON = 16  # px
SPACE = 6
HEIGHT = 28


class FlatButton(QAbstractButton):
    """``name`` is an icon of resources/icons or "", ``text`` a word or "", ``label`` the tooltip and accessible name.

    ``primary`` fills it with the accent colour, ``outlined`` draws a border, ``floating`` makes it round and opaque.
    """

    def __init__(
        self,
        theme: Theme,
        name: str = "",
        text: str = "",
        label: str = "",
        parent: QWidget | None = None,
        *,
        primary: bool = False,
        outlined: bool = False,
        floating: bool = False,
    ) -> None:
        super().__init__(parent)
        self._theme, self._name = theme, name
        self._primary, self._outlined, self._floating = primary, outlined, floating
        self._trailing = ""
        self._ghost = False
        self.setText(text)
        self.set_label(label or text)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.resize(self.sizeHint())

    def set_label(self, label: str) -> None:
        self.setAccessibleName(label)
        self.setToolTip(plain_tip(label) if label != self.text() else "")

    def set_icon(self, name: str) -> None:
        self._name = name
        self.update()

    def set_trailing(self, name: str) -> None:
        """An icon after the text, as a chevron that tells what a press does."""
        self._trailing = name
        self.update()

    def set_ghost(self, ghost: bool) -> None:
        """Present but not painted: it keeps its place and the keyboard still reaches it."""
        if ghost != self._ghost:
            self._ghost = ghost
            self.update()

    def sizeHint(self) -> QSize:
        if self._floating:
            return QSize(36, 36)
        words = QFontMetrics(self.font()).horizontalAdvance(self.text()) if self.text() else 0
        parts = [part for part in (ICON * bool(self._name), words, ICON * bool(self._trailing)) if part]
        return QSize(sum(parts) + SPACE * (len(parts) - 1) + 2 * self._padding(), HEIGHT)

    def _padding(self) -> int:
        return 12 if self._primary or self._outlined else 6

    def enterEvent(self, event: QEnterEvent) -> None:
        self.update()
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self.update()
        super().leaveEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._ghost:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_frame(painter)
        color = self._text_color()
        padding = self._padding()
        x = padding if self.text() else (self.width() - ICON) // 2
        if self._name:
            icon(self._name, color).paint(painter, QRect(x, (self.height() - ICON) // 2, ICON, ICON))
            x += ICON + SPACE
        right = self.width() - padding
        if self._trailing:
            right -= ICON
            icon(self._trailing, color).paint(painter, QRect(right, (self.height() - ICON) // 2, ICON, ICON))
            right -= SPACE
        if self.text():
            painter.setPen(color)
            area = QRect(x, 0, right - x + 1, self.height())
            words = painter.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, area.width())
            painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, words)

    def _text_color(self) -> QColor:
        theme = self._theme
        if not self.isEnabled():
            return QColor(theme.faint)
        if self._primary:
            return QColor(theme.accent_text)
        return QColor(theme.text if self._outlined or self.underMouse() or self.isDown() else theme.muted)

    def _paint_frame(self, painter: QPainter) -> None:
        theme = self._theme
        frame = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        fill = ""
        if self._primary:
            fill = theme.accent_hover if self.underMouse() else theme.accent
        elif self.isEnabled() and (self.isDown() or self.underMouse()):
            fill = theme.pressed if self.isDown() else theme.hover
        elif self._floating:
            fill = theme.raised
        border = theme.focus if self.hasFocus() else theme.border_strong if self._outlined or self._floating else ""
        painter.setPen(QPen(QColor(border), 1.0) if border else Qt.PenStyle.NoPen)
        painter.setBrush(QColor(fill) if fill else Qt.BrushStyle.NoBrush)
        if fill or border:
            radius = frame.height() / 2 if self._floating else 6
            painter.drawRoundedRect(frame, radius, radius)


class Spinner(QWidget):
    """An arc that turns while it is visible."""

    def __init__(self, color: str, parent: QWidget | None = None, size: int = ICON) -> None:
        super().__init__(parent)
        self._color, self._angle = QColor(color), 0
        self._timer = 0
        self.setFixedSize(size, size)

    def showEvent(self, event: QEvent) -> None:
        if not self._timer:
            self._timer = self.startTimer(80)

    def hideEvent(self, event: QEvent) -> None:
        if self._timer:
            self.killTimer(self._timer)
            self._timer = 0

    def timerEvent(self, event: QEvent) -> None:
        self._angle = (self._angle + 30) % 360
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        pen = QPen(self._color, 1.75)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        painter.translate(QPointF(self.width() / 2, self.height() / 2))
        painter.rotate(self._angle)
        radius = self.width() / 2 - 2.5
        painter.drawArc(QRectF(-radius, -radius, 2 * radius, 2 * radius), 0, 270 * 16)
