"""What stands around the window: translations, bugs, the refusal to start."""

import pytest
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
    monkeypatch.setattr(Services, "create", staticmethod(refuse))
    monkeypatch.setattr(QMessageBox, "critical", lambda _parent, _title, text: told.append(text))
    assert application.run_window([]) == 1
    assert capsys.readouterr().err == "alcove: This file is from a newer Alcove. Install the newer one.\n"
    assert told == ["This file is from a newer Alcove.\n\nInstall the newer one."]


def test_an_unknown_language_is_no_matter(themed: QApplication) -> None:
    assert application.install_translations(themed, "xx") == []
