"""How a row of the sidebar looks: a title, a dot while it is being answered, a menu button under the mouse."""

from PySide6.QtCore import (
    QAbstractItemModel,
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QFont, QMouseEvent, QPainter
from PySide6.QtWidgets import QLineEdit, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from ui.shell.conversation_model import CONVERSATION, HEADING, RUNNING, SNIPPET
from ui.theme import current_theme, icon

Index = QModelIndex | QPersistentModelIndex
PADDING = 10
MORE = 22  # px, the square of the menu button


class ConversationDelegate(QStyledItemDelegate):
    menu_requested = Signal(object, QPoint)  # QModelIndex, global position

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        line = option.fontMetrics.height()
        if index.data(HEADING):
            return QSize(100, line + (10 if index.row() == 0 else 20))
        return QSize(100, line + 16 + (line if index.data(SNIPPET) else 0))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        theme = current_theme()
        rect: QRect = option.rect
        font: QFont = option.font
        state: QStyle.StateFlag = option.state
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if heading := index.data(HEADING):
            small = QFont(font)
            small.setWeight(QFont.Weight.DemiBold)
            small.setPointSizeF(font.pointSizeF() * 0.88)
            painter.setFont(small)
            painter.setPen(QColor(theme.muted))
            where = rect.adjusted(PADDING, 0, -PADDING, -5)
            painter.drawText(where, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom, heading)
            painter.restore()
            return
        selected = bool(state & QStyle.StateFlag.State_Selected)
        hovered = bool(state & QStyle.StateFlag.State_MouseOver)
        if selected or hovered:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.pressed if selected else theme.hover))
            painter.drawRoundedRect(rect.adjusted(0, 1, 0, -1), 7, 7)
        if state & QStyle.StateFlag.State_HasFocus and state & QStyle.StateFlag.State_KeyboardFocusChange:
            painter.setPen(QColor(theme.focus))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(rect.adjusted(1, 2, -1, -2), 6, 6)
        right = rect.right() - PADDING
        if hovered:
            icon("more", theme.muted).paint(painter, self._more(rect).adjusted(3, 3, -3, -3))
            right -= MORE
        elif index.data(RUNNING):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.accent))
            painter.drawEllipse(QPoint(right - 3, rect.center().y()), 4, 4)
            right -= 16
        self._text(painter, rect, right, font, index)
        painter.restore()

    def _text(self, painter: QPainter, rect: QRect, right: int, font: QFont, index: Index) -> None:
        theme = current_theme()
        painter.setFont(font)
        metrics = painter.fontMetrics()
        left = rect.left() + PADDING
        snippet = index.data(SNIPPET)
        top = QRect(left, rect.top() + 8, right - left, metrics.height())
        painter.setPen(QColor(theme.text))
        title = metrics.elidedText(index.data(), Qt.TextElideMode.ElideRight, top.width())
        painter.drawText(top, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, title)
        if snippet:
            painter.setPen(QColor(theme.muted))
            bottom = top.translated(0, metrics.height())
            text = metrics.elidedText(snippet, Qt.TextElideMode.ElideRight, bottom.width())
            painter.drawText(bottom, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        editor = QLineEdit(parent)
        editor.setProperty("kind", "inline")
        editor.setMaxLength(200)
        editor.setAccessibleName(self.tr("Title of the chat"))
        return editor

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: Index) -> None:
        rect: QRect = option.rect
        editor.setGeometry(rect.adjusted(1, 1, -1, -1))

    def editorEvent(self, event: QEvent, model: QAbstractItemModel, option: QStyleOptionViewItem, index: Index) -> bool:
        if (
            event.type() == QEvent.Type.MouseButtonRelease
            and isinstance(event, QMouseEvent)
            and event.button() == Qt.MouseButton.LeftButton
            and index.data(CONVERSATION) is not None
            and self._more(option.rect).contains(event.position().toPoint())
        ):
            self.menu_requested.emit(index, event.globalPosition().toPoint())
            return True
        return super().editorEvent(event, model, option, index)

    def _more(self, rect: QRect) -> QRect:
        return QRect(rect.right() - MORE - 4, rect.center().y() - MORE // 2 + 1, MORE, MORE)
