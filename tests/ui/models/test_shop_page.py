"""The tab "Get models" and the list of downloads, over the loopback Hub."""

from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.domain.events import DownloadFailed, DownloadFinished, DownloadProgress, DownloadState
from app.storage.paths import Paths
from ui.models.dialogs import LicenceDialog, TokenDialog
from ui.models.downloads.rows import DownloadLine
from ui.models.manager import ModelManager
from ui.models.page import ModelsPage

Settle = Callable[[Callable[[], bool]], None]
Download = Callable[[str], Any]
REPO = "maker/Model-GGUF"


def only_line(page: ModelsPage) -> DownloadLine:
    (line,) = page.downloads.lines.values()
    return line


def dialog_of(page: ModelsPage, kind: type) -> Any:
    return page.window().findChild(kind)


def test_the_list_tells_sizes_and_what_fits(page: ModelsPage) -> None:
    assert len(page.shop.cards) == 12
    first, last = page.shop.cards[0], page.shop.cards[-1]
    assert "8.3B parameters, 1.5B active" in first._facts(first.offer.model)
    assert first.offer.model.licence_asks
    last.chooser.setCurrentIndex(last.chooser.count() - 1)
    assert last.fit.text().startswith("Larger than memory")
    assert last.fit.property("kind") == "fit-poor"


def test_from_a_search_to_a_model_in_use(
    hub: Any, make: Any, page: ModelsPage, told: Any, home: Paths, download: Download, settle: Settle
) -> None:
    hub.add(REPO, {**make.shards(3, 200_000), "Model-Q8_0.gguf": make.gguf(900_000)})
    started = download(REPO)
    files = started.stock.model
    assert [[files.index(row, column).data() for column in range(4)] for row in range(2)] == [
        ["Q4_K_M", "599 KB", "3", "fits into memory"],
        ["Q8_0", "900 KB", "1", "fits into memory"],
    ]
    settle(lambda: len(page.downloads.lines) == 1 and bool(only_line(page).row.path))
    line = only_line(page)
    assert line.state.text() == "900 KB, checked and in the library"
    line.use.click()
    assert told.used == [line.row.path]
    assert told.changes == 1
    settle(lambda: page.library.model.row_of(line.row.path) >= 0)
    line.cancel.click()
    assert page.downloads.lines == {}
    assert page.downloads.isHidden()


def test_pause_resume_and_cancel(hub: Any, make: Any, page: ModelsPage, download: Download, settle: Settle) -> None:
    hub.add(REPO, {"Model-Q8_0.gguf": make.gguf(4_000_000)})
    hub.hold_at = 1_000_000
    download(REPO)
    settle(lambda: len(page.downloads.lines) == 1 and hub.holding.is_set())
    only_line(page).pause.click()
    hub.go.set()
    settle(lambda: only_line(page).row.state is DownloadState.PAUSED)
    assert "paused" in only_line(page).state.text()
    assert only_line(page).resume.isVisible()
    assert not only_line(page).pause.isVisible()
    hub.hold_at = None
    only_line(page).resume.click()
    settle(lambda: bool(only_line(page).row.path))
    page.downloads.wanted.dismissed.emit(only_line(page).row.id)
    hub.add("maker/Other-GGUF", {"Other-Q8_0.gguf": make.gguf(4_000_000, seed=2)})
    hub.hold_at, hub.sent = 100_000, 0
    hub.holding.clear()
    hub.go.clear()
    download("maker/Other-GGUF")
    settle(lambda: len(page.downloads.lines) == 1 and hub.holding.is_set())
    only_line(page).cancel.click()
    assert page.downloads.lines == {}
    hub.go.set()


def test_what_a_last_run_left_is_shown_and_goes_on(
    services: Any, hub: Any, make: Any, models: Any, manager: ModelManager, page: ModelsPage, settle: Settle
) -> None:
    hub.add(REPO, {"Model-Q8_0.gguf": make.gguf(2_000_000)})
    hub.hold_at = 500_000
    repository = models.repository(REPO)
    models.downloads.start(repository, repository.models[0])
    assert hub.holding.wait(10)
    hub.go.set()
    models.downloads.close()
    hub.hold_at = None
    models.downloads._closed = False  # as a new run of the program would find it
    manager.downloads.start()
    settle(lambda: len(page.downloads.lines) == 1 and bool(only_line(page).row.path))


