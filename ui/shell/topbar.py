"""The line above the conversation: its title, its documents, the model, and the panels."""

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QWidget

from ui.widgets.buttons import IconButton


class ElidedLabel(QLabel):
    """One line that ends in an ellipsis where there is no room."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._full = ""
        self._shown = True
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def show_text(self, text: str) -> None:
        self._full = text
        self._elide()
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        """Room for the whole text, whatever is shown of it now."""
        width = self.fontMetrics().horizontalAdvance(self._full) + 2
        return QSize(width if self._full else 0, super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        return QSize(0, super().minimumSizeHint().height())

    def set_shown(self, shown: bool) -> None:
        """Its place stays where its text is not shown."""
        self._shown = shown
        self._elide()

    def full_text(self) -> str:
        return self._full

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._elide()

    def _elide(self) -> None:
        shown = self.fontMetrics().elidedText(self._full, Qt.TextElideMode.ElideRight, self.width())
        self.setText(shown if self._shown else "")
        self.setToolTip(self._full if shown != self._full else "")


class TopBar(QFrame):
    sidebar_toggled = Signal()
    panel_toggled = Signal()
    page_left = Signal()  # back to the conversation
    downloads_requested = Signal()

    def __init__(self, documents: QWidget, picker: QWidget, parent: QWidget | None = None) -> None:
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
        self._panel = IconButton("tool", self.tr("Show or hide the tool calls (Ctrl+T)"), self)
        self._panel.setCheckable(True)
        self._panel.clicked.connect(self.panel_toggled)
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
        row.addWidget(self._panel)
        self.show_page("")

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

    def set_panel_open(self, is_open: bool) -> None:
        self._panel.setChecked(is_open)
