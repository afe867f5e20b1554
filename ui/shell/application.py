"""Starts the window and ends everything in order."""

import contextlib
import gc
import locale
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib import resources
from types import TracebackType
from typing import TYPE_CHECKING

from PySide6.QtCore import (
    QByteArray,
    QEvent,
    QLibraryInfo,
    QLocale,
    QMessageLogContext,
    QObject,
    Qt,
    QTimer,
    QtMsgType,
    QTranslator,
    qInstallMessageHandler,
)
from PySide6.QtGui import QFileOpenEvent, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication, QMessageBox

from app.diagnostics.libraries import missing_libraries, no_window
from app.domain.errors import AppError, ErrorInfo
from ui.errors import error_hint, error_message
from ui.theme import apply_theme

if TYPE_CHECKING:
    from ui.shell.instance import Instance
    from ui.shell.window import MainWindow

log = logging.getLogger(__name__)
ICON_SIZES = (16, 24, 32, 48, 64, 128, 256)  # px
STARTED_MS = 3000
SIGNAL_MS = 500  # Python sees a signal only when it runs


def run_window(paths: Sequence[str]) -> int:
    """Open the window, with models and documents it was called with, and return when it is closed."""
    app = make_application()
    instance = make_instance(app)
    if instance is not None and not instance.begin(paths):
        return 0  # another window has them now
    # A start that ends above has no need of these, and is done in a third of the time without.
    from app.diagnostics.report import program
    from app.diagnostics.running import RunFile
    from app.services import Services
    from ui.bridge import Bridge
    from ui.shell.window import MainWindow

    try:
        services = Services.create()
    except AppError as error:
        if instance is not None:
            instance.close()
        return _refuse(error.info)
    log.info("%s begins", program())
    running = RunFile(services.paths.logs)
    settings = services.settings.get()
    translators = install_translations(app, settings.language)
    apply_theme(app, settings.theme)
    bridge = Bridge(services.mailbox)
    window = MainWindow(services, bridge)
    sys.excepthook = report_bugs(window.show_error)
    _quit_on_signals(window)
    if instance is not None:
        instance.called.connect(window.called)
    if sys.platform == "darwin":  # elsewhere it would look at every event for nothing
        app.installEventFilter(OpenedFiles(window.open_paths, window))
    window.show()
    if running.crash is not None:
        window.tell_of_crash(crashed())
    QTimer.singleShot(0, lambda: window.start(paths))
    QTimer.singleShot(STARTED_MS, gc.freeze)  # else a collection looks at all that was imported, for about 50 ms
    status = app.exec()
    if instance is not None:
        instance.close()  # a start from now on opens a window of its own
    # The window is gone from the screen by now, so nobody waits for what is stored and joined here.
    bridge.close()
    services.close()
    running.close()
    log.info("ended with %d after %d translations", status, len(translators))
    return status


def make_application() -> QApplication:
    with no_window_in_words():
        app = QApplication(sys.argv[:1])
    app.setApplicationName("Alcove")
    app.setDesktopFileName("alcove")
    app.setWindowIcon(app_icon())
    # Qt takes the environment's number format; numbers in JSON and C code must not follow.
    locale.setlocale(locale.LC_NUMERIC, "C")
    return app


@contextlib.contextmanager
def no_window_in_words() -> Iterator[None]:
    """Where Qt can open no window it says so to programmers, and aborts; here the person is told what to install."""
    said: list[str] = []

    def hear(kind: QtMsgType, _where: QMessageLogContext, text: str) -> None:
        if kind is not QtMsgType.QtFatalMsg:
            said.append(text)
            log.info("Qt: %s", text)
            return
        sentence = no_window(missing_libraries(os.environ), said[0] if said else text)
        log.info("No window: %s", text)
        sys.stderr.write(f"alcove: {sentence}\n")
        sys.stderr.flush()
        os._exit(1)  # nothing is open yet, and Qt goes on to abort

    before = qInstallMessageHandler(hear)
    try:
        yield
    finally:
        qInstallMessageHandler(before)


def app_icon() -> QIcon:
    """The program's own icon, in the sizes that windows and task bars want."""
    svg = resources.files("resources").joinpath("icons/alcove.svg").read_bytes()
    renderer = QSvgRenderer(QByteArray(svg))
    drawn = QIcon()
    for size in ICON_SIZES:
        pixmap = QPixmap(size, size)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        renderer.render(painter)
        painter.end()
        drawn.addPixmap(pixmap)
    return drawn


def make_instance(app: QApplication) -> "Instance | None":
    """None where there is no safe place to meet other starts of the program, or no library for it."""
    try:
        from ui.shell.instance import Instance, instance_folder, instance_name  # Qt's network library needs Kerberos'

        return Instance(instance_name(os.environ), instance_folder(os.environ), app)
    except (OSError, ImportError) as error:
        log.info("no single instance: %r", error)
        return None


class OpenedFiles(QObject):
    """macOS hands files that are opened with the program to it as events."""

    def __init__(self, open_paths: Callable[[Sequence[str]], object], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._open = open_paths

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QFileOpenEvent) and event.file():
            self._open([event.file()])
            return True
        return super().eventFilter(watched, event)


def install_translations(app: QApplication, language: str) -> list[QTranslator]:
    """Qt's own texts and ours in ``language`` ("" is the system's), where they exist."""
    chosen = QLocale(language) if language else QLocale()
    ours = str(resources.files("resources").joinpath("translations"))
    installed = []
    for name, folder in (("qtbase", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)), ("alcove", ours)):
        translator = QTranslator(app)
        if translator.load(chosen, name, "_", folder):
            app.installTranslator(translator)
            installed.append(translator)
    return installed


def report_bugs(
    show: Callable[[ErrorInfo], object],
) -> Callable[[type[BaseException], BaseException, TracebackType | None], None]:
    """What Python calls for an exception that nobody caught: log it whole, tell of it, live on."""

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        log.critical("uncaught", exc_info=(kind, error, trace))
        if issubclass(kind, Exception):
            show(
                ErrorInfo(
                    "internal",
                    "Something went wrong inside the program.",
                    "You can go on. Please report it.",
                    detail=repr(error),
                )
            )

    return hook


def crashed() -> ErrorInfo:
    return ErrorInfo(
        "crashed",
        "The last time, Alcove ended unexpectedly.",
        "Your chats are kept, with what was answered until then.",
    )


def _quit_on_signals(window: "MainWindow") -> None:
    """Ctrl+C in a terminal and the end of a session close the window as a person would."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: window.close())
    awake = QTimer(window)
    awake.timeout.connect(lambda: None)
    awake.start(SIGNAL_MS)


def _refuse(info: ErrorInfo) -> int:
    sys.stderr.write(f"alcove: {info.text()}\n")
    QMessageBox.critical(None, "Alcove", f"{error_message(info)}\n\n{error_hint(info)}")
    return 1