def test_a_licence_is_accepted_first(
    hub: Any, make: Any, page: ModelsPage, download: Download, settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[QUrl] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)
    card = {"license": "other", "license_name": "modified-mit", "license_link": "LICENSE"}
    hub.add(REPO, {"Model-Q8_0.gguf": make.gguf(300_000)}, card=card)
    download(REPO)
    dialog = dialog_of(page, LicenceDialog)
    assert isinstance(dialog, LicenceDialog)
    assert opened == []
    dialog.link.click()
    assert [url.path() for url in opened] == [f"/{REPO}/blob/main/LICENSE"]
    assert not dialog.yes.isEnabled()
    dialog.accepted_box.setChecked(True)
    dialog.yes.click()
    settle(lambda: len(page.downloads.lines) == 1 and bool(only_line(page).row.path))


def test_a_gated_repository_asks_for_a_token(
    hub: Any, make: Any, page: ModelsPage, services: Any, download: Download, settle: Settle
) -> None:
    hub.add(REPO, {"Model-Q8_0.gguf": make.gguf(300_000)}, gated=True)
    download(REPO)
    settle(lambda: isinstance(dialog_of(page, TokenDialog), TokenDialog))
    dialog = dialog_of(page, TokenDialog)
    assert not dialog.yes.isEnabled()
    dialog.field.setText(" hf_secret ")
    dialog.yes.click()
    settle(lambda: len(page.downloads.lines) == 1 and bool(only_line(page).row.path))
    sent = [(path, {name.lower(): value for name, value in headers.items()}) for _, path, headers in hub.requests]
    assert {headers.get("authorization") for path, headers in sent if "/resolve/" in path} == {"Bearer hf_secret"}
    assert not any("authorization" in headers for path, headers in sent if path.startswith("/cdn/"))


def test_a_refused_download_offers_the_token_and_goes_on(
    hub: Any, make: Any, page: ModelsPage, download: Download, settle: Settle
) -> None:
    hub.add(REPO, {"Model-Q8_0.gguf": make.gguf(300_000)})
    hub.refuse("/resolve/", 403, times=1, X_Error_Code="GatedRepo")
    download(REPO)
    settle(lambda: len(page.downloads.lines) == 1 and only_line(page).row.error is not None)
    line = only_line(page)
    assert line.token.isVisible()
    line.token.click()
    settle(lambda: isinstance(dialog_of(page, TokenDialog), TokenDialog))
    dialog_of(page, TokenDialog).field.setText("hf_x")
    dialog_of(page, TokenDialog).accept()
    settle(lambda: bool(only_line(page).row.path))


def test_an_offer_is_looked_up_and_downloaded(hub: Any, make: Any, page: ModelsPage, told: Any, settle: Settle) -> None:
    card = next(card for card in page.shop.cards if not card.offer.model.licence_asks)
    name = f"x-{card.offer.model.quantizations[0].name}.gguf"
    hub.add(card.offer.model.repository, {name: make.gguf(200_000)})
    card.chooser.setCurrentIndex(0)
    card.download.click()
    assert not card.download.isEnabled()
    settle(lambda: len(page.downloads.lines) == 1 and bool(only_line(page).row.path))
    assert card.download.isEnabled()
    assert told.errors == []


def test_an_offer_that_changed_on_the_hub_shows_what_is_there(
    hub: Any, make: Any, page: ModelsPage, settle: Settle
) -> None:
    card = page.shop.cards[1]
    hub.add(card.offer.model.repository, {"x-Q2_K.gguf": make.gguf(2000)})
    card.download.click()
    settle(lambda: page.shop.hub.stock.title.text() == card.offer.model.repository)
    assert page.shop.searching
    page.shop.search.clear()
    assert not page.shop.searching


