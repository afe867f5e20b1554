"""What a search on the Hub found, and what one repository has."""

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QListView,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from app.domain.library import RepoSummary, Stock, StockItem
from ui.models.dialogs import open_page
from ui.models.shop.hub_model import FileColumn, FilesModel, ResultDelegate, ResultsModel
from ui.models.shop.offer_card import Expectation, FitLabel
from ui.models.tables import plain_table
from ui.widgets.buttons import mark

LOOK_MS = 500  # so long one looks at a file before the Hub is asked about it


class StockView(QWidget):
    """One repository: its licence, and its files to choose from."""

    download_requested = Signal(object, object)  # Stock, StockItem
    use_requested = Signal(str)  # path of one that is in the Hub's cache
    looked_at = Signal(object, object)  # Stock, StockItem: for a moment, and it could be downloaded

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._look = QTimer(self)
        self._look.setSingleShot(True)
        self._look.setInterval(LOOK_MS)
        self._look.timeout.connect(lambda: self.looked_at.emit(self._stock, self.item()))
        self._stock: Stock | None = None
        self.title = QLabel(self)
        self.title.setProperty("kind", "heading")
        self.title.setTextFormat(Qt.TextFormat.PlainText)
        self.title.setWordWrap(True)
        self.facts = QLabel(self)
        self.facts.setProperty("kind", "muted")
        self.facts.setTextFormat(Qt.TextFormat.PlainText)
        self.facts.setWordWrap(True)
        self.page = QPushButton(self.tr("Open on the Hub"), self)
        self.page.setProperty("kind", "link")
        self.page.clicked.connect(self._open_page)
        self.model = FilesModel(self)
        self.table = QTableView(self)
        self.table.setModel(self.model)
        plain_table(self.table)
        self.table.setProperty("kind", "models")
        self.table.setAccessibleName(self.tr("Files"))
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(FileColumn.FIT, QHeaderView.ResizeMode.Stretch)
        for column, width in ((FileColumn.QUANTIZATION, 130), (FileColumn.SIZE, 90), (FileColumn.FILES, 60)):
            self.table.setColumnWidth(column, width)
        self.table.selectionModel().currentRowChanged.connect(self._choose)
        self.fit = FitLabel(self)
        self.expected = Expectation(self)
        self.download = QPushButton(self.tr("Download"), self)
        self.download.setProperty("kind", "primary")
        self.download.clicked.connect(self._ask)
        foot = QHBoxLayout()
        foot.setSpacing(12)
        foot.addWidget(self.fit, 1)
        foot.addWidget(self.download)
        top = QHBoxLayout()
        top.addWidget(self.title, 1)
        top.addWidget(self.page, 0, Qt.AlignmentFlag.AlignTop)
        column_ = QVBoxLayout(self)
        column_.setContentsMargins(16, 0, 0, 0)
        column_.setSpacing(8)
        column_.addLayout(top)
        column_.addWidget(self.facts)
        column_.addWidget(self.table, 1)
        column_.addWidget(self.expected)
        column_.addLayout(foot)

    def show_stock(self, stock: Stock) -> None:
        self._stock = stock
        repository, licence = stock.repository, stock.repository.licence
        self.title.setText(repository.id)
        parts = [self.tr("licence {name}").format(name=licence.name or self.tr("not stated"))]
        if licence.asks:
            parts.append(self.tr("it asks to be accepted first"))
        if repository.gated:
            parts.append(self.tr("given only to accounts that accepted its terms"))
        self.facts.setText(" · ".join(parts))
        self.model.show(stock)
        if stock.items:
            self.table.selectRow(self.model.best())
        self._choose()

    def item(self) -> StockItem | None:
        return self.model.item(self.table.selectionModel().currentIndex())

    def set_busy(self, busy: bool) -> None:
        self.download.setEnabled(not busy)

    def _choose(self) -> None:
        item = self.item()
        self.fit.show_verdict(item.verdict if item is not None else None)
        if item is None and self._stock is not None and not self._stock.items:
            self.fit.setText(self.tr("There are no GGUF files in this repository."))
        cached = item is not None and bool(item.cached)
        self.download.setText(self.tr("Use it") if cached else self.tr("Download"))
        self.download.setEnabled(item is not None and item.model.complete)
        self.expected.show_text("")
        if item is not None and item.model.complete and not cached:
            self._look.start()
        else:
            self._look.stop()

    def _open_page(self) -> None:
        if self._stock is not None:
            open_page(self._stock.repository.page)

    def _ask(self) -> None:
        item = self.item()
        if item is None:
            return
        if item.cached:
            self.use_requested.emit(item.cached)
        else:
            self._look.stop()
            self.download_requested.emit(self._stock, item)


