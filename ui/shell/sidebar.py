"""The sidebar: new chat, search, and the list of conversations."""

from datetime import datetime

from PySide6.QtCore import QModelIndex, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListView,
    QMenu,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ui.shell.conversation_delegate import ConversationDelegate
from ui.shell.conversation_model import ConversationModel
from ui.theme import current_theme, icon
from ui.widgets.buttons import IconButton

SEARCH_MS = 150  # after the last key


class ConversationList(QListView):
    """F2 renames, Delete deletes, Enter opens."""

    opened = Signal(str)
    delete_requested = Signal(str)
    edited = Signal()  # an editor of a title was closed

    def __init__(self, model: ConversationModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self.setModel(model)
        self.setProperty("kind", "sidebar")
        self.setAccessibleName(self.tr("Chats"))
        self.setMouseTracking(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        delegate = ConversationDelegate(self)
        delegate.menu_requested.connect(self._menu)
        delegate.closeEditor.connect(lambda: self.edited.emit())
        self.setItemDelegate(delegate)
        self.clicked.connect(self._open)
        self.activated.connect(self._open)
        self.customContextMenuRequested.connect(self._context_menu)

    @property
    def editing(self) -> bool:
        return self.state() == QAbstractItemView.State.EditingState

    def keyPressEvent(self, event: QKeyEvent) -> None:
        conversation = self._model.conversation(self.currentIndex())
        if event.key() == Qt.Key.Key_Delete and conversation is not None:
            self.delete_requested.emit(conversation.id)
        else:
            super().keyPressEvent(event)

    def _open(self, index: QModelIndex) -> None:
        conversation = self._model.conversation(index)
        if conversation is not None:
            self.opened.emit(conversation.id)

    def _context_menu(self, position: QPoint) -> None:
        self._menu(self.indexAt(position), self.viewport().mapToGlobal(position))

    def _menu(self, index: QModelIndex, position: QPoint) -> None:
        conversation = self._model.conversation(index)
        if conversation is None:
            return
        theme = current_theme()
        row = self._model.index_of(conversation.id)
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        rename = menu.addAction(icon("edit", theme.muted), self.tr("Rename"))
        rename.setShortcut(Qt.Key.Key_F2)
        rename.triggered.connect(lambda: self.edit(row))
        delete = menu.addAction(icon("trash", theme.muted), self.tr("Delete"))
        delete.setShortcut(Qt.Key.Key_Delete)
        delete.triggered.connect(lambda: self.delete_requested.emit(conversation.id))
        menu.popup(position)


class Sidebar(QFrame):
    new_requested = Signal()
    settings_requested = Signal()
    search_changed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "panel")
        self.setMinimumWidth(200)
        self.model = ConversationModel(datetime.now, self)
        self.list = ConversationList(self.model, self)
        name = QLabel("Alcove", self)
        name.setProperty("kind", "heading")
        settings = IconButton("settings", self.tr("Settings"), self)
        settings.clicked.connect(self.settings_requested)
        head = QHBoxLayout()
        head.setContentsMargins(16, 0, 10, 0)
        head.addWidget(name)
        head.addStretch(1)
        head.addWidget(settings)
        self._new = QPushButton(" " + self.tr("New chat"), self)  # room between icon and words
        self._new.setProperty("kind", "new-chat")
        self._new.setToolTip(self.tr("Start a new chat (Ctrl+N)"))
        self._new.clicked.connect(self.new_requested)
        self.search = QLineEdit(self)
        self.search.setPlaceholderText(self.tr("Search chats"))
        self.search.setAccessibleName(self.tr("Search chats"))
        self.search.setClearButtonEnabled(True)
        self._delay = QTimer(self)
        self._delay.setSingleShot(True)
        self._delay.setInterval(SEARCH_MS)
        self._delay.timeout.connect(lambda: self.search_changed.emit(self.search.text().strip()))
        self.search.textChanged.connect(lambda: self._delay.start())
        fields = QVBoxLayout()
        fields.setContentsMargins(12, 0, 12, 0)
        fields.setSpacing(8)
        fields.addWidget(self._new)
        fields.addWidget(self.search)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 10, 0, 0)
        column.setSpacing(8)
        column.addLayout(head)
        column.addLayout(fields)
        column.addWidget(self.list, 1)
        self._tint()

    def select(self, conversation_id: str | None) -> None:
        index = self.model.index_of(conversation_id)
        if index.isValid():
            self.list.setCurrentIndex(index)
        else:
            self.list.clearSelection()
            self.list.setCurrentIndex(QModelIndex())

    def refresh_icons(self) -> None:
        self._tint()

    def _tint(self) -> None:
        self._new.setIcon(icon("new-chat", current_theme().text))
