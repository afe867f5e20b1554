"""One bar a device: what lies there, and below it as a thin line what lies there now while something else is tried."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QBrush, QColor, QHelpEvent, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QToolTip, QVBoxLayout, QWidget

from app.domain.placement import Placement
from app.domain.sizes import memory_size
from ui.models.panel.shares import Bar, Kind, Stretch, bars, widths
from ui.models.panel.words import bar_description, device_name, device_text, kind_label, kind_meaning
from ui.theme import Theme, current_theme
from ui.widgets.elided import ElidedLabel
from ui.widgets.tip import plain_tip

HEIGHT = 16  # px
LINE = 4  # px, of what lies there now
GAP = 3  # px between the two
RADIUS = 4
_SIGNS = {Kind.OTHERS: "▨", Kind.DISK: "▨", Kind.FREE: "□"}


def kind_color(theme: Theme, kind: Kind) -> str:
    return {
        Kind.DENSE: theme.share_dense,
        Kind.EXPERTS: theme.share_experts,
        Kind.DISK: theme.share_experts,
        Kind.KV: theme.share_cache,
        Kind.COMPUTE: theme.share_compute,
        Kind.OTHERS: theme.faint,
        Kind.FREE: theme.pressed,
    }[kind]


class ShareBar(QWidget):
    """Paints the stretches of one device. A tooltip names the one under the mouse."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bar: Bar | None = None
        self._now: Bar | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_bar(self, bar: Bar, now: Bar | None) -> None:
        """``now``: what lies there at present, where ``bar`` is only a plan."""
        self._bar, self._now = bar, now
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(200, HEIGHT + (GAP + LINE) * (self._now is not None))

    def minimumSizeHint(self) -> QSize:
        return QSize(60, self.sizeHint().height())

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() is QEvent.Type.ToolTip:
            part = self.stretch_at(event.pos().x())
            QToolTip.showText(event.globalPos(), _tooltip(part) if part is not None else "", self)
            return True
        return super().event(event)

    def stretch_at(self, x: int) -> Stretch | None:
        """What is drawn at ``x`` pixels from the left."""
        if self._bar is None:
            return None
        for part, left, width in self._placed(self._bar):
            if left <= x < left + width:
                return part
        return None

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._bar is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_bar(painter, self._bar, 0, HEIGHT, RADIUS)
        if self._now is not None:
            self._paint_bar(painter, self._now, HEIGHT + GAP, LINE, LINE / 2)

    def _paint_bar(self, painter: QPainter, bar: Bar, top: int, height: int, radius: float) -> None:
        theme = current_theme()
        outline = QPainterPath()
        outline.addRoundedRect(QRectF(0, top, self.width(), height), radius, radius)
        painter.save()
        painter.setClipPath(outline)
        painter.fillRect(self.rect(), QColor(theme.pressed))
        for part, left, width in self._placed(bar):
            color = QColor(kind_color(theme, part.kind))
            last = left + width >= self.width()
            where = QRectF(left, top, width if last else width - 1, height)  # a gap tells neighbours apart
            hatched = part.kind in (Kind.OTHERS, Kind.DISK)
            painter.fillRect(where, QColor(theme.pressed) if hatched else color)
            if hatched:
                painter.fillRect(where, QBrush(color, Qt.BrushStyle.BDiagPattern))
        painter.restore()
        if bar.missing:
            self._paint_limit(painter, bar, top, height)

    def _paint_limit(self, painter: QPainter, bar: Bar, top: int, height: int) -> None:
        """Where the device ends: what is beyond the line has no place."""
        x = self._mirrored(self.width() * bar.total / bar.extent, 0)
        painter.setPen(QPen(QColor(current_theme().error), 2))
        painter.drawLine(QPointF(x, top - 1), QPointF(x, top + height + 1))

    def _placed(self, bar: Bar) -> list[tuple[Stretch, float, int]]:
        """Each stretch with its left edge and its width."""
        placed, x = [], 0
        for part, width in zip(bar.stretches, widths(bar, self.width()), strict=True):
            placed.append((part, self._mirrored(x, width), width))
            x += width
        return placed

    def _mirrored(self, x: float, width: float) -> float:
        return x if self.layoutDirection() is Qt.LayoutDirection.LeftToRight else self.width() - x - width


class DeviceView(QWidget):
    """A device's name, its bar, and in words what is in it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bar: Bar | None = None
        self.name = ElidedLabel(self)
        self.name.setProperty("kind", "strong")
        self.figures = QLabel(self)
        self.figures.setProperty("kind", "muted")
        self.bar = ShareBar(self)
        self.legend = QLabel(self)
        self.legend.setTextFormat(Qt.TextFormat.RichText)  # numbers and words of our own alone
        self.legend.setWordWrap(True)
        self.legend.setProperty("kind", "legend")
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self.name, 1)
        head.addWidget(self.figures)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(head)
        column.addWidget(self.bar)
        column.addWidget(self.legend)

    def show_bar(self, bar: Bar, now: Bar | None) -> None:
        self._bar = bar
        self.name.show_text(device_name(bar))
        self.figures.setText(device_text(bar))
        self.bar.show_bar(bar, now)
        description = bar_description(bar)
        self.bar.setAccessibleName(description)
        self.setAccessibleName(description)
        self.legend.setToolTip(plain_tip("\n".join(_tooltip(part) for part in bar.stretches)))
        self._write_legend()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange:
            self._write_legend()

    def _write_legend(self) -> None:
        if self._bar is None:
            return
        theme = current_theme()
        items = []
        for part in self._bar.stretches:
            words = f"{kind_label(part.kind)} {memory_size(part.size)}".replace(" ", "&nbsp;")
            color = theme.muted if part.kind is Kind.FREE else kind_color(theme, part.kind)
            items.append(f'<span style="color:{color}">{_SIGNS.get(part.kind, "■")}</span>&nbsp;{words}')
        self.legend.setText("&nbsp;&nbsp; ".join(items))


class DeviceBars(QWidget):
    """All devices of a placement, one below the other."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.devices: list[DeviceView] = []
        self.note = QLabel(self.tr("The thin line is how it is loaded now."), self)
        self.note.setProperty("kind", "muted")
        self.note.setWordWrap(True)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(12)
        self._column.addWidget(self.note)
        self.note.hide()

    def show_placement(self, placement: Placement | None, now: Placement | None = None) -> None:
        """``now``: as it is loaded, where ``placement`` is a plan that differs from it."""
        shown = bars(placement) if placement is not None else ()
        present = {(bar.number, bar.name): bar for bar in bars(now)} if now is not None else {}
        self._make(len(shown))
        for view, bar in zip(self.devices, shown, strict=True):
            view.show_bar(bar, present.get((bar.number, bar.name)))
        self.note.setVisible(now is not None)

    def descriptions(self) -> Sequence[str]:
        """Every bar in words, as a screen reader has it."""
        return [view.accessibleName() for view in self.devices]

    def _make(self, count: int) -> None:
        while len(self.devices) < count:
            view = DeviceView(self)
            self._column.insertWidget(len(self.devices), view)
            self.devices.append(view)
        while len(self.devices) > count:
            view = self.devices.pop()
            view.hide()
            view.deleteLater()


def _tooltip(part: Stretch) -> str:
    return f"{kind_label(part.kind)}: {memory_size(part.size)}, {kind_meaning(part.kind)}"
