"""Help > Copy report…: what is shown is what is copied, and it is offered after a crash and after our own mistakes."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame
from pytestqt.qtbot import QtBot

from app.domain.errors import ErrorInfo
from ui.shell.application import crashed, report_bugs
from ui.shell.report import ReportDialog
from ui.shell.window import MainWindow

Settle = Callable[[Callable[[], bool]], None]


def shown(window: MainWindow) -> ReportDialog:
    (dialog,) = window.findChildren(ReportDialog)
    return dialog


def test_the_whole_report_is_shown_before_it_is_copied(window: MainWindow, services: Any, settle: Settle) -> None:
    asked = threading.Event()
    services.report = lambda: asked.wait(5) and "Alcove 1.2\nRAM"
    QGuiApplication.clipboard().clear()
    window.actions_by_text["Copy report…"].trigger()
    dialog = shown(window)
    assert not dialog.copy.isEnabled()
    asked.set()
    settle(dialog.copy.isEnabled)
    assert dialog.text.toPlainText() == "Alcove 1.2\nRAM"
    assert dialog.text.isReadOnly()
    assert QGuiApplication.clipboard().text() == ""
    dialog.copy.click()
    assert QGuiApplication.clipboard().text() == "Alcove 1.2\nRAM"
    dialog.reject()


def test_a_dialog_that_is_closed_before_the_report_is_there_is_no_matter(
    window: MainWindow, services: Any, settle: Settle
) -> None:
    asked, made = threading.Event(), threading.Event()

    def make() -> str:
        asked.wait(5)
        made.set()
        return "late"

    services.report = make
    window.copy_report()
    shown(window).reject()
    settle(lambda: not window.findChildren(ReportDialog))
    asked.set()
    settle(made.is_set)


def test_after_a_crash_a_calm_line_offers_it(window: MainWindow, services: Any, settle: Settle) -> None:
    services.report = lambda: "the report"
    window.tell_of_crash(crashed())
    banner = window.views.banner
    assert banner.text().startswith("The last time, Alcove ended unexpectedly. Your chats are kept")
    assert banner.property("kind") == "note"
    banner.action.click()
    assert banner.isHidden()
    settle(lambda: shown(window).text.toPlainText() == "the report")
    shown(window).reject()
    window.show_error(ErrorInfo("disk-full", "The disk is full."))
    assert banner.property("kind") == "banner"
    assert banner.action.isHidden()


def test_our_own_mistakes_come_with_it(window: MainWindow, caplog: pytest.LogCaptureFixture) -> None:
    hook = report_bugs(window.show_error)
    try:
        raise ZeroDivisionError
    except ZeroDivisionError as error:
        hook(type(error), error, error.__traceback__)
    assert "Please report it." in window.views.banner.text()
    assert window.views.banner.action.isVisible()


def test_the_line_fits_a_small_window(window: MainWindow, qtbot: QtBot) -> None:
    window.resize(900, 600)
    window.tell_of_crash(crashed())
    banner = window.views.banner
    assert isinstance(banner, QFrame)
    qtbot.waitUntil(lambda: banner.action.isVisible() and banner.geometry().right() <= window.width())
    assert banner.height() < 120
