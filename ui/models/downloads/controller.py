"""Follows every download while the window is open, whether its list is on the screen or not."""

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from app.domain.events import DownloadFailed, DownloadFinished, DownloadProgress, DownloadState
from app.domain.library import Download
from app.services import Services
from ui.bridge import Bridge


class DownloadsController(QObject):
    changed = Signal(list)  # list[Download], the oldest first
    finished = Signal(object)  # Download
    failed = Signal(object)  # ErrorInfo: what was asked for could not be done

    def __init__(self, services: Services, bridge: Bridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._downloads = services.models.downloads
        self._settings = services.settings
        self._bridge = bridge
        self._rows: dict[str, Download] = {}
        self._gone: set[str] = set()  # cancelled by the person; what they still tell is late
        bridge.received.connect(self._apply)

    @property
    def rows(self) -> list[Download]:
        return list(self._rows.values())

    def start(self) -> None:
        """Show what is unfinished, and go on with what the program's end interrupted."""
        self._bridge.run(self._downloads.list, self._listed)
        if not self._settings.get().offline:
            self._bridge.run(self._downloads.resume_interrupted, None, self.failed.emit)

    def pause(self, download_id: str) -> None:
        self._do(lambda: self._downloads.pause(download_id))

    def pause_all(self) -> None:
        """What is under way keeps its connection otherwise, even when the program goes offline."""
        for row in self.rows:
            if row.active:
                self.pause(row.id)

    def resume(self, download_id: str) -> None:
        self._do(lambda: self._downloads.resume(download_id))

    def cancel(self, download_id: str) -> None:
        """Forget it and what was fetched; the row goes at once."""
        self._gone.add(download_id)
        self.dismiss(download_id)
        self._do(lambda: self._downloads.cancel(download_id))

    def dismiss(self, download_id: str) -> None:
        """Take a row off the list."""
        if self._rows.pop(download_id, None) is not None:
            self.changed.emit(self.rows)

    def _do(self, action: Callable[[], None]) -> None:
        self._bridge.run(action, None, self.failed.emit)

    def _listed(self, rows: list[Download]) -> None:
        """Events may have told more by now, so they win."""
        known = self._rows
        self._rows = {row.id: row for row in rows if row.id not in self._gone} | known
        self.changed.emit(self.rows)

    def _apply(self, event: object) -> None:
        if not isinstance(event, DownloadProgress | DownloadFinished | DownloadFailed) or event.id in self._gone:
            return
        row = self._rows.get(event.id)
        match event:
            case DownloadProgress(id=id_, name=name, done=done, total=total):
                speed, note = event.bytes_per_second, event.note
                row = Download(id_, name, done, total, event.state, bytes_per_second=speed, note=note)
            case DownloadFinished(path=path) if row is not None:
                row = replace(row, done=row.total, path=path, note=None, error=None)
            case DownloadFailed(error=error) if row is not None:
                row = replace(row, state=DownloadState.FAILED, error=error, note=None)
            case _:
                return  # of another window, whose list it is on
        self._rows[event.id] = row
        self.changed.emit(self.rows)
        if row.path:
            self.finished.emit(row)
