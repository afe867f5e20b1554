"""Adds documents to the conversation on the screen and follows their reading."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.domain.errors import ErrorInfo
from app.domain.events import IndexFinished, IndexProgress
from app.services import Services
from ui.bridge import Bridge
from ui.documents.button import DocumentsButton
from ui.widgets.chips import ChipRow

SHOWN_SKIPS = 20


class DocumentsController(QObject):
    scope_changed = Signal(list)  # all paths of the conversation, after the person added or removed some
    progress_changed = Signal(int, int)  # files looked at, files in all; 0, 0 when nothing is read
    failed = Signal(object)  # ErrorInfo

    def __init__(
        self,
        services: Services,
        bridge: Bridge,
        button: DocumentsButton,
        chips: ChipRow,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._documents = services.documents
        self._bridge = bridge
        self._button = button
        self._chips = chips
        self._scope: tuple[str, ...] = ()
        self._told: set[tuple[str, str]] = set()  # files left out that the person knows of
        button.added.connect(self.add)
        chips.removed.connect(self.remove)
        bridge.received.connect(self._apply)

    @property
    def scope(self) -> tuple[str, ...]:
        return self._scope

    def show(self, paths: Sequence[str]) -> None:
        """The documents of the conversation that the window shows; what changed in them is read again."""
        known, self._scope = self._scope, tuple(paths)
        self._chips.show_paths(paths)
        self._button.show_count(len(paths))
        if self._scope and self._scope != known:
            self._read()

    def add(self, paths: Sequence[str]) -> None:
        absolute = [str(Path(path).absolute()) for path in paths]
        added = [path for path in dict.fromkeys(absolute) if path not in self._scope]
        if added:
            self._change((*self._scope, *added))

    def remove(self, path: str) -> None:
        self._change(tuple(known for known in self._scope if known != path))

    def _change(self, scope: tuple[str, ...]) -> None:
        self.show(scope)
        self.scope_changed.emit(list(scope))

    def _read(self) -> None:
        scope, documents = self._scope, self._documents

        def read() -> None:
            documents.add(scope)
            documents.watch(scope)

        self._bridge.run(read, None, self.failed.emit, receiver=self)

    def _apply(self, event: object) -> None:
        match event:
            case IndexProgress(done=done, total=total):
                self.progress_changed.emit(done, total)
            case IndexFinished(indexed=indexed, skipped=skipped):
                self.progress_changed.emit(0, 0)
                if not self._told.issuperset(skipped):
                    self._told.update(skipped)
                    self.failed.emit(skipped_info(indexed, skipped))
            case _:
                pass


def skipped_info(indexed: int, skipped: Sequence[tuple[str, str]]) -> ErrorInfo:
    """What could not be read, the whole list as detail."""
    lines = [f"{path}: {reason}" for path, reason in skipped[:SHOWN_SKIPS]]
    if len(skipped) > SHOWN_SKIPS:
        lines.append(f"… {len(skipped) - SHOWN_SKIPS}")
    if len(skipped) == 1:
        path, reason = skipped[0]
        return ErrorInfo(
            "document-skipped",
            "{name} was left out: {reason}",
            "" if indexed else "No other document was found.",
            {"name": Path(path).name, "reason": reason},
        )
    return ErrorInfo(
        "documents-skipped",
        "{skipped} files were left out, {indexed} can be read.",
        "The details name each with its reason.",
        {"skipped": str(len(skipped)), "indexed": str(indexed)},
        "\n".join(lines),
    )
