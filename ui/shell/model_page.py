"""The models page in the window: opening and leaving it, and what downloads tell meanwhile."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject

from app.domain.library import Download
from ui.models.page import ModelsPage
from ui.shell.features import Features
from ui.shell.pages import PageOpener

MODEL_SUFFIX = ".gguf"


class ModelPage(QObject):
    def __init__(self, features: Features, pages: PageOpener, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pages = pages
        manager, models, views = features.manager, features.models, features.views
        self._models, self._views = models, views
        manager.use_requested.connect(self._use)
        manager.changed.connect(models.refresh)
        manager.downloads.changed.connect(self._show_progress)
        manager.downloads.finished.connect(self._tell_finished)
        models.current_changed.connect(manager.set_current)
        views.picker.manage_requested.connect(self.open)
        views.top_bar.downloads_requested.connect(self.open)
        views.welcome.models_requested.connect(self.open_shop)
        views.welcome.file_requested.connect(views.picker.open_file)

    def open(self) -> ModelsPage:
        page = self._pages.open("models")
        assert isinstance(page, ModelsPage)
        return page

    def open_shop(self) -> None:
        """The tab with models that can be had."""
        page = self.open()
        page.show_shop()
        page.shop.search.setFocus()

    def offer(self, path: str) -> None:
        """A model file was dropped: using it is one press away."""
        text = self.tr("Let {name} answer?").format(name=Path(path).name)
        self._views.toast.show_message(text, self.tr("Use it"), lambda: self._models.select(path))

    def _use(self, path: str) -> None:
        self._models.select(path)
        name = Path(path).name.removesuffix(MODEL_SUFFIX)
        self._views.toast.show_message(
            self.tr("{name} answers from now on").format(name=name), self.tr("Back to the chat"), self._views.leave_page
        )

    def _show_progress(self, rows: Sequence[Download]) -> None:
        active = [row for row in rows if row.active]
        done, total = sum(row.done for row in active), sum(row.total for row in active)
        self._views.top_bar.show_downloads(done, total, len(active))

    def _tell_finished(self, row: Download) -> None:
        if not self._views.on_page:  # there the list says it
            text = self.tr("{name} is downloaded").format(name=row.name)
            self._views.toast.show_message(text, self.tr("Use now"), lambda: self._models.select(row.path))


def first_model(paths: Sequence[str]) -> str:
    """Of what was opened or dropped the model, "" where there is none; the first part stands for all parts of one."""
    return min((path for path in paths if path.lower().endswith(MODEL_SUFFIX)), default="")
