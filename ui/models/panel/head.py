"""Which model it is, and in a sentence how it runs; all sizes in a table for who wants them."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHeaderView,
    QLabel,
    QPushButton,
    QSizePolicy,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.domain.models import ModelInfo
from app.domain.placement import Placement
from app.domain.sizes import memory_size
from ui.models.panel.shares import Bar, Kind, bars
from ui.models.panel.words import device_name, facts_text, kind_label, state_text
from ui.widgets.elided import ElidedLabel
from ui.widgets.tip import plain_tip

FITTING = 3  # devices beside each other in a narrow panel
ROWS = (Kind.DENSE, Kind.EXPERTS, Kind.KV, Kind.COMPUTE, Kind.DISK, Kind.OTHERS, Kind.FREE)


class Head(QWidget):
    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name = ElidedLabel(self)
        self.name.setProperty("kind", "heading")
        self.state = _label("muted", self)
        self.facts = _label("muted", self)
        self.sentence = _label("", self)
        self.sentence.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)  # a name may be long
        self.sentence.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.more = QPushButton(self)
        self.more.setProperty("kind", "link")
        self.more.setCheckable(True)
        self.more.toggled.connect(self._unfold)
        self.why = _label("muted", self)
        self.table = SizeTable(self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        for widget in (self.name, self.facts, self.state):
            column.addWidget(widget)
        column.addSpacing(4)
        column.addWidget(self.sentence)
        column.addWidget(self.more, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self.why)
        column.addWidget(self.table)
        self._unfold(False)

    def show_model(self, name: str, info: ModelInfo | None, progress: float | None, *, failed: bool = False) -> None:
        """``info``: where it is loaded. ``progress`` from 0 to 1 while it loads. ``failed``: the last time it was."""
        self.name.show_text(name)
        self.state.setText(state_text(info, progress, failed=failed))

    def show_placement(self, placement: Placement | None, info: ModelInfo | None, otherwise: str = "") -> None:
        """``otherwise``: what is said where there is none."""
        self.facts.setText(facts_text(info, placement))
        self.facts.setVisible(bool(self.facts.text()))
        known = placement is not None
        sentence = placement.sentence if placement is not None else otherwise
        self.sentence.setText(sentence.replace("_", "_\u200b"))  # long names may be broken there
        self.sentence.setVisible(bool(self.sentence.text()))
        self.more.setVisible(known)
        if placement is not None:
            self.why.setText(placement.why)
            self.table.show_bars(bars(placement))
        self._unfold(known and self.more.isChecked())

    def _unfold(self, unfolded: bool) -> None:
        self.more.setText(self.tr("Less") if unfolded else self.tr("Why, and all sizes"))
        self.why.setVisible(unfolded)
        self.table.setVisible(unfolded)


class SizeTable(QTableWidget):
    """A column for each device, a row for each kind of use."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "sizes")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTabKeyNavigation(False)
        self.setAccessibleName(self.tr("Sizes on every device"))
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.horizontalHeader().setHighlightSections(False)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.verticalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)

    def show_bars(self, shown: tuple[Bar, ...]) -> None:
        kinds = [kind for kind in ROWS if any(part.kind is kind for bar in shown for part in bar.stretches)]
        self.setRowCount(len(kinds) + 1)
        self.setColumnCount(len(shown))
        self.setVerticalHeaderLabels([*map(kind_label, kinds), self.tr("Total")])
        for column, bar in enumerate(shown):
            short = self.tr("GPU {number}").format(number=bar.number) if bar.number else device_name(bar)
            head = QTableWidgetItem(short)
            head.setToolTip(plain_tip(device_name(bar)))
            head.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self.setHorizontalHeaderItem(column, head)
            sizes = {part.kind: part.size for part in bar.stretches}
            for row, kind in enumerate(kinds):
                self._put(row, column, memory_size(sizes[kind]) if kind in sizes else "–")
            self._put(len(kinds), column, memory_size(bar.total))
        self._fit()

    def _put(self, row: int, column: int, text: str) -> None:
        item = QTableWidgetItem(text)
        item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.setItem(row, column, item)

    def _fit(self) -> None:
        """As high as its rows; the panel scrolls, not the table."""
        self.resizeRowsToContents()
        rows = sum(self.rowHeight(row) for row in range(self.rowCount()))
        bar = self.horizontalScrollBar().sizeHint().height() if self.columnCount() > FITTING else 2
        self.setFixedHeight(rows + self.horizontalHeader().sizeHint().height() + bar)


def _label(kind: str, parent: QWidget) -> QLabel:
    label = QLabel(parent)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    if kind:
        label.setProperty("kind", kind)
    return label
