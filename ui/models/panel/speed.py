"""How fast the last answer was, or the one that is being written."""

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from app.domain.messages import GenerationStats
from ui.figures import rate_text
from ui.models.panel.rates import Rates
from ui.models.panel.words import spread_text, token_time_text, waiting_text
from ui.theme import current_theme

HEIGHT = 40  # px
A_SECOND = 4  # measurements


class Sparkline(QWidget):
    """A small curve without axes, from nought; its newest point has a dot."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._points: Sequence[float] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_points(self, points: Sequence[float]) -> None:
        self._points = tuple(points)
        self.update()  # Qt paints once, however often this is called within a frame

    def sizeHint(self) -> QSize:
        return QSize(120, HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current_theme()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.layoutDirection() is Qt.LayoutDirection.RightToLeft:
            painter.translate(self.width(), 0)
            painter.scale(-1, 1)
        base = self.height() - 1.0
        painter.setPen(QPen(QColor(theme.border), 1))
        painter.drawLine(QPointF(0, base), QPointF(self.width(), base))
        if len(self._points) < 2:
            return
        curve = self._curve(base)
        line = QPainterPath(curve[0])
        for point in curve[1:]:
            line.lineTo(point)
        area = QPainterPath(line)
        area.lineTo(curve[-1].x(), base)
        area.lineTo(curve[0].x(), base)
        painter.fillPath(area, QColor(theme.accent_soft))
        painter.setPen(QPen(QColor(theme.accent), 1.5))
        painter.drawPath(line)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.accent))
        painter.drawEllipse(curve[-1], 2.5, 2.5)

    def _curve(self, base: float) -> list[QPointF]:
        most = max(self._points)
        room, step = self.width() - 6.0, max(1, len(self._points) - 1)
        return [
            QPointF(3 + room * place / step, base - (base - 4) * value / most)
            for place, value in enumerate(self._points)
        ]


class Tile(QFrame):
    """A figure, what it is, and its curve."""

    def __init__(self, caption: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "card")
        self._caption = caption
        self.figure = QLabel("–", self)
        self.figure.setProperty("kind", "figure")
        words = QLabel(caption, self)
        words.setProperty("kind", "small")
        self.curve = Sparkline(self)
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 8, 10, 8)
        column.setSpacing(0)
        column.addWidget(self.figure)
        column.addWidget(words)
        column.addSpacing(4)
        column.addWidget(self.curve)

    def show_figure(self, text: str, points: Sequence[float]) -> None:
        self.figure.setText(text or "–")
        self.curve.show_points(points)
        self.curve.setVisible(len(points) > 1)
        self.setAccessibleName(f"{self._caption}: {text}")


class Speed(QWidget):
    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rate = Tile(self.tr("tokens a second"), self)
        self.time = Tile(self.tr("for each token"), self)
        self.words = QLabel(self)
        self.words.setWordWrap(True)
        self.words.setProperty("kind", "muted")
        self.words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setToolTip(self.tr("A token is a word or a piece of one"))
        tiles = QHBoxLayout()
        tiles.setSpacing(8)
        tiles.addWidget(self.rate, 1)
        tiles.addWidget(self.time, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addLayout(tiles)
        column.addWidget(self.words)

    def show_answer(self, rates: Rates, stats: GenerationStats | None) -> None:
        """``stats``: once the answer is finished; until then the newest measurements count."""
        rate = _average(stats) if stats is not None else _newest(rates)
        self.rate.show_figure(rate_text(rate) if rate else "", rates.points)
        self.time.show_figure(token_time_text(rate) if rate else "", [1000 / point for point in rates.points])
        self.words.setText(self._words(rates, stats, bool(rate)))

    def _words(self, rates: Rates, stats: GenerationStats | None, known: bool) -> str:
        spread = rates.spread()
        sentences = [
            spread_text(spread) if spread is not None and len(rates.points) >= A_SECOND else "",
            waiting_text(stats) if stats is not None else "",
        ]
        said = " ".join(sentence for sentence in sentences if sentence)
        if said or known or stats is None:  # without figures it was only just asked
            return said
        return self.tr("Ask something: the curves are drawn while the answer is written.")


def _average(stats: GenerationStats) -> float:
    return stats.generated_tokens / stats.decode_s if stats.decode_s > 0 else 0.0


def _newest(rates: Rates) -> float:
    """Over about a second, so that the figure can be read."""
    last = rates.points[-A_SECOND:]
    return sum(last) / len(last) if last else 0.0
