"""From a wish to a download: looking up, the token, the licence, the start."""

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from app.domain.errors import ErrorInfo
from ui.bridge import Bridge
from ui.errors import error_hint, error_message
from ui.models.dialogs import LicenceDialog, TokenDialog
from ui.models.downloads.rows import TOKEN_CODES
from ui.models.lane import Lane
from ui.models.shop.view import ShopView
from ui.models.source import ModelSource
from ui.models.values import Choice, Stock


class ShopController(QObject):
    started = Signal()  # a download
    use_requested = Signal(str)  # path of a model in the Hub's cache
    failed = Signal(object)  # ErrorInfo

    def __init__(self, source: ModelSource, bridge: Bridge, view: ShopView, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._source = source
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
        self._bridge.run(self._source.offers, self._view.show_offers, receiver=self._view)

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

        self._hub.ask(lambda cancel: self._source.look(repository, cancel), self._view.hub.show_stock, failed)

    def ask_token(self, info: ErrorInfo, repository: str, then: Callable[[], object]) -> None:
        """Ask for an access token, keep it, and go on with ``then``."""
        page = info.values.get("page", "")
        what = self.tr("Accept its terms on its page if it has any, then paste an access token of your account here.")
        reason = f"{error_message(info)} {what}".strip()
        self._bridge.run(
            self._source.keeps_tokens,
            lambda kept: self._open_token(repository, page, reason, kept, then),
            receiver=self,
        )

    def _expect_of_offer(self, name: str, quantization: str) -> None:
        card = self._view.card(name)
        if card is not None:
            self._expect(name, quantization, card.show_expectation)

    def _expect_of_file(self, stock: Stock, choice: Choice) -> None:
        self._expect(stock.id, choice.name, self._view.hub.stock.expected.show_text)

    def _expect(self, name: str, quantization: str, show: Callable[[str], object]) -> None:
        """Say what to expect before anything is downloaded. Where the Hub does not answer, nothing is said."""
        self._forget_expectation()
        self._expectation = show
        show(self.tr("Asking the Hub how fast it would be…"))

        def known(sentence: str) -> None:
            self._expectation = None
            show(sentence)

        self._speed.ask(lambda cancel: self._source.expect(name, quantization, cancel), known, lambda _: known(""))

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
            lambda cancel: self._source.search(query, cancel),
            hub.show_results,
            lambda info: hub.show_search_error(_text(info)),
        )

    def _download_offer(self, name: str, quantization: str) -> None:
        self._release()
        self._asked = name
        self._view.set_busy(name, True)

        def looked(stock: Stock) -> None:
            self._release()
            found = [choice for choice in stock.choices if choice.quantization.casefold() == quantization.casefold()]
            if not found:
                self._show_instead(stock)
            elif found[0].cached:
                self.use_requested.emit(found[0].cached)
            else:
                self._begin(stock, found[0])

        def failed(info: ErrorInfo) -> None:
            self._release()
            self._refused(info, name, lambda: self._download_offer(name, quantization))

        self._hub.ask(lambda cancel: self._source.look(name, cancel), looked, failed)

    def _show_instead(self, stock: Stock) -> None:
        """The repository has changed since the list was made: show what it has now."""
        self._view.search.blockSignals(True)
        self._view.search.setText(stock.id)
        self._view.search.blockSignals(False)
        self._view.show_hub()
        self._view.hub.show_results([])
        self._view.hub.show_stock(stock)

    def _begin(self, stock: Stock, choice: Choice) -> None:
        """What must be settled first, one after the other: the token, the licence."""
        if stock.gated and not stock.has_token:
            info = ErrorInfo(
                "hub-gated",
                "{repository} is given only to people who accepted its licence.",
                "",
                {"repository": stock.id, "page": stock.page},
            )
            self.ask_token(info, stock.id, lambda: self._accept(stock, choice))
        else:
            self._accept(stock, choice)

    def _accept(self, stock: Stock, choice: Choice) -> None:
        if not stock.asks:
            self._start(stock, choice, accepted=False)
            return
        dialog = LicenceDialog(choice.name, stock.licence, stock.licence_page, self._view.window())
        dialog.accepted.connect(lambda: self._start(stock, choice, accepted=True))
        dialog.open()

    def _start(self, stock: Stock, choice: Choice, *, accepted: bool) -> None:
        self._forget_expectation()
        self._view.hub.stock.set_busy(True)

        def started(_id: str) -> None:
            self._view.hub.stock.set_busy(False)
            self.started.emit()

        def failed(info: ErrorInfo) -> None:
            self._view.hub.stock.set_busy(False)
            self.failed.emit(info)

        self._bridge.run(lambda: stock.start(choice.name, accepted), started, failed, receiver=self)

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
        self._bridge.run(lambda: self._source.save_token(token), lambda _: then(), self.failed.emit, receiver=self)

    def _release(self) -> None:
        """A newer question takes the place of the one that a card waits for."""
        asked, self._asked = self._asked, ""
        if asked:
            self._view.set_busy(asked, False)


def _text(info: ErrorInfo) -> str:
    return f"{error_message(info)} {error_hint(info)}".strip()
