"""Joins the models page, made when it is first opened, with its controllers; downloads are followed always."""

from PySide6.QtCore import QObject, Signal

from app.domain.errors import ErrorInfo
from app.services import Services, Settings
from ui.bridge import Bridge
from ui.models.downloads.controller import DownloadsController
from ui.models.library.controller import LibraryController
from ui.models.page import ModelsPage
from ui.models.shop.controller import ShopController


class ModelManager(QObject):
    use_requested = Signal(str)  # path of a model that shall answer
    settings_requested = Signal()
    changed = Signal()  # models came or went
    failed = Signal(object)  # ErrorInfo

    def __init__(self, services: Services, bridge: Bridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._settings = services.settings
        self._bridge = bridge
        self._services = services
        self._page: ModelsPage | None = None
        self._library: LibraryController | None = None
        self._shop: ShopController | None = None
        self._current = ""
        self.downloads = DownloadsController(services, bridge, self)
        self.downloads.failed.connect(self.failed)
        self.downloads.changed.connect(self._show_downloads)
        self.downloads.finished.connect(lambda _row: self._models_changed())

    def start(self) -> None:
        """Go on with the downloads of the last run."""
        self.downloads.start()

    def page(self) -> ModelsPage:
        """What is there is read anew whenever it comes to be seen."""
        if self._page is None:
            self._page = self._make_page()
            self._page.opened.connect(self._opened)
            self._page.library.set_current(self._current)
        return self._page

    def refresh(self) -> None:
        if self._library is not None and self._shop is not None:
            self._library.refresh()
            self._shop.refresh()

    def _opened(self) -> None:
        self.use_settings(self._settings.get())
        self._show_downloads()
        self.refresh()

    def set_current(self, path: str) -> None:
        """The model that answers."""
        self._current = path
        if self._page is not None:
            self._page.library.set_current(path)

    def use_settings(self, settings: Settings) -> None:
        if settings.offline:
            self.downloads.pause_all()
        if self._page is not None:
            self._page.shop.set_offline(settings.offline)

    def stop(self) -> None:
        """The window closes: nobody waits for the Hub or for long work on files."""
        if self._library is not None and self._shop is not None:
            self._library.stop()
            self._shop.stop()

    def _make_page(self) -> ModelsPage:
        page = ModelsPage()
        self._library = LibraryController(self._services, self._bridge, page.library, self)
        self._shop = ShopController(self._services, self._bridge, page.shop, self)
        for controller in (self._library, self._shop):
            controller.use_requested.connect(self.use_requested)
            controller.failed.connect(self.failed)
        self._library.changed.connect(self.changed)
        page.shop.settings_requested.connect(self.settings_requested)
        wanted = page.downloads.wanted
        wanted.paused.connect(self.downloads.pause)
        wanted.resumed.connect(self.downloads.resume)
        wanted.cancelled.connect(self.downloads.cancel)
        wanted.dismissed.connect(self.downloads.dismiss)
        wanted.used.connect(self.use_requested)
        wanted.token_wanted.connect(self._ask_token)
        return page

    def _show_downloads(self) -> None:
        if self._page is not None:
            self._page.downloads.show_rows(self.downloads.rows)

    def _models_changed(self) -> None:
        if self._library is not None:
            self._library.refresh()
        self.changed.emit()

    def _ask_token(self, download_id: str) -> None:
        row = next((row for row in self.downloads.rows if row.id == download_id), None)
        if row is not None and self._shop is not None:
            error = row.error or ErrorInfo("hub-gated", "")
            repository = error.values.get("repository", row.name)
            self._shop.ask_token(error, repository, lambda: self.downloads.resume(download_id))
