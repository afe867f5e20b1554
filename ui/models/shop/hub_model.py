"""Search results as a list, and the files of a repository as a table, grouped by quantization."""

from collections.abc import Sequence
from enum import IntEnum
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QRect,
    QSize,
    Qt,
)
from PySide6.QtGui import QColor, QFont, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app.domain.library import Fit, RepoSummary, Stock, StockItem
from ui.models.tables import LEFT, RIGHT, Index
from ui.models.words import count_text, size_text
from ui.theme import current_theme, icon
from ui.widgets.tip import plain_tip

_SECOND = Qt.ItemDataRole.UserRole + 1
_GATED = Qt.ItemDataRole.UserRole + 2


class ResultsModel(QAbstractListModel):
    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._found: list[RepoSummary] = []

    def show(self, found: Sequence[RepoSummary]) -> None:
        self.beginResetModel()
        self._found = list(found)
        self.endResetModel()

    def found(self, index: Index) -> RepoSummary | None:
        return self._found[index.row()] if index.isValid() else None

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self._found)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        found = self.found(index)
        if found is None:
            return None
        second = self._second(found)
        values = {
            Qt.ItemDataRole.DisplayRole: found.id,
            Qt.ItemDataRole.ToolTipRole: plain_tip(found.id),
            Qt.ItemDataRole.AccessibleTextRole: f"{found.id}, {second}",
            _SECOND: second,
            _GATED: found.gated,
        }
        return values.get(role)

    def _second(self, found: RepoSummary) -> str:
        parts = [self.tr("{count} downloads").format(count=count_text(found.downloads))]
        parts += [text for text in (found.licence, found.updated) if text]
        if found.gated:
            parts.append(self.tr("asks for a token"))
        return " · ".join(parts)


class ResultDelegate(QStyledItemDelegate):
    """Two lines: the repository's name, and what is known of it."""

    HEIGHT = 52

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(160, self.HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        theme = current_theme()
        rect: QRect = option.rect.adjusted(4, 2, -4, -2)
        state: QStyle.StateFlag = option.state
        fill = ""
        if state & QStyle.StateFlag.State_Selected:
            fill = theme.pressed
        elif state & QStyle.StateFlag.State_MouseOver:
            fill = theme.hover
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if fill:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(fill))
            painter.drawRoundedRect(rect, 6, 6)
        inner = rect.adjusted(10, 5, -10, -5)
        half = inner.height() // 2
        if index.data(_GATED):
            lock = QRect(inner.right() - 14, inner.top() + (half - 14) // 2, 14, 14)
            icon("shield", theme.warning).paint(painter, lock)
            first = QRect(inner.left(), inner.top(), inner.width() - 20, half)
        else:
            first = QRect(inner.left(), inner.top(), inner.width(), half)
        font: QFont = option.font
        for area, role, color in (
            (first, Qt.ItemDataRole.DisplayRole, theme.text),
            (QRect(inner.left(), inner.top() + half, inner.width(), half), _SECOND, theme.muted),
        ):
            if role == _SECOND:
                font = QFont(font)
                font.setPointSizeF(max(7.0, font.pointSizeF() * 0.92))
            painter.setFont(font)
            painter.setPen(QColor(color))
            words = painter.fontMetrics().elidedText(str(index.data(role)), Qt.TextElideMode.ElideMiddle, area.width())
            painter.drawText(area, LEFT, words)
        painter.restore()


class FileColumn(IntEnum):
    QUANTIZATION = 0
    SIZE = 1
    FILES = 2
    FIT = 3


class FilesModel(QAbstractTableModel):
    """One row a quantization, with all its files together."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._items: tuple[StockItem, ...] = ()
        self._titles = (self.tr("Quantization"), self.tr("Size"), self.tr("Files"), self.tr("This machine"))
        self._fits = {
            Fit.GPU: self.tr("fits on the graphics card"),
            Fit.MEMORY: self.tr("fits into memory"),
            Fit.DISK: self.tr("larger than memory"),
        }

    def show(self, stock: Stock | None) -> None:
        self.beginResetModel()
        self._items = stock.items if stock is not None else ()
        self.endResetModel()

    def item(self, index: Index) -> StockItem | None:
        return self._items[index.row()] if index.isValid() else None

    def best(self) -> int:
        """The row of the largest that fits, else 0."""
        fitting = [
            row for row, item in enumerate(self._items) if item.verdict.fit is not Fit.DISK and item.model.complete
        ]
        return fitting[-1] if fitting else 0

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self._items)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(FileColumn)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self._titles[section]
        return _side(FileColumn(section)) if role == Qt.ItemDataRole.TextAlignmentRole else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        item = self.item(index)
        if item is None:
            return None
        column = FileColumn(index.column())
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return self._text(item, column)
            case Qt.ItemDataRole.TextAlignmentRole:
                return _side(column)
            case Qt.ItemDataRole.ToolTipRole:
                return plain_tip(item.model.name)
            case Qt.ItemDataRole.ForegroundRole:
                return QColor(self._color(item, column))
        return None

    def _text(self, item: StockItem, column: FileColumn) -> str:
        match column:
            case FileColumn.QUANTIZATION:
                return item.model.label
            case FileColumn.SIZE:
                return size_text(item.model.size)
            case FileColumn.FILES:
                return str(item.model.expected)
            case FileColumn.FIT:
                if not item.model.complete:
                    return self.tr("files are missing on the Hub")
                if item.cached:
                    return self.tr("on this computer already")
                return self._fits[item.verdict.fit]

    def _color(self, item: StockItem, column: FileColumn) -> str:
        theme = current_theme()
        if column is FileColumn.FIT:
            return theme.warning if item.verdict.fit is Fit.DISK or not item.model.complete else theme.ok
        return theme.text if column is FileColumn.QUANTIZATION else theme.muted


def _side(column: FileColumn) -> Qt.AlignmentFlag:
    return RIGHT if column in (FileColumn.SIZE, FileColumn.FILES) else LEFT
