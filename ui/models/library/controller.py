"""Keeps the tab "On this computer": reads it again when it may have changed, verifies, imports, removes."""

import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.domain.cancel import CancelToken
from app.domain.errors import ErrorInfo
from app.domain.library import FileProgress, ImportBy, LibraryModel, Removal
from app.services import Services
from ui.bridge import Bridge
from ui.models.dialogs import ImportDialog, RemoveDialog
from ui.models.lane import Lane
from ui.models.library.view import LibraryView

PROGRESS_S = 0.1


class LibraryController(QObject):
    use_requested = Signal(str)  # path
    changed = Signal()  # models came or went
    failed = Signal(object)  # ErrorInfo
    _worked = Signal(object, object)  # bytes done, bytes in all; emitted by the pool's thread

    def __init__(self, services: Services, bridge: Bridge, view: LibraryView, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._models = services.models
        self._bridge = bridge
        self._view = view
        self._reading = Lane(bridge, self)
        self._work = Lane(bridge, self)  # long work on files: one at a time
        self._doing = ""
        view.use_requested.connect(lambda model: self.use_requested.emit(model.path))
        view.verify_requested.connect(self._verify)
        view.remove_requested.connect(self._ask_to_remove)
        view.import_requested.connect(self.ask_to_import)
        view.folder_added.connect(self._add_folder)
        view.work_cancelled.connect(self._work.stop)
        self._work.busy_changed.connect(self._busy)
        self._worked.connect(self._show_progress)

    def refresh(self, choose: str = "") -> None:
        """Read the folders again; ``choose``: the path of the row to choose then."""

        def show(models: list[LibraryModel]) -> None:
            self._view.show_models(models)
            if choose:
                self._view.choose(choose)

        self._reading.ask(lambda _cancel: self._models.library.models(), show, self.failed.emit)

    def stop(self) -> None:
        """The window closes."""
        self._reading.stop()
        self._work.stop()

    def ask_to_import(self, path: str) -> None:
        name = path.replace("\\", "/").rpartition("/")[2]
        dialog = ImportDialog(name, self._view.window())
        dialog.chosen.connect(lambda way: self._import(path, name, way))
        dialog.open()

    def _verify(self, model: LibraryModel) -> None:
        def verify(cancel: CancelToken) -> str:
            checks = self._models.verify(model, self._progress(), cancel)
            return " ".join(check.error for check in checks if check.error)

        def done(problem: str) -> None:
            good = self.tr("{name} is whole: its files are as they should be.").format(name=model.name)
            self._view.show_note(problem or good)

        self._begin(self.tr("Verifying {name}").format(name=model.name))
        self._work.ask(verify, done, self.failed.emit)

    def _import(self, path: str, name: str, way: str) -> None:
        def take(cancel: CancelToken) -> str:
            return str(self._models.import_model(Path(path), ImportBy(way), self._progress(), cancel))

        def done(taken: str) -> None:
            self.refresh(taken)
            self.changed.emit()

        self._begin(self.tr("Importing {name}").format(name=name))
        self._work.ask(take, done, self.failed.emit)

    def _ask_to_remove(self, model: LibraryModel) -> None:
        dialog = RemoveDialog(model, self._view.window())
        dialog.accepted.connect(lambda: self._change(lambda: self._remove(model)))
        dialog.open()

    def _remove(self, model: LibraryModel) -> None:
        """Runs on the pool."""
        if model.removal is Removal.FORGET_FOLDER:
            self._models.forget_folder(model.root)
        else:
            self._models.remove(model)

    def _add_folder(self, folder: str) -> None:
        self._change(lambda: self._models.add_folder(folder))

    def _change(self, action: Callable[[], None]) -> None:
        def done(_: None) -> None:
            self.refresh()
            self.changed.emit()

        def failed(info: ErrorInfo) -> None:
            self.refresh()
            self.failed.emit(info)

        self._bridge.run(action, done, failed, receiver=self)

    def _begin(self, text: str) -> None:
        self._doing = text
        self._view.show_note("")
        self._view.show_work(text)

    def _busy(self, busy: bool) -> None:
        if not busy:
            self._doing = ""
            self._view.show_work("")

    def _progress(self) -> FileProgress:
        """Tells of a few steps a second, however many there are. Runs on the pool."""
        told = float("-inf")

        def progress(done: int, total: int) -> None:
            nonlocal told
            now = time.monotonic()
            if now - told >= PROGRESS_S:
                told = now
                self._worked.emit(done, total)

        return progress

    def _show_progress(self, done: int, total: int) -> None:
        if self._doing:
            self._view.show_work(self._doing, done, total)
