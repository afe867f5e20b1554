"""The line above the conversation: its title, its documents, the model, and the panels."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QToolButton, QWidget

from ui.widgets.buttons import IconButton
from ui.widgets.elided import ElidedLabel

NARROW = 560  # px; below it the title has more need of the room than the word "Documents"


class TopBar(QFrame):
    sidebar_toggled = Signal()
    page_toggled = Signal(str)  # of the drawer
    page_left = Signal()  # back to the conversation
    downloads_requested = Signal()

    def __init__(self, documents: QToolButton, picker: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("topBar")
        self.title = ElidedLabel(self)
        self.title.setProperty("kind", "heading")
        sidebar = IconButton("sidebar", self.tr("Show or hide the list of chats (Ctrl+B)"), self)
        sidebar.clicked.connect(self.sidebar_toggled)
        self._page = QLabel(self)
        self._page.setProperty("kind", "heading")
        self._back = IconButton("chevron-left", self.tr("Back to the chat (Esc)"), self)
        self._back.clicked.connect(self.page_left)
        self._documents = documents
        self._downloads = IconButton("download", "", self, color="accent")
        self._downloads.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._downloads.clicked.connect(self.downloads_requested)
        self._downloads.hide()
        self._pages = {
            "model": IconButton("chip", self.tr("Show or hide where the model lies and how fast it is (Ctrl+I)"), self),
            "tools": IconButton("tool", self.tr("Show or hide the tool calls (Ctrl+T)"), self),
        }
        for name, button in self._pages.items():
            button.setCheckable(True)
            button.clicked.connect(lambda _=False, page=name: self.page_toggled.emit(page))
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 6, 8, 6)
        row.setSpacing(6)
        row.addWidget(sidebar)
        row.addSpacing(4)
        row.addWidget(self._back)
        row.addWidget(self._page)
        row.addWidget(self.title, 1)
        row.addWidget(self._downloads)
        row.addWidget(documents)
        row.addWidget(picker)
        for button in self._pages.values():
            row.addWidget(button)
        self.show_page("")

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        style = Qt.ToolButtonStyle
        narrow = self.width() < NARROW
        self._documents.setToolButtonStyle(style.ToolButtonIconOnly if narrow else style.ToolButtonTextBesideIcon)

    def show_page(self, title: str) -> None:
        """The title of the page in place of the conversation; "" for the conversation itself."""
        on_page = bool(title)
        self._page.setText(title)
        self._page.setVisible(on_page)
        self._back.setVisible(on_page)
        self.title.set_shown(not on_page)
        self._documents.setVisible(not on_page)

    def show_downloads(self, done: int, total: int, count: int) -> None:
        """Bytes of the ``count`` downloads that are under way; nothing is shown for none."""
        percent = 100 * done // total if total else 0
        self._downloads.setText(f"{percent}%")
        self._downloads.set_label(
            self.tr("Downloading: {percent}%").format(percent=percent)
            if count == 1
            else self.tr("{count} downloads: {percent}%").format(count=count, percent=percent)
        )
        self._downloads.setVisible(count > 0)

    def show_drawer(self, page: str) -> None:
        """The page of the drawer that is open, "" for none."""
        for name, button in self._pages.items():
            button.setChecked(name == page)
