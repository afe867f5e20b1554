"""The tab "On this computer": every model there is, and what can be done with it."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal, SignalInstance
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QProgressBar,
    QPushButton,
    QStackedWidget,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from app.domain.library import LibraryModel, Origin, Removal
from ui.models.library.model import Column, LibraryTableModel
from ui.models.tables import plain_table
from ui.models.words import problem_text
from ui.widgets.buttons import IconButton

WIDTHS = {Column.QUANTIZATION: 120, Column.EXPERTS: 100, Column.CONTEXT: 84, Column.SIZE: 92, Column.FOLDER: 220}
NARROW = 540  # px of the page below which its buttons take two lines
ROOM = {Column.FOLDER: 820, Column.EXPERTS: 640, Column.CONTEXT: 540}  # px of the page below which a column is hidden


class Table(QTableView):
    """Enter uses the chosen model, Delete removes it."""

    used = Signal()
    delete_pressed = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.used.emit()
        elif event.key() == Qt.Key.Key_Delete:
            self.delete_pressed.emit()
        else:
            super().keyPressEvent(event)


class LibraryView(QWidget):
    use_requested = Signal(object)  # LibraryModel, as below
    verify_requested = Signal(object)
    remove_requested = Signal(object)
    import_requested = Signal(str)  # path
    folder_added = Signal(str)
    work_cancelled = Signal()
    more_requested = Signal()  # models that can be had

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = LibraryTableModel(self)
        self.table = self._make_table()
        self.use = self._button(self.tr("Use"), lambda: self._tell(self.use_requested), primary=True)
        self.verify = self._button(self.tr("Verify"), lambda: self._tell(self.verify_requested))
        self.verify.setToolTip(self.tr("Compare the checksums of its files"))
        self.remove = self._button(self.tr("Remove…"), lambda: self._tell(self.remove_requested))
        take = self._button(self.tr("Import a file…"), self.ask_file)
        folder = self._button(self.tr("Add a folder…"), self.ask_folder)
        bar = self._bar = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        bar.setSpacing(8)
        for buttons in ((self.use, self.verify, self.remove), (take, folder)):
            row = QHBoxLayout()
            row.setSpacing(8)
            for button in buttons:
                row.addWidget(button)
            bar.addLayout(row)
        bar.insertStretch(1, 1)
        self.note = QLabel(self)
        self.note.setProperty("kind", "muted")
        self.note.setTextFormat(Qt.TextFormat.PlainText)
        self.note.setWordWrap(True)
        self.note.hide()
        self._work = self._make_work()
        self._stack = QStackedWidget(self)
        self._stack.addWidget(self.table)
        self._stack.addWidget(self._nothing())
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 16, 24, 16)
        column.setSpacing(12)
        column.addLayout(bar)
        column.addWidget(self._work)
        column.addWidget(self.note)
        column.addWidget(self._stack, 1)
        self._choose()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Where there is little room, what matters least goes first."""
        super().resizeEvent(event)
        for column, least in ROOM.items():
            self.table.setColumnHidden(column, self.width() < least)
        way = QBoxLayout.Direction
        self._bar.setDirection(way.TopToBottom if self.width() < NARROW else way.LeftToRight)

    def show_models(self, models: Sequence[LibraryModel]) -> None:
        """The chosen row stays chosen."""
        chosen = self.chosen()
        self.model.show(models)
        row = self.model.row_of(chosen.path if chosen is not None else self.model.current)
        if row >= 0:
            self.table.selectRow(row)
        self._stack.setCurrentIndex(0 if models else 1)
        self._choose()

    def set_current(self, path: str) -> None:
        self.model.set_current(path)
        self._choose()

    def chosen(self) -> LibraryModel | None:
        return self.model.model(self.table.selectionModel().currentIndex())

    def choose(self, path: str) -> None:
        row = self.model.row_of(path)
        if row >= 0:
            self.table.selectRow(row)

    def show_note(self, text: str) -> None:
        """The outcome of what was done last; "" takes it away."""
        self.note.setText(text)
        self.note.setVisible(bool(text))

    def show_work(self, text: str, done: int = 0, total: int = 0) -> None:
        """What is under way; "" when nothing is."""
        self._work.setVisible(bool(text))
        self._work_name.setText(text)
        self._work_bar.setRange(0, 1000 if total else 0)
        self._work_bar.setValue(round(1000 * done / total) if total else 0)

    def ask_file(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self, self.tr("Import a model"), str(Path.home()), self.tr("Models (*.gguf);;All files (*)")
        )
        if path:
            self.import_requested.emit(path)

    def ask_folder(self) -> None:
        path = QFileDialog.getExistingDirectory(self, self.tr("Add a folder with models"), str(Path.home()))
        if path:
            self.folder_added.emit(path)

    def _make_table(self) -> Table:
        table = Table(self)
        table.setModel(self.model)
        plain_table(table)
        table.setProperty("kind", "models")
        table.setAccessibleName(self.tr("Models on this computer"))
        table.setSortingEnabled(True)
        header = table.horizontalHeader()
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        header.setSectionResizeMode(Column.NAME, QHeaderView.ResizeMode.Stretch)
        header.setMinimumSectionSize(64)
        for column, width in WIDTHS.items():
            table.setColumnWidth(column, width)
        table.used.connect(self._use_chosen)
        table.delete_pressed.connect(self._remove_chosen)
        table.doubleClicked.connect(self._use_chosen)
        table.selectionModel().currentRowChanged.connect(self._choose)
        return table

    def _make_work(self) -> QFrame:
        frame = QFrame(self)
        frame.setProperty("kind", "card")
        self._work_name = QLabel(frame)
        self._work_name.setTextFormat(Qt.TextFormat.PlainText)
        self._work_bar = QProgressBar(frame)
        self._work_bar.setTextVisible(False)
        self._work_bar.setAccessibleName(self.tr("Progress"))
        stop = IconButton("close", self.tr("Stop this"), frame, size=14)
        stop.clicked.connect(self.work_cancelled)
        row = QHBoxLayout(frame)
        row.setContentsMargins(14, 8, 8, 8)
        row.setSpacing(14)
        row.addWidget(self._work_name)
        row.addWidget(self._work_bar, 1)
        row.addWidget(stop)
        frame.hide()
        return frame

    def _nothing(self) -> QWidget:
        page = QWidget(self)
        title = QLabel(self.tr("There is no model on this computer yet"), page)
        title.setProperty("kind", "heading")
        hint = QLabel(self.tr("Download one, import a file, or add a folder that holds some."), page)
        hint.setProperty("kind", "muted")
        more = QPushButton(self.tr("Get models"), page)
        more.setProperty("kind", "primary")
        more.clicked.connect(self.more_requested)
        column = QVBoxLayout(page)
        column.setSpacing(10)
        column.addStretch(1)
        for widget in (title, hint, more):
            column.addWidget(widget, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(2)
        return page

    def _button(self, text: str, run: object, *, primary: bool = False) -> QPushButton:
        button = QPushButton(text, self)
        if primary:
            button.setProperty("kind", "primary")
        button.clicked.connect(run)
        return button

    def _choose(self) -> None:
        model = self.chosen()
        problem = problem_text(model) if model is not None else ""
        self.use.setEnabled(model is not None and not problem and model.path != self.model.current)
        self.verify.setEnabled(model is not None)
        self.remove.setEnabled(model is not None and model.removal is not Removal.NONE)
        if model is not None and model.shipped:
            self.remove.setToolTip(self.tr("It came with the program and goes with it"))
        elif model is not None and model.origin is Origin.CACHE:
            self.remove.setToolTip(self.tr("It belongs to the Hub's cache, which other programs use too"))
        else:
            self.remove.setToolTip("")
        self.show_note(problem)

    def _use_chosen(self) -> None:
        if self.use.isEnabled():
            self._tell(self.use_requested)

    def _remove_chosen(self) -> None:
        if self.remove.isEnabled():
            self._tell(self.remove_requested)

    def _tell(self, signal: SignalInstance) -> None:
        model = self.chosen()
        if model is not None:
            signal.emit(model)
