"""Which model answers, from its choice to the end of its loading."""

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from app.domain.events import EngineDied, ModelFailed, ModelLoaded, ModelLoading, ModelUnloaded
from app.domain.library import ModelFile
from app.domain.models import ModelAbilities, ModelInfo
from app.services import Services
from ui.bridge import Bridge
from ui.models.picker import ModelPicker


@dataclass(frozen=True, slots=True)
class ModelState:
    """What the window shows of the model. ``progress`` from 0 to 1 while it loads, else None."""

    name: str = ""
    progress: float | None = None
    loaded: bool = False


@dataclass(frozen=True, slots=True)
class _Listing:
    models: list[ModelFile]
    current: ModelFile | None
    info: ModelInfo | None


class ModelsController(QObject):
    state_changed = Signal(object)  # ModelState
    availability_changed = Signal(bool)  # whether there is a model at all
    current_changed = Signal(str)  # path of the model that answers, "" where there is none
    abilities_changed = Signal(object)  # ModelAbilities of the model that is loaded
    failed = Signal(object)  # ErrorInfo

    def __init__(self, services: Services, bridge: Bridge, picker: ModelPicker, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._choice = services.model_choice
        self._bridge = bridge
        self._picker = picker
        self._current: ModelFile | None = None
        self._info: ModelInfo | None = None  # of the model that was loaded last
        picker.selected.connect(lambda path: self.select(path))
        bridge.received.connect(self._apply)

    def start(self) -> None:
        """Read what there is and load the current model, so that the first question does not wait for it."""
        self.refresh()
        self._bridge.run(self._choice.preload, None, self.failed.emit)

    def refresh(self) -> None:
        choice = self._choice
        self._bridge.run(lambda: _Listing(choice.list(), choice.current(), choice.info()), self._show)

    def select(self, path: str, then: Callable[[], object] | None = None) -> None:
        """Choose a model by its path or name and begin to load it; ``then`` is called once it is the chosen one."""

        def done(_: None) -> None:
            self.refresh()
            if then is not None:
                then()

        self._bridge.run(lambda: self._choice.select(path), done, self._not_selected, receiver=self)

    def reload(self) -> None:
        """Load again, after the settings for loading changed."""
        self._bridge.run(self._choice.preload, None, self.failed.emit)

    def _not_selected(self, error: object) -> None:
        self.failed.emit(error)
        self.refresh()

    def _show(self, listing: _Listing) -> None:
        self._current = listing.current
        self._picker.show_models(listing.models, listing.current.path if listing.current else "")
        self.availability_changed.emit(listing.current is not None)
        self.current_changed.emit(listing.current.path if listing.current else "")
        if listing.info is not None:
            self._loaded(listing.info)

    def _loaded(self, info: ModelInfo) -> None:
        self.state_changed.emit(ModelState(info.name, loaded=True))
        self._info = info
        self._bridge.run(lambda: self._choice.abilities(info), lambda able: self._able(info, able), receiver=self)

    def _able(self, info: ModelInfo, abilities: ModelAbilities) -> None:
        if info is self._info:  # no other model was loaded meanwhile
            self.abilities_changed.emit(abilities)

    def _apply(self, event: object) -> None:
        match event:
            case ModelLoading(name=name, progress=progress):
                self.state_changed.emit(ModelState(name, progress))
            case ModelLoaded(model=model, note=note):
                self._loaded(model)
                if note is not None:  # it did not fit as wished, and runs by a safer plan
                    self.failed.emit(note)
            case ModelFailed(name=name, error=error):
                self.state_changed.emit(ModelState(name))
                self.failed.emit(error)
            case EngineDied(error=error):
                self.state_changed.emit(ModelState(self._current.name if self._current else ""))
                self.failed.emit(error)
            case ModelUnloaded():
                self.state_changed.emit(ModelState(self._current.name if self._current else ""))
            case _:
                pass
