"""Shows the settings dialog and stores what was changed there."""

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QWidget

from app.domain.errors import ErrorInfo
from app.domain.setting import Needs, declarations
from app.domain.settings import Settings
from app.services import Services
from ui.bridge import Bridge
from ui.settings.dialog import SettingsDialog


class SettingsController(QObject):
    changed = Signal(object)  # Settings
    reload_wanted = Signal()  # a wish for loading the model changed
    failed = Signal(object)  # ErrorInfo

    def __init__(self, services: Services, bridge: Bridge, window: QWidget) -> None:
        super().__init__(window)
        self._store = services.settings
        self._secrets = services.secrets
        self._models = services.models
        self._bridge = bridge
        self._window = window

    def start(self) -> None:
        """Tell what was wrong with the settings' file."""
        if self._store.problem is not None:
            self.failed.emit(self._store.problem)

    def open(self) -> SettingsDialog:
        dialog = SettingsDialog(self._store.get(), self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.saved.connect(self.save)
        dialog.token_given.connect(self.save_token)
        dialog.open()
        # A keyring may ask the person to unlock it, so the dialog does not wait for it.
        self._bridge.run(lambda: (self._models.has_token, self._secrets.available), dialog.token.show_known)
        return dialog

    def save(self, changes: dict[str, object]) -> None:
        """Write to the disk; ``changed`` follows once it is there."""

        def done(settings: Settings) -> None:
            self.changed.emit(settings)
            declared = declarations(type(settings))
            if any(declared[key].setting.needs is Needs.RELOAD for key in changes):
                self.reload_wanted.emit()

        self._bridge.run(lambda: self._store.update(**changes), done, self.failed.emit, receiver=self)

    def save_token(self, token: str) -> None:
        """Use an access token for the Hub from now on."""

        def done(as_told: bool) -> None:
            if not as_told:
                self.failed.emit(
                    ErrorInfo(
                        "token-not-kept",
                        "The keyring did not take the access token, so it is forgotten when Alcove is closed.",
                        "Unlock the keyring and enter the token again.",
                    )
                )

        self._bridge.run(
            lambda: self._models.save_token(token) or not self._secrets.available, done, self.failed.emit, receiver=self
        )
