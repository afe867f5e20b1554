"""Shows the settings dialog and stores what was changed there."""

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QWidget

from app.services import Services, Settings
from ui.bridge import Bridge
from ui.settings.dialog import SettingsDialog

LOADING = {"context", "threads", "gpu_layers"}


class SettingsController(QObject):
    changed = Signal(object)  # Settings
    reload_wanted = Signal()  # a wish for loading the model changed
    failed = Signal(object)  # ErrorInfo

    def __init__(self, services: Services, bridge: Bridge, window: QWidget) -> None:
        super().__init__(window)
        self._store = services.settings
        self._bridge = bridge
        self._window = window

    def open(self) -> SettingsDialog:
        dialog = SettingsDialog(self._store.get(), self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.saved.connect(self.save)
        dialog.open()
        return dialog

    def save(self, changes: dict[str, object]) -> None:
        """Write to the disk; ``changed`` follows once it is there."""

        def done(settings: Settings) -> None:
            self.changed.emit(settings)
            if LOADING & changes.keys():
                self.reload_wanted.emit()

        self._bridge.run(lambda: self._store.update(**changes), done, self.failed.emit, receiver=self)
