"""The main window: what stands in it, and what the person does with the window itself.

The joins of the features lie beside it: ``current_chat``, ``model_page``, ``panels``, ``sources``.
"""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QMainWindow

from app.domain.errors import AppError, ErrorInfo
from app.domain.events import BackgroundFailed
from app.services import Services, Settings
from ui.bridge import Bridge
from ui.chat.tool_words import ToolWords
from ui.shell.about import AboutDialog
from ui.shell.actions import fill_menus
from ui.shell.current_chat import CurrentChat
from ui.shell.features import Features
from ui.shell.menus import Menus
from ui.shell.model_page import MODEL_SUFFIX, ModelPage, first_model
from ui.shell.pages import PAGES, Page, PageOpener
from ui.shell.panels import Panels
from ui.shell.report import ReportDialog
from ui.shell.sources import Sources
from ui.shell.statusbar import StatusBar
from ui.shell.views import Views
from ui.shell.window_state import decoded, restore, state_of
from ui.theme import apply_theme, style_sheet, theme_watcher
from ui.widgets.banner import Offer


class MainWindow(QMainWindow):
    def __init__(self, services: Services, bridge: Bridge, pages: Sequence[Page] = PAGES) -> None:
        super().__init__()
        self._services = services
        self._bridge = bridge
        self.setWindowTitle("Alcove")
        self.setAcceptDrops(True)
        self.views = Views(ToolWords(services.tools.spec), self)
        self.setCentralWidget(self.views)
        self.status = StatusBar(self)
        self.setStatusBar(self.status)
        features = self.features = Features(services, bridge, self.views, self)
        self.chat, self.models, self.documents = features.chat, features.models, features.documents
        self.settings, self.model_panel = features.settings, features.model_panel
        self.pages = PageOpener(pages, features, self)
        self.current = CurrentChat(features, self.status, self)
        self.model_page = ModelPage(features, self.pages, self)
        self.panels = Panels(features, self)
        self.sources = Sources(features, self)
        self._join()
        self.actions_by_text = fill_menus(self, Menus(self).of(self))
        self._watch_theme()
        settings = services.settings.get()
        self._use_settings(settings)
        self._last = decoded(settings.window_geometry)
        restore(self._last, self, self.views)

    def start(self, paths: Sequence[str] = ()) -> None:
        """Begin reading: conversations, models, and what the program was called with."""
        self._bridge.received.connect(self._apply)
        self.current.begin("" if paths else self._last.conversation)
        self.open_paths(paths)
        self.features.start()
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

    def _join(self) -> None:
        features, views, settings = self.features, self.views, self.features.settings
        self.current.titled.connect(lambda title: self.setWindowTitle(f"{title} - Alcove" if title else "Alcove"))
        views.top_bar.sidebar_toggled.connect(self.toggle_sidebar)
        views.sidebar.settings_requested.connect(settings.open)
        features.manager.settings_requested.connect(settings.open)
        settings.changed.connect(self._use_settings)
        settings.changed.connect(lambda _: features.model_panel.refresh())
        settings.reload_wanted.connect(features.models.reload)
        for feature in (features.chat, features.documents, features.models, features.manager, settings, self._bridge):
            feature.failed.connect(self.show_error)

    # What the person does.

    def new_chat(self) -> None:
        self.current.new()

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

    def copy_report(self) -> None:
        ReportDialog(self._services.report, self._bridge, self).open()

    def show_error(self, info: ErrorInfo) -> None:
        """Our own mistakes come with the way to report them."""
        self.views.banner.show_error(info, self._report_offer() if info.code == "internal" else None)

    def tell_of_crash(self, info: ErrorInfo) -> None:
        self.views.banner.show_note(info, self._report_offer())

    def _report_offer(self) -> Offer:
        return Offer(self.tr("Copy report…"), self.copy_report)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        paths = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            event.acceptProposedAction()
            self.open_paths(paths, ask=True)

    def closeEvent(self, event: QCloseEvent) -> None:
        state = state_of(self, self.views, self.current.id)
        try:
            self._services.settings.update(window_geometry=state.encoded())
        except AppError as error:
            self.show_error(error.info)  # a full disk must not keep the window open
        self.features.stop()
        event.accept()

    # What is told and set.

    def _apply(self, event: object) -> None:
        if isinstance(event, BackgroundFailed):
            self.show_error(event.error)

    def _use_settings(self, settings: Settings) -> None:
        apply_theme(_application(), settings.theme)
        self.views.transcript.set_keep_reasoning_open(settings.keep_reasoning_open)
        self.features.manager.use_settings(settings)

    def _watch_theme(self) -> None:
        theme_watcher(_application()).changed.connect(self._restyle)
        self._restyle()

    def _restyle(self) -> None:
        self.setStyleSheet(style_sheet(theme_watcher(_application()).theme))
        self.views.sidebar.refresh_icons()


def _application() -> QApplication:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    return app
