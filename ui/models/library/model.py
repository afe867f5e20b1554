"""The table of models on this computer."""

from collections.abc import Sequence
from enum import IntEnum
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt
from PySide6.QtGui import QColor, QFont

from app.domain.library import LibraryModel, Origin
from ui.models.tables import LEFT, RIGHT, Index
from ui.models.words import context_text, problem_text, size_text
from ui.theme import current_theme, icon
from ui.widgets.tip import plain_tip


class Column(IntEnum):
    NAME = 0
    QUANTIZATION = 1
    EXPERTS = 2
    CONTEXT = 3
    SIZE = 4
    FOLDER = 5


class LibraryTableModel(QAbstractTableModel):
    """Rows in the order they were given, or sorted by a column."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._models: list[LibraryModel] = []
        self._current = ""
        self._sorted: tuple[int, Qt.SortOrder] = (-1, Qt.SortOrder.AscendingOrder)
        self._titles = {
            Column.NAME: self.tr("Name"),
            Column.QUANTIZATION: self.tr("Quantization"),
            Column.EXPERTS: self.tr("Experts"),
            Column.CONTEXT: self.tr("Context"),
            Column.SIZE: self.tr("Size"),
            Column.FOLDER: self.tr("Folder"),
        }

    def show(self, models: Sequence[LibraryModel]) -> None:
        self.beginResetModel()
        self._models = self._in_order(models)
        self.endResetModel()

    def set_current(self, path: str) -> None:
        """The model that answers."""
        self._current = path
        if self._models:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self._models) - 1, 0))

    @property
    def current(self) -> str:
        return self._current

    def model(self, index: Index) -> LibraryModel | None:
        return self._models[index.row()] if index.isValid() else None

    def row_of(self, path: str) -> int:
        """-1 where it is not there."""
        return next((row for row, model in enumerate(self._models) if model.path == path), -1)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self._models)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(Column)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self._titles[Column(section)]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return RIGHT if section in (Column.CONTEXT, Column.SIZE) else LEFT
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        model = self.model(index)
        if model is None:
            return None
        column = Column(index.column())
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return self._text(model, column)
            case Qt.ItemDataRole.DecorationRole if column is Column.NAME:
                return self._icon(model)
            case Qt.ItemDataRole.ForegroundRole if problem_text(model) or column is not Column.NAME:
                return QColor(current_theme().muted)
            case Qt.ItemDataRole.FontRole if column is Column.NAME and model.path == self._current:
                font = QFont()
                font.setWeight(QFont.Weight.DemiBold)
                return font
            case Qt.ItemDataRole.TextAlignmentRole:
                return RIGHT if column in (Column.CONTEXT, Column.SIZE) else LEFT
            case Qt.ItemDataRole.ToolTipRole:
                return plain_tip(problem_text(model) or (model.path if column is Column.FOLDER else model.name))
            case Qt.ItemDataRole.AccessibleTextRole:
                return self._spoken(model, column)
        return None

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        self._sorted = (column, order)
        self.layoutAboutToBeChanged.emit()
        self._models = self._in_order(self._models)
        self.layoutChanged.emit()

    def _in_order(self, models: Sequence[LibraryModel]) -> list[LibraryModel]:
        column, order = self._sorted
        if column < 0:
            return list(models)
        keys = {
            Column.NAME: lambda model: model.name.casefold(),
            Column.QUANTIZATION: lambda model: model.quantization,
            Column.EXPERTS: lambda model: model.experts,
            Column.CONTEXT: lambda model: model.context,
            Column.SIZE: lambda model: model.size,
            Column.FOLDER: self._place,
        }
        return sorted(models, key=keys[Column(column)], reverse=order is Qt.SortOrder.DescendingOrder)

    def _text(self, model: LibraryModel, column: Column) -> str:
        match column:
            case Column.NAME:
                return model.name
            case Column.QUANTIZATION:
                return model.quantization
            case Column.EXPERTS if model.experts:
                return self.tr("{used} of {all}").format(used=model.experts_used, all=model.experts)
            case Column.CONTEXT if model.context:
                return context_text(model.context)
            case Column.SIZE:
                return size_text(model.size)
            case Column.FOLDER:
                return self._place(model)
        return ""

    def _place(self, model: LibraryModel) -> str:
        if model.shipped:
            return self.tr("Installed with Alcove")
        return self.tr("The Hub's cache") if model.origin is Origin.CACHE else model.folder

    def _icon(self, model: LibraryModel) -> object:
        theme = current_theme()
        if problem_text(model):
            return icon("warning", theme.warning)
        return icon("check", theme.accent) if model.path == self._current else icon("model", theme.faint)

    def _spoken(self, model: LibraryModel, column: Column) -> str:
        text = self._text(model, column)
        if column is Column.NAME and model.path == self._current:
            return self.tr("{name}, answers now").format(name=text)
        problem = problem_text(model) if column is Column.NAME else ""
        return f"{text}, {problem}" if problem else text
