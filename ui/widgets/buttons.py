"""Buttons and labels with a bundled icon that follows the colour scheme."""

from PySide6.QtCore import QCoreApplication, QEvent, QSize
from PySide6.QtWidgets import QLabel, QToolButton, QWidget

from ui.theme import current_theme, icon
from ui.widgets.tip import plain_tip


class IconButton(QToolButton):
    """A flat tool button. ``name`` is an icon of resources/icons, ``label`` its tooltip and accessible name.

    ``color`` names a colour of ``ui.theme.Theme``; while the button is off it is faint.
    """

    def __init__(
        self, name: str, label: str, parent: QWidget | None = None, *, size: int = 18, color: str = "muted"
    ) -> None:
        super().__init__(parent)
        self._name, self._color = name, color
        self.setIconSize(QSize(size, size))
        self.set_label(label)
        self._tint()

    def set_label(self, label: str) -> None:
        self.setToolTip(plain_tip(label))
        self.setAccessibleName(label)

    def set_icon(self, name: str) -> None:
        self._name = name
        self._tint()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.EnabledChange):
            self._tint()

    def _tint(self) -> None:
        theme = current_theme()
        self.setIcon(icon(self._name, getattr(theme, self._color if self.isEnabled() else "faint")))


class IconLabel(QLabel):
    """An icon alone. ``color`` names a colour of ``ui.theme.Theme``."""

    def __init__(self, name: str, size: int = 16, parent: QWidget | None = None, *, color: str = "muted") -> None:
        super().__init__(parent)
        self._name, self._size, self._color = name, size, color
        self.setFixedSize(size, size)
        self._tint()

    def set_icon(self, name: str, color: str = "") -> None:
        self._name, self._color = name, color or self._color
        self._tint()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._tint()

    def _tint(self) -> None:
        found = icon(self._name, getattr(current_theme(), self._color))
        self.setPixmap(found.pixmap(QSize(self._size, self._size), self.devicePixelRatioF()))


def mark(widget: QWidget, kind: str) -> None:
    """Choose the style of a widget that was already shown once."""
    widget.setProperty("kind", kind)
    widget.style().unpolish(widget)
    widget.style().polish(widget)
    QCoreApplication.sendEvent(widget, QEvent(QEvent.Type.StyleChange))  # frames measure their padding again
