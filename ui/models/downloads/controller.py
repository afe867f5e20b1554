"""Follows every download while the window is open, whether its list is on the screen or not."""

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from app.domain.events import DownloadFailed, DownloadFinished, DownloadProgress, DownloadState
from ui.bridge import Bridge
from ui.models.source import ModelSource
from ui.models.values import DownloadRow


class DownloadsController(QObject):
    changed = Signal(list)  # list[DownloadRow], the oldest first
    finished = Signal(object)  # DownloadRow
    failed = Signal(object)  # ErrorInfo: what was asked for could not be done

    def __init__(self, source: ModelSource, bridge: Bridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._source = source
        self._bridge = bridge
        self._rows: dict[str, DownloadRow] = {}
        self._gone: set[str] = set()  # cancelled by the person; what they still tell is late
        bridge.received.connect(self._apply)

    @property
    def rows(self) -> list[DownloadRow]:
        return list(self._rows.values())

    def start(self) -> None:
        """Show what is unfinished, and go on with what the program's end interrupted."""
        self._bridge.run(self._source.downloads, self._listed)
        self._bridge.run(self._source.resume_interrupted, None, self.failed.emit)

    def pause(self, download_id: str) -> None:
        self._do(lambda: self._source.pause(download_id))

    def pause_all(self) -> None:
        """What is under way keeps its connection otherwise, even when the program goes offline."""
        for row in self.rows:
            if not row.path and row.state not in (DownloadState.PAUSED, DownloadState.FAILED):
                self.pause(row.id)

    def resume(self, download_id: str) -> None:
        self._do(lambda: self._source.resume(download_id))

    def cancel(self, download_id: str) -> None:
        """Forget it and what was fetched; the row goes at once."""
        self._gone.add(download_id)
        self.dismiss(download_id)
        self._do(lambda: self._source.cancel(download_id))

    def dismiss(self, download_id: str) -> None:
        """Take a row off the list."""
        if self._rows.pop(download_id, None) is not None:
            self.changed.emit(self.rows)

    def _do(self, action: Callable[[], None]) -> None:
        self._bridge.run(action, None, self.failed.emit)

    def _listed(self, rows: list[DownloadRow]) -> None:
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
                row = DownloadRow(id_, name, done, total, event.state, event.bytes_per_second, event.note)
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
