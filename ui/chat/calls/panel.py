"""The panel on the right: every call of the conversation, and the chosen one in full.

A list that only paints what is visible holds thousands of calls; below it one detail view is filled from the chosen
row. While the newest row is chosen the panel follows the answer.
"""

from collections.abc import Iterable, Sequence

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QSortFilterProxyModel, Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListView,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.domain.events import ApprovalRequested
from app.domain.fold import ToolCall
from app.domain.messages import Message, ToolStatus
from ui.chat.calls.delegate import ToolCallDelegate
from ui.chat.calls.detail import ToolDetail
from ui.chat.calls.model import ENTRY, CallEntry, ToolCallModel
from ui.chat.tool_words import ToolWords
from ui.widgets.buttons import IconButton

TICK_MS = 200  # of the running times


class CallFilter(QSortFilterProxyModel):
    """The calls in whose title, name or arguments a text stands."""

    def __init__(self, tools: ToolWords, parent: QObject) -> None:
        super().__init__(parent)
        self._tools = tools
        self._text = ""

    def show_only(self, text: str) -> None:
        self.beginFilterChange()
        self._text = text.casefold()
        self.endFilterChange(QSortFilterProxyModel.Direction.Rows)

    def filterAcceptsRow(self, row: int, parent: QModelIndex | QPersistentModelIndex) -> bool:
        if not self._text:
            return True
        entry = self.sourceModel().index(row, 0).data(ENTRY)
        assert isinstance(entry, CallEntry)
        return self._text in f"{self._tools.title(entry.name)} {entry.name} {entry.summary()}".casefold()


