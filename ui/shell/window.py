"""The main window: makes the controllers and joins them, since features do not know each other."""

import logging
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from PySide6.QtCore import QByteArray, Qt, QUrl
from PySide6.QtGui import QAction, QCloseEvent, QDesktopServices, QDragEnterEvent, QDropEvent, QGuiApplication
from PySide6.QtWidgets import QApplication, QMainWindow

from app.domain.errors import AppError, ErrorInfo
from app.domain.events import BackgroundFailed
from app.domain.messages import CitationPart, Conversation, SourcesPart
from app.domain.sources import Locator, Source
from app.services import Services, Settings
from ui.bridge import Bridge
from ui.chat.composer import Draft
from ui.chat.controller import ChatController
from ui.chat.source_view import SourceView
from ui.chat.tool_words import ToolWords
from ui.documents.controller import DocumentsController
from ui.models.controller import ModelsController
from ui.models.manager import ModelManager
from ui.models.panel.controller import ModelPanelController
from ui.settings.controller import SettingsController
from ui.shell.about import AboutDialog
from ui.shell.actions import SEPARATOR, Entry, fill_menus
from ui.shell.conversations import ConversationsController
from ui.shell.model_page import MODEL_SUFFIX, ModelPage, first_model
from ui.shell.panels import MODEL, TOOLS, Panels
from ui.shell.place import Place, decoded, reachable
from ui.shell.statusbar import StatusBar
from ui.shell.views import Views
from ui.shell.welcome import Example
from ui.theme import apply_theme, style_sheet, theme_watcher

log = logging.getLogger(__name__)

MOST_CONTEXT = 2_000_000  # characters of a document in which a quote is looked for
DEFAULT_SIZE = (1280, 820)


