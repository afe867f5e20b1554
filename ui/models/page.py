"""The models page: downloads above, and below them what is on this computer and what can be had."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QTabWidget, QVBoxLayout, QWidget

from ui.models.downloads.rows import DownloadList
from ui.models.library.view import LibraryView
from ui.models.shop.view import ShopView


class ModelsPage(QWidget):
    opened = Signal()  # it came to be seen

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.downloads = DownloadList(self)
        self.library = LibraryView(self)
        self.shop = ShopView(self)
        self.tabs = QTabWidget(self)
        self.tabs.setObjectName("models")
        self.tabs.addTab(self.library, self.tr("On this computer"))
        self.tabs.addTab(self.shop, self.tr("Get models"))
        self.tabs.tabBar().setDrawBase(False)
        self.tabs.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.library.more_requested.connect(self.show_shop)
        self.setFocusProxy(self.library.table)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.downloads)
        column.addWidget(self.tabs, 1)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not event.spontaneous():  # not because the window itself came back
            self.opened.emit()

    def show_shop(self) -> None:
        self.tabs.setCurrentWidget(self.shop)

    def show_library(self) -> None:
        self.tabs.setCurrentWidget(self.library)