class ToolPanel(QFrame):
    """``show_messages`` and ``apply`` feed it; ``reveal`` is the click on a call in the transcript."""

    approval_decided = Signal(str, bool, bool)  # call id, allowed, always in this chat
    call_activated = Signal(str)  # call id: show it in the transcript
    close_requested = Signal()

    def __init__(self, tools: ToolWords, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("toolPanel")
        self.setMinimumWidth(260)
        self.model = ToolCallModel(self)
        self._proxy = CallFilter(tools, self)
        self._proxy.setSourceModel(self.model)
        self._list = QListView(self)
        self._list.setObjectName("toolList")
        self._list.setAccessibleName(self.tr("Tool calls"))
        self._list.setModel(self._proxy)
        self._list.setItemDelegate(ToolCallDelegate(tools, self._list))
        self._list.setUniformItemSizes(True)
        self._list.setMouseTracking(True)
        self._list.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self._list.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self._detail = ToolDetail(tools, self)
        self._count = QLabel(self)
        self._count.setProperty("kind", "muted")
        self._filter = QLineEdit(self)
        self._stack = QStackedWidget(self)
        self._tick = QTimer(self)
        self._tick.setInterval(TICK_MS)
        self._build()
        self._connect()
        self._refresh()

    def _build(self) -> None:
        title = QLabel(self.tr("Tool calls"), self)
        title.setProperty("kind", "heading")
        close = IconButton("close", self.tr("Hide the panel"), self, size=16)
        close.clicked.connect(self.close_requested)
        head = QHBoxLayout()
        head.setContentsMargins(14, 0, 8, 0)
        head.addWidget(title)
        head.addWidget(self._count)
        head.addStretch(1)
        head.addWidget(close)
        self._filter.setPlaceholderText(self.tr("Filter calls"))
        self._filter.setAccessibleName(self.tr("Filter calls"))
        self._filter.setClearButtonEnabled(True)
        filter_row = QHBoxLayout()
        filter_row.setContentsMargins(12, 0, 12, 4)
        filter_row.addWidget(self._filter)
        splitter = QSplitter(Qt.Orientation.Vertical, self)
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(self._list)
        splitter.addWidget(self._detail)
        splitter.setSizes([320, 320])
        self._list.setMinimumHeight(120)
        empty = QLabel(self.tr("When the model uses a tool,\nyou see here what it asked and what came back."), self)
        empty.setProperty("kind", "muted")
        empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        empty.setWordWrap(True)
        empty.setContentsMargins(24, 0, 24, 0)
        self._stack.addWidget(empty)
        self._stack.addWidget(splitter)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 10, 0, 0)
        column.setSpacing(8)
        column.addLayout(head)
        column.addLayout(filter_row)
        column.addWidget(self._stack, 1)

    def _connect(self) -> None:
        self._filter.textChanged.connect(self._proxy.show_only)
        self._list.selectionModel().currentChanged.connect(self._choose)
        self._list.doubleClicked.connect(self._activate)
        self._detail.approval_decided.connect(self.approval_decided)
        self._detail.show_requested.connect(self.call_activated)
        self.model.dataChanged.connect(self._update_detail)
        self.model.rowsAboutToBeInserted.connect(self._remember_follow)
        self.model.rowsInserted.connect(self._follow)
        self.model.rowsRemoved.connect(self._refresh)
        self.model.modelReset.connect(self._reset)
        self._tick.timeout.connect(self._repaint_times)
        self._following = True

    def show_messages(self, messages: Iterable[Message], begun: Sequence[ToolCall] = ()) -> None:
        """``begun``: calls that run or wait for the person."""
        self.model.show(messages, begun)
        for call in begun:
            if call.status is ToolStatus.WAITING:
                self.reveal(call.id)

    def apply(self, event: object) -> None:
        self.model.apply(event)
        if isinstance(event, ApprovalRequested):
            self.reveal(event.call_id, event.answer_id)
        self._refresh_tick()

    def reveal(self, call_id: str, message_id: str = "") -> None:
        """Choose a call and scroll to it; a filter that hides it is cleared."""
        row = self.model.row_of(call_id, message_id)
        if row < 0:
            return
        index = self._proxy.mapFromSource(self.model.index(row))
        if not index.isValid():
            self._filter.clear()
            index = self._proxy.mapFromSource(self.model.index(row))
        self._list.setCurrentIndex(index)
        self._list.scrollTo(index)

    def chosen(self) -> CallEntry | None:
        index = self._proxy.mapToSource(self._list.currentIndex())
        return self.model.entry(index.row()) if index.isValid() else None

    def _choose(self, current: QModelIndex) -> None:
        source = self._proxy.mapToSource(current)
        self._detail.show_entry(self.model.entry(source.row()) if source.isValid() else None)

    def _activate(self) -> None:
        if (entry := self.chosen()) is not None:
            self.call_activated.emit(entry.call_id)

    def _update_detail(self, first: QModelIndex) -> None:
        chosen = self._proxy.mapToSource(self._list.currentIndex())
        if chosen.isValid() and chosen.row() == first.row():
            self._detail.show_entry(self.model.entry(chosen.row()))

    def _remember_follow(self) -> None:
        chosen = self._proxy.mapToSource(self._list.currentIndex())
        self._following = not chosen.isValid() or chosen.row() == self.model.rowCount() - 1

    def _follow(self) -> None:
        self._refresh()
        if self._following:
            entry = self.model.entry(self.model.rowCount() - 1)
            if not self._filter.text():
                self.reveal(entry.call_id, entry.message_id)

    def _reset(self) -> None:
        self._refresh()
        self._detail.show_entry(None)
        count = self.model.rowCount()
        if count:
            last = self.model.entry(count - 1)
            self.reveal(last.call_id, last.message_id)

    def _refresh(self) -> None:
        count = self.model.rowCount()
        self._count.setText(str(count) if count else "")
        self._stack.setCurrentIndex(1 if count else 0)
        self._filter.setVisible(count > 1)
        self._refresh_tick()

    def _refresh_tick(self) -> None:
        count = self.model.rowCount()
        live = any(self.model.entry(row).started is not None for row in range(max(0, count - 32), count))
        if live and not self._tick.isActive():
            self._tick.start()
        elif not live:
            self._tick.stop()

    def _repaint_times(self) -> None:
        self._list.viewport().update()
        self._detail.tick()