@pytest.mark.parametrize(
    ("status", "words"), [(404, "There is no repository"), (500, "cannot answer at the moment"), (429, "pause")]
)
def test_the_hubs_refusal_is_one_sentence_where_one_looks(
    status: int, words: str, hub: Any, make: Any, page: ModelsPage, settle: Settle
) -> None:
    hub.add(REPO, {"Model-Q8_0.gguf": make.gguf(2000)})
    page.show_shop()
    page.shop.search.setText("model")
    page.shop.search.returnPressed.emit()
    settle(lambda: page.shop.hub.results.rowCount() == 1)
    hub.refuse(f"/api/models/{REPO}", status)
    page.shop.hub.list.setCurrentIndex(page.shop.hub.results.index(0, 0))
    settle(lambda: words in page.shop.hub.notes()[1])
    hub.refuse("/api/models", 503)
    page.shop.search.setText("other")
    page.shop.search.returnPressed.emit()
    settle(lambda: "cannot answer" in page.shop.hub.notes()[0])


def test_nothing_found(hub: Any, page: ModelsPage, settle: Settle) -> None:
    page.show_shop()
    page.shop.search.setText("nothing like it")
    settle(lambda: page.shop.hub.notes()[0] == "Nothing with GGUF files was found.")


def test_offline_is_one_sentence(hub: Any, page: ModelsPage, services: Any, manager: ModelManager) -> None:
    page.show_shop()
    manager.use_settings(services.settings.update(offline=True))
    assert page.shop.offline_note.isVisible()
    assert not page.shop.search.isVisible()
    assert not any(card.download.isEnabled() for card in page.shop.cards)
    manager.use_settings(services.settings.update(offline=False))
    assert page.shop.search.isVisible()
    assert all(card.download.isEnabled() for card in page.shop.cards)
    assert hub.requests == []


def test_going_offline_pauses_what_is_under_way(
    page: ModelsPage, services: Any, manager: ModelManager, settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    paused: list[str] = []
    monkeypatch.setattr(services.models.downloads, "pause", paused.append)
    for state in (DownloadState.DOWNLOADING, DownloadState.PAUSED, DownloadState.WAITING):
        services.mailbox.publish(DownloadProgress(state.value, "Big", 2_000, 8_000, 0.0, state))
    settle(lambda: len(page.downloads.lines) == 3)
    manager.use_settings(services.settings.update(theme="dark"))
    manager.use_settings(services.settings.update(offline=True))
    settle(lambda: sorted(paused) == ["downloading", "waiting"])


def test_a_row_tells_speed_and_time(page: ModelsPage, services: Any, settle: Settle) -> None:
    told = DownloadProgress("d", "Big", 2_000_000_000, 8_000_000_000, 50_000_000.0, DownloadState.DOWNLOADING)
    services.mailbox.publish(told)
    settle(lambda: len(page.downloads.lines) == 1)
    assert only_line(page).state.text() == "2.0 GB of 8.0 GB · 50.0 MB/s · 2 min left"
    assert only_line(page).bar.value() == 250


def test_events_of_another_windows_downloads_are_no_rows(
    page: ModelsPage, services: Any, manager: ModelManager, settle: Settle
) -> None:
    services.mailbox.publish(DownloadFinished("elsewhere", "/x.gguf"))
    services.mailbox.publish(DownloadFailed("elsewhere", None))  # type: ignore[arg-type] # nobody looks at it
    services.mailbox.publish(DownloadProgress("mine", "Mine", 1, 2, 0.0, DownloadState.QUEUED))
    settle(lambda: len(manager.downloads.rows) == 1)
    assert [row.id for row in manager.downloads.rows] == ["mine"]


def test_nothing_is_cut_on_a_narrow_page(page: ModelsPage, qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(420, 600)  # the least that the main window leaves it
    page.setParent(window)
    page.setMinimumSize(0, 0)  # as a window of its own it had one
    page.setGeometry(window.rect())
    window.show()
    page.show()
    for show in (page.show_library, page.show_shop):
        show()
        page.grab()
        assert page.width() == 420
        buttons = [button for button in page.findChildren(QPushButton) if button.isVisible() and button.text()]
        assert buttons
        for button in buttons:
            assert button.width() >= button.sizeHint().width(), button.text()
            assert button.mapTo(page, button.rect().topRight()).x() < page.width(), button.text()
    page.setParent(None)  # it is closed by whoever made it
