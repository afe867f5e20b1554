"""What stands around the window: translations, bugs, the refusal to start."""

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtGui import QFileOpenEvent
from PySide6.QtWidgets import QApplication, QMessageBox

from app.domain.errors import AppError, ErrorInfo
from app.services import Services
from ui.shell import application


def test_a_bug_is_logged_and_shown(caplog: pytest.LogCaptureFixture) -> None:
    shown: list[ErrorInfo] = []
    hook = application.report_bugs(shown.append)
    try:
        raise ZeroDivisionError("by hand")
    except ZeroDivisionError as error:
        hook(type(error), error, error.__traceback__)
    assert shown[0].detail == "ZeroDivisionError('by hand')"
    assert "by hand" in caplog.text
    hook(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert len(shown) == 1


def test_a_store_that_cannot_be_opened_is_one_sentence_and_no_window(
    themed: QApplication, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse() -> Services:
        raise AppError("database-newer", "This file is from a newer Alcove.", "Install the newer one.")

    told: list[str] = []
    monkeypatch.setattr(application, "make_application", lambda: themed)
    monkeypatch.setattr(application, "make_instance", lambda _app: None)
    monkeypatch.setattr(Services, "create", staticmethod(refuse))
    monkeypatch.setattr(QMessageBox, "critical", lambda _parent, _title, text: told.append(text))
    assert application.run_window([]) == 1
    assert capsys.readouterr().err == "alcove: This file is from a newer Alcove. Install the newer one.\n"
    assert told == ["This file is from a newer Alcove.\n\nInstall the newer one."]


def test_an_unknown_language_is_no_matter(themed: QApplication) -> None:
    assert application.install_translations(themed, "xx") == []


def test_a_second_start_ends_before_anything_is_opened(themed: QApplication, monkeypatch: pytest.MonkeyPatch) -> None:
    handed: list[list[str]] = []

    class Other:
        def begin(self, paths: list[str]) -> bool:
            handed.append(paths)
            return False

    monkeypatch.setattr(application, "make_application", lambda: themed)
    monkeypatch.setattr(application, "make_instance", lambda _app: Other())
    monkeypatch.setattr(Services, "create", None)
    assert application.run_window(["/a.gguf"]) == 0
    assert handed == [["/a.gguf"]]


def test_the_icon_is_drawn_for_windows_and_task_bars(qapp: QApplication) -> None:
    sizes = [size.width() for size in application.app_icon().availableSizes()]
    assert sizes == list(application.ICON_SIZES)
    image = application.app_icon().pixmap(64).toImage()
    assert image.pixelColor(0, 0).alpha() == 0
    assert image.pixelColor(32, 10).alpha() == 255


def test_a_file_opened_on_macos_is_opened_here(qapp: QApplication) -> None:
    opened: list[list[str]] = []
    files = application.OpenedFiles(opened.append)
    assert files.eventFilter(qapp, QFileOpenEvent("/a.gguf"))
    assert not files.eventFilter(qapp, QEvent(QEvent.Type.User))
    assert opened == [["/a.gguf"]]
