"""A combo box and a check box whose marks are our icons, so that they follow the colour scheme."""

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QCheckBox, QComboBox, QStyle, QStyleOptionButton, QWidget

from ui.theme import current_theme, icon

ARROW = 16  # px


class ChoiceBox(QComboBox):
    """The wheel turns it only while it has the focus: else it scrolls what the box stands in."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        theme = current_theme()
        right = QRect(self.width() - ARROW - 8, (self.height() - ARROW) // 2, ARROW, ARROW)
        where = QStyle.visualRect(self.layoutDirection(), self.rect(), right)
        icon("chevron-down", theme.muted if self.isEnabled() else theme.faint).paint(painter, where)
        painter.end()


class CheckBox(QCheckBox):
    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.checkState() is not Qt.CheckState.Checked:
            return
        option = QStyleOptionButton()
        self.initStyleOption(option)
        where = self.style().subElementRect(QStyle.SubElement.SE_CheckBoxIndicator, option, self)
        painter = QPainter(self)
        icon("check", current_theme().accent_text).paint(painter, where.adjusted(1, 1, -1, -1))
        painter.end()
