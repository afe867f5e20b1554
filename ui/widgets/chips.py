"""Small removable labels for files and folders."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QWidget

from ui.widgets.buttons import IconButton, IconLabel
from ui.widgets.flow import FlowLayout
from ui.widgets.tip import plain_tip

LONGEST = 220  # pixels


class PathChip(QFrame):
    """A file's or folder's name with its icon; ``removed`` is the press on its cross."""

    removed = Signal(str)

    def __init__(self, path: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("chip")
        self.setToolTip(plain_tip(path))
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        name = Path(path).name or path
        label = QLabel(self)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setText(label.fontMetrics().elidedText(name, Qt.TextElideMode.ElideMiddle, LONGEST))
        cross = IconButton("close", self.tr("Remove {name}").format(name=name), self, size=12)
        cross.setObjectName("chipButton")
        cross.setFixedSize(18, 18)
        cross.clicked.connect(lambda: self.removed.emit(path))
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 2, 3, 2)
        row.setSpacing(5)
        row.addWidget(IconLabel("folder" if Path(path).is_dir() else "file", 14, self))
        row.addWidget(label)
        row.addWidget(cross)


class ChipRow(QWidget):
    """The chips of several paths, broken into lines; invisible while there are none."""

    removed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._flow = FlowLayout(self)
        self._paths: tuple[str, ...] = ()
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.hide()

    @property
    def paths(self) -> tuple[str, ...]:
        return self._paths

    def show_paths(self, paths: Sequence[str]) -> None:
        if tuple(paths) == self._paths:
            return
        self._paths = tuple(paths)
        while (item := self._flow.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        for path in self._paths:
            chip = PathChip(path, self)
            chip.removed.connect(self.removed)
            self._flow.addWidget(chip)
        self.setVisible(bool(self._paths))
        self.updateGeometry()
