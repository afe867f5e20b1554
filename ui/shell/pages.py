"""The pages of the window: each is one declaration in ``PAGES``, from which its menu entry, keys and button follow.

A page takes the conversation's place, or stands beside it in the drawer; in both places one is open at a time.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QCoreApplication, QObject
from PySide6.QtWidgets import QWidget

from ui.shell.actions import Entry
from ui.shell.features import Features

CONTEXT = "Pages"


@dataclass(frozen=True, slots=True)
class Page:
    """Texts are English keys of the translation.

    ``keys`` in Qt's portable form.
    ``make`` is called once, when the page is first opened. What it shows is read in the widget's ``showEvent``.
    ``beside``: in the drawer.
    ``entry``: its text in the menu, where that is not the title.
    ``label``: what its button says, where it has one: pages beside the conversation do.
    """

    name: str
    title: str
    icon: str
    keys: str
    make: Callable[[Features], QWidget]
    beside: bool = False
    entry: str = ""
    label: str = ""


PAGES = (
    Page(
        "models",
        "Models",
        "model",
        "Ctrl+M",
        lambda features: features.manager.page(),
        entry="Manage models…",
    ),
    Page(
        "model",
        "Model",
        "chip",
        "Ctrl+I",
        lambda features: features.model_panel.panel(),
        beside=True,
        label="Show or hide where the model lies and how fast it is",
    ),
    Page(
        "tools",
        "Tool calls",
        "tool",
        "Ctrl+T",
        lambda features: features.views.tool_panel,
        beside=True,
        label="Show or hide the tool calls",
    ),
)


class PageOpener(QObject):
    def __init__(self, pages: Sequence[Page], features: Features, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pages = {page.name: page for page in pages}
        self._features = features
        self._made: dict[str, QWidget] = {}
        views = self._views = features.views
        for page in pages:
            if page.beside:
                views.drawer.add_later(page.name, partial(self._widget, page))
                views.top_bar.add_page(page.name, page.icon, translated(page.label), page.keys)
        views.top_bar.page_toggled.connect(views.drawer.toggle)
        views.top_bar.page_left.connect(views.leave_page)
        views.drawer.changed.connect(views.top_bar.show_drawer)

    def open(self, name: str) -> QWidget:
        """The page's widget, shown."""
        page = self._pages[name]
        widget = self._widget(page)
        if page.beside:
            self._views.drawer.open(name)
        else:
            self._views.show_page(widget, translated(page.title), page.icon)
            widget.setFocus()
        return widget

    def _widget(self, page: Page) -> QWidget:
        if page.name not in self._made:
            self._made[page.name] = page.make(self._features)
        return self._made[page.name]

    def entries(self, *, beside: bool) -> list[Entry]:
        """For the menus. A page of the drawer is closed by its entry, too."""
        run = self._views.drawer.toggle if beside else self.open
        return [
            Entry(translated(page.entry or page.title), page.keys, partial(run, page.name))
            for page in self._pages.values()
            if page.beside is beside
        ]


def translated(text: str) -> str:
    return QCoreApplication.translate(CONTEXT, text)
