"""The drawer on the right: one of its pages at a time, or none."""

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QWidget

WIDTH = 340  # px
LEAST = 278


class Drawer(QStackedWidget):
    """Its pages have names."""

    changed = Signal(str)  # the page that is open, "" for none

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMinimumWidth(LEAST)
        self._makers: dict[str, Callable[[], QWidget]] = {}
        self._pages: dict[str, QWidget] = {}
        self.hide()

    def add(self, name: str, page: QWidget) -> None:
        self._pages[name] = page
        self.addWidget(page)

    def add_later(self, name: str, make: Callable[[], QWidget]) -> None:
        """A page that is made when it is first opened."""
        self._makers[name] = make

    @property
    def page(self) -> str:
        """The page that is open, "" for none."""
        if self.isHidden():
            return ""
        return next((name for name, page in self._pages.items() if page is self.currentWidget()), "")

    def open(self, name: str) -> None:
        """Show a page; "" or one that is not known closes the drawer."""
        if name in self._makers:
            self.add(name, self._makers.pop(name)())
        page = self._pages.get(name)
        if page is not None:
            self.setCurrentWidget(page)
        self.setVisible(page is not None)
        self.changed.emit(self.page)

    def toggle(self, name: str) -> None:
        self.open("" if self.page == name else name)
