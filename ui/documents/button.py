"""The button that adds documents to the conversation."""

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFileDialog, QMenu, QToolButton, QWidget

from ui.widgets.buttons import IconButton

READABLE = "*.pdf *.md *.markdown *.txt *.html *.htm"


class DocumentsButton(IconButton):
    """``added`` carries the paths that the person chose."""

    added = Signal(list)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("book", "", parent, size=16)
        self.set_label(self.tr("Add documents that this chat may read"))
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self)
        self.folder_action = QAction(self.tr("Add a folder…"), menu)
        self.folder_action.triggered.connect(self.ask_folder)
        self.files_action = QAction(self.tr("Add files…"), menu)
        self.files_action.triggered.connect(self.ask_files)
        menu.addActions([self.folder_action, self.files_action])
        self.setMenu(menu)
        self.show_count(0)

    def show_count(self, count: int) -> None:
        text = self.tr("Documents ({count})").format(count=count) if count else self.tr("Documents")
        self.setText(f" {text}")  # room between icon and words

    def ask_folder(self) -> None:
        path = QFileDialog.getExistingDirectory(self, self.tr("Add a folder"), str(Path.home()))
        if path:
            self.added.emit([path])

    def ask_files(self) -> None:
        kinds = self.tr("Documents ({patterns});;All files (*)").format(patterns=READABLE)
        paths, _ = QFileDialog.getOpenFileNames(self, self.tr("Add files"), str(Path.home()), kinds)
        if paths:
            self.added.emit(paths)
