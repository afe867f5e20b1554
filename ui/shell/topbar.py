"""The line above the conversation: its title, its documents, the model, and the panels."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QToolButton, QWidget

from ui.widgets.buttons import IconButton, IconLabel
from ui.widgets.elided import ElidedLabel

NARROW = 560  # px; below it the title has more need of the room than the word "Documents"
LEAST_PICKER = 120  # px
MOST_PICKER = 0.3  # of the line: a model's name gives way to the title


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
        self._icon = IconLabel("chat", 18, self)
        self._page = QLabel(self)
        self._page.setProperty("kind", "heading")
        self._back = IconButton("chevron-left", self.tr("Back to the chat (Esc)"), self)
        self._back.clicked.connect(self.page_left)
        self._documents, self._picker = documents, picker
        self._downloads = IconButton("download", "", self, color="accent")
        self._downloads.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._downloads.clicked.connect(self.downloads_requested)
        self._downloads.hide()
        self._pages: dict[str, IconButton] = {}
        row = self._row = QHBoxLayout(self)
        row.setContentsMargins(8, 6, 8, 6)
        row.setSpacing(6)
        row.addWidget(sidebar)
        row.addSpacing(4)
        row.addWidget(self._back)
        row.addWidget(self._icon)
        row.addWidget(self._page)
        row.addWidget(self.title, 1)
        row.addWidget(self._downloads)
        row.addWidget(documents)
        row.addWidget(picker)
        self.show_page("")

    def add_page(self, name: str, icon: str, label: str, keys: str) -> None:
        """A button that opens and closes a page of the drawer."""
        shortcut = QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText)
        button = self._pages[name] = IconButton(icon, f"{label} ({shortcut})" if shortcut else label, self)
        button.setCheckable(True)
        button.clicked.connect(lambda: self.page_toggled.emit(name))
        self._row.addWidget(button)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        style = Qt.ToolButtonStyle
        narrow = self.width() < NARROW
        self._picker.setMaximumWidth(max(LEAST_PICKER, round(self.width() * MOST_PICKER)))
        self._documents.setToolButtonStyle(style.ToolButtonIconOnly if narrow else style.ToolButtonTextBesideIcon)

    def show_page(self, title: str, icon: str = "") -> None:
        """The title of the page in place of the conversation; "" for the conversation itself."""
        on_page = bool(title)
        if icon:
            self._icon.set_icon(icon)
        self._icon.setVisible(on_page)
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
