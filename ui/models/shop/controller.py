"""From a wish to a download: looking up, the token, the licence, the start."""

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from app.domain.cancel import CancelToken
from app.domain.errors import ErrorInfo
from app.domain.library import RepoSummary, Stock, StockItem
from app.services import Services
from ui.bridge import Bridge
from ui.errors import error_hint, error_message
from ui.models.dialogs import LicenceDialog, TokenDialog
from ui.models.downloads.rows import TOKEN_CODES
from ui.models.lane import Lane
from ui.models.shop.view import ShopView

MOST_FOUND = 50


class ShopController(QObject):
    started = Signal()  # a download
    use_requested = Signal(str)  # path of a model in the Hub's cache
    failed = Signal(object)  # ErrorInfo

    def __init__(self, services: Services, bridge: Bridge, view: ShopView, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._models = services.models
        self._plans = services.plans
        self._settings = services.settings
        self._secrets = services.secrets
        self._bridge = bridge
        self._view = view
        self._hub = Lane(bridge, self)  # one question at a time: the newest counts
        self._speed = Lane(bridge, self)
        self._expectation: Callable[[str], object] | None = None  # shows what to expect of the one asked about
        self._asked = ""  # the offer whose button waits for the Hub
        view.search_changed.connect(self._search)
        view.download_requested.connect(self._download_offer)
        view.expectation_wanted.connect(self._expect_of_offer)
        view.hub.stock.looked_at.connect(self._expect_of_file)
        view.hub.repository_chosen.connect(self.look)
        view.hub.stock.download_requested.connect(self._begin)
        view.hub.stock.use_requested.connect(self.use_requested)

    def refresh(self) -> None:
        """Free memory changes, and with it what fits."""
        self._bridge.run(self._models.offers, self._view.show_offers, receiver=self._view)

    def stop(self) -> None:
        self._hub.stop()
        self._forget_expectation()

    def look(self, repository: str) -> None:
        """Show the files of a repository."""
        self._release()
        self._view.hub.show_looking(repository)

        def failed(info: ErrorInfo) -> None:
            self._view.hub.show_stock_error(_text(info))
            self._offer_token(info, repository, lambda: self.look(repository))

        self._hub.ask(lambda cancel: self._models.stock(repository, cancel), self._view.hub.show_stock, failed)

    def ask_token(self, info: ErrorInfo, repository: str, then: Callable[[], object]) -> None:
        """Ask for an access token, keep it, and go on with ``then``."""
        page = info.values.get("page", "")
        what = self.tr("Accept its terms on its page if it has any, then paste an access token of your account here.")
        reason = f"{error_message(info)} {what}".strip()
        self._bridge.run(
            lambda: self._secrets.available,
            lambda kept: self._open_token(repository, page, reason, kept, then),
            receiver=self,
        )

    def _expect_of_offer(self, name: str, quantization: str) -> None:
        card = self._view.card(name)
        if card is not None:
            self._expect(name, quantization, card.show_expectation)

    def _expect_of_file(self, stock: Stock, item: StockItem) -> None:
        self._expect(stock.repository.id, item.model.name, self._view.hub.stock.expected.show_text)

    def _expect(self, name: str, quantization: str, show: Callable[[str], object]) -> None:
        """Say what to expect before anything is downloaded. Where the Hub does not answer, nothing is said."""
        self._forget_expectation()
        self._expectation = show
        show(self.tr("Asking the Hub how fast it would be…"))

        def known(sentence: str) -> None:
            self._expectation = None
            show(sentence)

        self._speed.ask(lambda cancel: self._sentence(name, quantization, cancel), known, lambda _: known(""))

    def _sentence(self, name: str, quantization: str, cancel: CancelToken) -> str:
        """How a model would run here, from its first megabytes on the Hub; "" while offline. Runs on the pool."""
        if self._settings.get().offline:
            return ""
        return self._plans.of_download(name, quantization, cancel).sentence

    def _find(self, query: str, cancel: CancelToken) -> list[RepoSummary]:
        """Runs on the pool."""
        return self._models.hub().search(query, limit=MOST_FOUND, cancel=cancel)

    def _forget_expectation(self) -> None:
        self._speed.stop()
        show, self._expectation = self._expectation, None
        if show is not None:
            show("")

    def _search(self, query: str) -> None:
        self._release()
        if not query:
            self._hub.stop()
            return
        hub = self._view.hub
        self._hub.ask(
            lambda cancel: self._find(query, cancel),
            hub.show_results,
            lambda info: hub.show_search_error(_text(info)),
        )

    def _download_offer(self, name: str, quantization: str) -> None:
        self._release()
        self._asked = name
        self._view.set_busy(name, True)

        def looked(stock: Stock) -> None:
            self._release()
            found = [item for item in stock.items if item.model.quantization.casefold() == quantization.casefold()]
            if not found:
                self._show_instead(stock)
            elif found[0].cached:
                self.use_requested.emit(found[0].cached)
            else:
                self._begin(stock, found[0])

        def failed(info: ErrorInfo) -> None:
            self._release()
            self._refused(info, name, lambda: self._download_offer(name, quantization))

        self._hub.ask(lambda cancel: self._models.stock(name, cancel), looked, failed)

    def _show_instead(self, stock: Stock) -> None:
        """The repository has changed since the list was made: show what it has now."""
        self._view.search.blockSignals(True)
        self._view.search.setText(stock.repository.id)
        self._view.search.blockSignals(False)
        self._view.show_hub()
        self._view.hub.show_results([])
        self._view.hub.show_stock(stock)

    def _begin(self, stock: Stock, item: StockItem) -> None:
        """What must be settled first, one after the other: the token, the licence."""
        repository = stock.repository
        if repository.gated and not stock.has_token:
            info = ErrorInfo(
                "hub-gated",
                "{repository} is given only to people who accepted its licence.",
                "",
                {"repository": repository.id, "page": repository.page},
            )
            self.ask_token(info, repository.id, lambda: self._accept(stock, item))
        else:
            self._accept(stock, item)

    def _accept(self, stock: Stock, item: StockItem) -> None:
        licence = stock.repository.licence
        if not licence.asks:
            self._start(stock, item, accepted=False)
            return
        dialog = LicenceDialog(item.model.name, licence.name, licence.link, self._view.window())
        dialog.accepted.connect(lambda: self._start(stock, item, accepted=True))
        dialog.open()

    def _start(self, stock: Stock, item: StockItem, *, accepted: bool) -> None:
        self._forget_expectation()
        self._view.hub.stock.set_busy(True)

        def started(_id: str) -> None:
            self._view.hub.stock.set_busy(False)
            self.started.emit()

        def failed(info: ErrorInfo) -> None:
            self._view.hub.stock.set_busy(False)
            self.failed.emit(info)

        def start() -> str:
            return self._models.downloads.start(stock.repository, item.model, accepted=accepted)

        self._bridge.run(start, started, failed, receiver=self)

    def _refused(self, info: ErrorInfo, name: str, again: Callable[[], object]) -> None:
        if not self._offer_token(info, name, again):
            self.failed.emit(info)

    def _offer_token(self, info: ErrorInfo, name: str, again: Callable[[], object]) -> bool:
        if info.code not in TOKEN_CODES:
            return False
        self.ask_token(info, info.values.get("repository", name), again)
        return True

    def _open_token(
        self, repository: str, page: str, reason: str, kept: bool, then: Callable[[], object]
    ) -> TokenDialog:
        dialog = TokenDialog(repository, page, reason, kept=kept, parent=self._view.window())
        dialog.given.connect(lambda token: self._keep_token(token, then))
        dialog.open()
        return dialog

    def _keep_token(self, token: str, then: Callable[[], object]) -> None:
        self._bridge.run(lambda: self._models.save_token(token), lambda _: then(), self.failed.emit, receiver=self)

    def _release(self) -> None:
        """A newer question takes the place of the one that a card waits for."""
        asked, self._asked = self._asked, ""
        if asked:
            self._view.set_busy(asked, False)


def _text(info: ErrorInfo) -> str:
    return f"{error_message(info)} {error_hint(info)}".strip()
