"""The widgets of the main window and where they stand."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from ui.chat.calls.panel import ToolPanel
from ui.chat.composer import Composer
from ui.chat.tool_words import ToolWords
from ui.chat.transcript import TranscriptView
from ui.documents.button import DocumentsButton
from ui.models.picker import ModelPicker
from ui.shell.drawer import WIDTH as DRAWER_WIDTH
from ui.shell.drawer import Drawer
from ui.shell.sidebar import Sidebar
from ui.shell.tab_order import move_focus
from ui.shell.topbar import TopBar
from ui.shell.welcome import Welcome
from ui.theme import TEXT_COLUMN
from ui.widgets.banner import Banner
from ui.widgets.chips import ChipRow
from ui.widgets.toast import Toast

COMPOSER_WIDTH = TEXT_COLUMN + 48
SIDEBAR_WIDTH = 248


class Views(QWidget):
    """Sidebar, conversation (or another page) and drawer beside each other, and the toast over them."""

    def __init__(self, tools: ToolWords, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.splitter = QSplitter(Qt.Orientation.Horizontal, self)
        self.sidebar = Sidebar()
        self.documents = DocumentsButton()
        self.picker = ModelPicker()
        self.top_bar = TopBar(self.documents, self.picker)
        self.chips = ChipRow()
        self.banner = Banner()
        self.welcome = Welcome()
        self.transcript = TranscriptView(tools)
        self.stack = QStackedWidget()
        self.stack.addWidget(self.welcome)
        self.stack.addWidget(self.transcript)
        self.composer = Composer()
        self.pages = QStackedWidget()
        self._talk = self._conversation()
        self.pages.addWidget(self._talk)
        self.drawer = Drawer()
        self.tool_panel = ToolPanel(tools, self.drawer)  # fed from the beginning, shown when its page is opened
        self.tool_panel.hide()
        splitter = self.splitter
        splitter.setHandleWidth(1)
        splitter.setChildrenCollapsible(False)
        for index, widget in enumerate((self.sidebar, self._centre(), self.drawer)):
            splitter.addWidget(widget)
            splitter.setStretchFactor(index, 1 if index == 1 else 0)
        splitter.setSizes([SIDEBAR_WIDTH, 800, DRAWER_WIDTH])
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(splitter)
        self.toast = Toast(self.pages)

    def focusNextPrevChild(self, forward: bool) -> bool:
        """What is written, what was answered, then the frame around it."""
        page = self.pages.currentWidget() if self.on_page else self.stack.currentWidget()
        assert page is not None
        parts = (self.composer, self.banner, self.chips, page, self.sidebar, self.top_bar, self.drawer)
        return move_focus(parts, forward)

    def show_transcript(self, shown: bool) -> None:
        """The transcript, or the welcome of a new chat; any other page is left."""
        self.stack.setCurrentWidget(self.transcript if shown else self.welcome)
        self.leave_page()

    def show_page(self, page: QWidget, title: str, icon: str) -> None:
        """Another page in place of the conversation."""
        if self.pages.indexOf(page) < 0:
            self.pages.addWidget(page)
        self.pages.setCurrentWidget(page)
        self.top_bar.show_page(title, icon)

    def leave_page(self) -> None:
        """Back to the conversation."""
        if self.on_page:
            self.pages.setCurrentWidget(self._talk)
            self.composer.setFocus()
        self.top_bar.show_page("")

    @property
    def on_page(self) -> bool:
        return self.pages.currentWidget() is not self._talk

    def _centre(self) -> QWidget:
        centre = QWidget()
        centre.setMinimumWidth(420)
        column = QVBoxLayout(centre)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.top_bar)
        column.addWidget(self.banner)
        column.addWidget(self.pages, 1)
        return centre

    def _conversation(self) -> QWidget:
        talk = QWidget()
        column = QVBoxLayout(talk)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.chips.setContentsMargins(14, 8, 14, 8)
        column.addWidget(self.chips)
        column.addWidget(self.stack, 1)
        column.addLayout(self._composer_row())
        return talk

    def _composer_row(self) -> QHBoxLayout:
        self.composer.setMaximumWidth(COMPOSER_WIDTH)
        row = QHBoxLayout()
        row.setContentsMargins(16, 6, 16, 14)
        row.addStretch(1)
        row.addWidget(self.composer, 1000)
        row.addStretch(1)
        return row
