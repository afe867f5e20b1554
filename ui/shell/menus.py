"""What stands in the window's menus."""

from typing import Protocol

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction

from ui.shell.actions import SEPARATOR, Entry
from ui.shell.current_chat import CurrentChat
from ui.shell.features import Features
from ui.shell.pages import PageOpener
from ui.shell.views import Views


class Shell(Protocol):
    """What the entries reach for: the window."""

    views: Views
    features: Features
    pages: PageOpener
    current: CurrentChat

    def new_chat(self) -> None: ...
    def close(self) -> bool: ...
    def escape(self) -> None: ...
    def search(self) -> None: ...
    def toggle_sidebar(self) -> None: ...
    def copy_report(self) -> None: ...
    def about(self) -> None: ...


class Menus(QObject):
    """The entries by their menu; pages bring their own."""

    def of(self, window: Shell) -> dict[str, list[Entry | None]]:
        views, features, current, roles = window.views, window.features, window.current, QAction.MenuRole
        return {
            self.tr("&File"): [
                Entry(self.tr("New chat"), "Ctrl+N", window.new_chat),
                Entry(self.tr("Open a model…"), "Ctrl+O", views.picker.open_file),
                *window.pages.entries(beside=False),
                SEPARATOR,
                Entry(self.tr("Add a folder…"), "Ctrl+Shift+O", views.documents.ask_folder),
                Entry(self.tr("Add files…"), "", views.documents.ask_files),
                SEPARATOR,
                Entry(self.tr("Settings"), "Ctrl+,", features.settings.open, roles.PreferencesRole),
                Entry(self.tr("Quit"), "Ctrl+Q", window.close, roles.QuitRole),
            ],
            self.tr("&Chat"): [
                Entry(self.tr("Write a message"), "Ctrl+L", views.composer.setFocus),
                Entry(self.tr("Stop the answer"), "Esc", window.escape),
                SEPARATOR,
                Entry(self.tr("Rename…"), "", features.conversations.rename_current),
                Entry(self.tr("Delete"), "", current.delete),
            ],
            self.tr("&View"): [
                Entry(self.tr("Search chats"), "Ctrl+F", window.search),
                Entry(self.tr("List of chats"), "Ctrl+B", window.toggle_sidebar),
                *window.pages.entries(beside=True),
            ],
            self.tr("&Help"): [
                Entry(self.tr("Copy report…"), "", window.copy_report),
                Entry(self.tr("About Alcove"), "", window.about, roles.AboutRole),
            ],
        }