class HubView(QWidget):
    """Results to the left, the chosen one to the right."""

    repository_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.results = ResultsModel(self)
        self.list = QListView(self)
        self.list.setModel(self.results)
        self.list.setItemDelegate(ResultDelegate(self.list))
        self.list.setUniformItemSizes(True)
        self.list.setMouseTracking(True)
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setProperty("kind", "results")
        self.list.setAccessibleName(self.tr("Repositories"))
        self.list.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.list.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.selectionModel().currentChanged.connect(self._chosen)
        self.stock = StockView(self)
        self._left_note, self._right_note = _note(self), _note(self)
        self._left, self._right = QStackedWidget(self), QStackedWidget(self)
        for stack, widgets in (
            (self._left, (self._left_note, self.list)),
            (self._right, (self._right_note, self.stock)),
        ):
            for widget in widgets:
                stack.addWidget(widget)
        split = QSplitter(Qt.Orientation.Horizontal, self)
        split.setChildrenCollapsible(False)
        split.setHandleWidth(1)
        split.addWidget(self._left)
        split.addWidget(self._right)
        split.setSizes([340, 460])
        split.setStretchFactor(1, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 0, 24, 16)
        column.addWidget(split)
        self.show_searching()

    def show_searching(self) -> None:
        self.results.show([])
        self._tell(self._left, self._left_note, self.tr("Searching the Hub…"))
        self._tell(self._right, self._right_note, "")

    def show_results(self, found: Sequence[RepoSummary]) -> None:
        self.results.show(found)
        self._tell(self._right, self._right_note, self.tr("Choose a repository to see its files.") if found else "")
        if found:
            self._left.setCurrentWidget(self.list)
        else:
            self._tell(self._left, self._left_note, self.tr("Nothing with GGUF files was found."))

    def show_search_error(self, text: str) -> None:
        self._tell(self._left, self._left_note, text, error=True)

    def show_looking(self, repository: str) -> None:
        self._tell(self._right, self._right_note, self.tr("Asking for the files of {name}…").format(name=repository))

    def show_stock(self, stock: Stock) -> None:
        self.stock.show_stock(stock)
        self._right.setCurrentWidget(self.stock)

    def show_stock_error(self, text: str) -> None:
        self._tell(self._right, self._right_note, text, error=True)

    def notes(self) -> tuple[str, str]:
        """What stands in place of the results and of the files, "" where those are shown."""
        left = self._left_note.text() if self._left.currentWidget() is self._left_note else ""
        return left, self._right_note.text() if self._right.currentWidget() is self._right_note else ""

    def _tell(self, stack: QStackedWidget, note: QLabel, text: str, *, error: bool = False) -> None:
        note.setText(text)
        mark(note, "error" if error else "muted")
        stack.setCurrentWidget(note)

    def _chosen(self, current: QModelIndex) -> None:
        found = self.results.found(current)
        if found is not None:
            self.repository_chosen.emit(found.id)


def _note(parent: QWidget) -> QLabel:
    label = QLabel(parent)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
    label.setContentsMargins(14, 12, 14, 12)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.setMinimumWidth(220)
    return label