class MainWindow(QMainWindow):
    def __init__(self, services: Services, bridge: Bridge) -> None:
        super().__init__()
        self._services = services
        self._bridge = bridge
        self.setWindowTitle("Alcove")
        self.setAcceptDrops(True)
        self.resize(*DEFAULT_SIZE)
        self.views = Views(ToolWords(services.tools.spec), self)
        self.setCentralWidget(self.views)
        self.status = StatusBar(self)
        self.setStatusBar(self.status)
        views = self.views
        self.chat = ChatController(services, bridge, views.transcript, views.composer, views.tool_panel, self)
        self.conversations = ConversationsController(services, bridge, views.sidebar, self)
        self.models = ModelsController(services, bridge, views.picker, self)
        self.manager = ModelManager(services, bridge, self)
        self.model_page = ModelPage(self.manager, self.models, views, self)
        self.documents = DocumentsController(services, bridge, views.documents, views.chips, self)
        self.settings = SettingsController(services, bridge, self)
        self.model_panel = ModelPanelController(services, bridge, self)
        self.panels = Panels(views, self.chat, self.models, self.model_panel, bridge, self)
        self._first = ""  # the conversation to show once the list is read
        self._join_chat()
        self._join_features()
        self.actions_by_text = fill_menus(self, self._menus())
        self._watch_theme()
        self._restore_place()

    def start(self, paths: Sequence[str] = ()) -> None:
        """Begin reading: conversations, models, and what the program was called with."""
        self._bridge.received.connect(self._apply)
        self.chat.new()
        if paths:
            self._first = ""
            self.open_paths(paths)
        self.views.show_transcript(bool(self._first))  # no welcome flashes by before the last chat is read
        self.conversations.refresh()
        self.models.start()
        self.manager.start()
        self.settings.start()
        self.views.composer.setFocus()

    def open_paths(self, paths: Sequence[str], *, ask: bool = False) -> None:
        """A model is chosen (or, with ``ask``, offered), all else becomes a document of the chat on the screen."""
        model = first_model(paths)
        if model and ask:
            self.model_page.offer(model)
        elif model:
            self.models.select(model)
        documents = [path for path in paths if not path.lower().endswith(MODEL_SUFFIX)]
        if documents:
            self.documents.add(documents)

    def called(self, paths: Sequence[str]) -> None:
        """The program was started again: this window comes to the front, with what the other was called with."""
        if self.isMinimized():
            self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()
        self.open_paths(paths)

    # Joining.

    def _join_chat(self) -> None:
        chat, views = self.chat, self.views
        chat.opened.connect(self._opened)
        chat.changed.connect(self._changed)
        chat.started.connect(self.conversations.refresh)
        chat.running_changed.connect(self._running)
        chat.progress.connect(self.status.show_turn)
        chat.failed.connect(self.show_error)
        views.composer.attach_requested.connect(views.documents.ask_files)
        views.composer.attached.connect(views.composer.attach)
        views.welcome.chosen.connect(self._try_example)
        views.transcript.citation_activated.connect(self.show_source)
        views.transcript.open_source_requested.connect(self._show_listed)
        views.transcript.link_activated.connect(open_link)
        views.transcript.copied.connect(lambda _: views.toast.show_message(self.tr("Copied")))

    def _join_features(self) -> None:
        views = self.views
        views.top_bar.sidebar_toggled.connect(self.toggle_sidebar)
        views.sidebar.new_requested.connect(self.new_chat)
        views.sidebar.settings_requested.connect(self.settings.open)
        views.sidebar.list.opened.connect(self.chat.open)
        self.conversations.deleted.connect(self._deleted)
        self.conversations.loaded.connect(self._loaded)
        self.documents.scope_changed.connect(self.chat.set_documents)
        self.documents.progress_changed.connect(self.status.show_index)
        self.documents.failed.connect(self.show_error)
        self.models.state_changed.connect(self.status.show_model)
        self.models.availability_changed.connect(self._available)
        self.models.abilities_changed.connect(views.composer.set_abilities)
        self.models.failed.connect(self.show_error)
        self.manager.failed.connect(self.show_error)
        self.manager.settings_requested.connect(self.settings.open)
        self.settings.changed.connect(self._use_settings)
        self.settings.reload_wanted.connect(self.models.reload)
        self.settings.changed.connect(lambda _: self.model_panel.refresh())
        self.settings.failed.connect(self.show_error)
        self._bridge.failed.connect(self.show_error)

    def _menus(self) -> dict[str, list[Entry | None]]:
        views, roles = self.views, QAction.MenuRole
        return {
            self.tr("&File"): [
                Entry(self.tr("New chat"), "Ctrl+N", self.new_chat),
                Entry(self.tr("Open a model…"), "Ctrl+O", views.picker.open_file),
                Entry(self.tr("Manage models…"), "Ctrl+M", self.model_page.open),
                SEPARATOR,
                Entry(self.tr("Add a folder…"), "Ctrl+Shift+O", views.documents.ask_folder),
                Entry(self.tr("Add files…"), "", views.documents.ask_files),
                SEPARATOR,
                Entry(self.tr("Settings"), "Ctrl+,", self.settings.open, roles.PreferencesRole),
                Entry(self.tr("Quit"), "Ctrl+Q", self.close, roles.QuitRole),
            ],
            self.tr("&Chat"): [
                Entry(self.tr("Write a message"), "Ctrl+L", views.composer.setFocus),
                Entry(self.tr("Stop the answer"), "Esc", self.escape),
                SEPARATOR,
                Entry(self.tr("Rename…"), "", self.conversations.rename_current),
                Entry(self.tr("Delete"), "", self._delete_current),
            ],
            self.tr("&View"): [
                Entry(self.tr("Search chats"), "Ctrl+F", self.search),
                Entry(self.tr("List of chats"), "Ctrl+B", self.toggle_sidebar),
                Entry(self.tr("Tool calls"), "Ctrl+T", lambda: views.drawer.toggle(TOOLS)),
                Entry(self.tr("Model"), "Ctrl+I", lambda: views.drawer.toggle(MODEL)),
            ],
            self.tr("&Help"): [Entry(self.tr("About Alcove"), "", self.about, roles.AboutRole)],
        }

    # What the person does.

    def new_chat(self) -> None:
        self.chat.new()
        self.views.composer.setFocus()

    def search(self) -> None:
        self.views.sidebar.show()
        self.views.sidebar.search.setFocus()
        self.views.sidebar.search.selectAll()

    def escape(self) -> None:
        """Back out of the innermost thing: an edit, a search, a running answer, a message."""
        views = self.views
        if views.sidebar.search.hasFocus():
            views.sidebar.search.clear()
            views.composer.setFocus()
        elif views.on_page:
            views.leave_page()
        elif not views.composer.escape() and not views.banner.isHidden():
            views.banner.dismiss()

    def toggle_sidebar(self) -> None:
        self.views.sidebar.setVisible(self.views.sidebar.isHidden())

    def about(self) -> None:
        AboutDialog(self).open()

    def show_source(self, source: Source | CitationPart) -> SourceView:
        """The quote at once; what stands around it as soon as the document is read."""
        view = SourceView(source, self)
        view.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        view.open()
        documents, path = self._services.documents, source.path
        self._bridge.run(
            lambda: documents.read(path, [path], 0, MOST_CONTEXT).text,
            view.show_context,
            lambda info: log.info("no context for the source: %s", info.code),
            receiver=view,
        )
        return view

    def _show_listed(self, path: str, locator: Locator) -> None:
        """What was pressed in the list of sources or among the attachments."""
        parts = (part for message in reversed(self.chat.messages) for part in message.parts)
        listed = (source for part in parts if isinstance(part, SourcesPart) for source in part.sources)
        source = next((source for source in listed if (source.path, source.locator) == (path, locator)), None)
        if source is not None:
            self.show_source(source)
        elif Path(path).exists():  # a file that the person attached
            QDesktopServices.openUrl(QUrl.fromLocalFile(path))

    def show_error(self, info: ErrorInfo) -> None:
        self.views.banner.show_error(info)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        paths = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            event.acceptProposedAction()
            self.open_paths(paths, ask=True)

    # What the features tell.

    def _opened(self, conversation: Conversation | None) -> None:
        self.conversations.select(conversation.id if conversation else None)
        self.views.show_transcript(conversation is not None)
        self.status.clear_turn()
        self._changed(conversation)

    def _changed(self, conversation: Conversation | None) -> None:
        title = conversation.title if conversation else ""
        self.views.top_bar.title.show_text(title or self.tr("New chat"))
        self.setWindowTitle(f"{title} - Alcove" if title else "Alcove")
        self.documents.show(self.chat.documents)

    def _running(self, conversation_id: str, running: bool) -> None:
        self.conversations.set_running(conversation_id, running)
        if running:
            self.views.banner.hide()  # a new question: what went wrong before is past

    def _available(self, available: bool) -> None:
        self.views.composer.set_reason("" if available else self.tr("Choose a model first"))
        self.views.welcome.set_available(available)

    def _deleted(self, conversation: Conversation) -> None:
        current = self.chat.conversation
        if current is not None and current.id == conversation.id:
            self.chat.stop()
            self.chat.new()
        title = conversation.title or self.tr("New chat")
        self.views.toast.show_message(
            self.tr("Deleted “{title}”").format(title=title),
            self.tr("Undo"),
            lambda: self._undelete(conversation.id),
        )

    def _undelete(self, conversation_id: str) -> None:
        self.conversations.restore(conversation_id)
        self.chat.open(conversation_id)

    def _delete_current(self) -> None:
        if self.chat.conversation is not None:
            self.conversations.delete(self.chat.conversation.id)

    def _loaded(self, conversations: list[Conversation]) -> None:
        """At the start: show the chat that was open when the program ended."""
        if self.chat.conversation is not None:
            return
        if self._first in {conversation.id for conversation in conversations}:
            self.chat.open(self._first)
        else:
            self.views.show_transcript(False)

    def _try_example(self, example: Example) -> None:
        if example.documents:
            self.documents.add([str(sample_folder())])
        draft = Draft(example.prompt)
        if example.model:
            self.models.select(example.model, then=lambda: self.chat.send(draft))
        else:
            self.chat.send(draft)

    def _apply(self, event: object) -> None:
        if isinstance(event, BackgroundFailed):
            self.show_error(event.error)

    # Looks and places.

    def _watch_theme(self) -> None:
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        watcher = theme_watcher(app)
        watcher.changed.connect(self._restyle)
        self._restyle()

    def _restyle(self) -> None:
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        self.setStyleSheet(style_sheet(theme_watcher(app).theme))
        self.views.sidebar.refresh_icons()

    def _use_settings(self, settings: Settings) -> None:
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        apply_theme(app, settings.theme)
        self.views.transcript.set_keep_reasoning_open(settings.keep_reasoning_open)
        self.manager.use_settings(settings)

    def _restore_place(self) -> None:
        settings = self._services.settings.get()
        self._use_settings(settings)
        place = decoded(settings.window_geometry)
        if place.window:
            self.restoreGeometry(QByteArray.fromHex(place.window.encode()))
            screens = [screen.availableGeometry() for screen in QGuiApplication.screens()]
            if (rect := reachable(self.geometry(), screens)) != self.geometry():
                self.setGeometry(rect)  # its screen is gone, or smaller now
        if place.splitter:
            self.views.splitter.restoreState(QByteArray.fromHex(place.splitter.encode()))
        self.views.sidebar.setVisible(place.sidebar)
        self.views.drawer.open(place.panel)
        self._first = place.conversation

    def _place(self) -> Place:
        conversation = self.chat.conversation
        return Place(
            window=bytes(self.saveGeometry().toHex().data()).decode(),
            splitter=bytes(self.views.splitter.saveState().toHex().data()).decode(),
            conversation=conversation.id if conversation else "",
            sidebar=not self.views.sidebar.isHidden(),
            panel=self.views.drawer.page,
        )

    def closeEvent(self, event: QCloseEvent) -> None:
        try:
            self._services.settings.update(window_geometry=self._place().encoded())
        except AppError as error:
            self.show_error(error.info)  # a full disk must not keep the window open
        self.manager.stop()
        self.model_panel.stop()
        event.accept()


def sample_folder() -> Path:
    """The documents that come with the program."""
    return Path(str(resources.files("resources").joinpath("samples")))


def open_link(address: str) -> None:
    """Only what a browser shows; a model cannot make the window open files or run programs."""
    url = QUrl(address)
    if url.scheme() in ("http", "https", "mailto"):
        QDesktopServices.openUrl(url)
