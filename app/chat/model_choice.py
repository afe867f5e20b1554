"""Which model answers: what can be chosen, what is chosen, loading it before the first question."""

import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from app.chat.model_plan import request_for
from app.domain.cancel import CancelToken
from app.domain.commands import TurnOptions
from app.domain.errors import AppError, Cancelled
from app.domain.library import ModelFile
from app.domain.models import LoadRequest, ModelAbilities, ModelInfo
from app.domain.placement import LoadOverrides, Tuning
from app.domain.sampling import ChosenSampling
from app.engine.protocol import Engine
from app.formats import detect
from app.models.library.folder import ModelLibrary
from app.models.library.lookup import model_at
from app.models.library.shipped import shipped_models
from app.responders.local.model_gate import ModelGate
from app.responders.local.style import ModelStyle
from app.storage.settings import SettingsStore

_log = logging.getLogger(__name__)
_Loading: TypeAlias = tuple[CancelToken, threading.Thread]
_PREFERRED = "smollm2"  # of the shipped models the one for free talk


class ModelChoice:
    """Any thread. ``select`` loads on a thread of its own; progress and errors arrive as the engine's events."""

    def __init__(
        self,
        engine: Engine,
        settings: SettingsStore,
        library: ModelLibrary,
        roots: Sequence[Path],
        overrides: Callable[[str], LoadOverrides],
        gate: ModelGate,
        style: Callable[[ModelInfo], ModelStyle] = ModelStyle.of,
    ) -> None:
        """``roots``: folders of the models that came with the program. ``overrides``: how a model is to be loaded, in
        effect (see ``ModelPlans.effective``). ``gate``: the turns'. ``style``: how a loaded model is talked to."""
        self._engine = engine
        self._settings = settings
        self._library = library
        self._roots = tuple(roots)
        self._overrides = overrides
        self._gate = gate
        self._style = style
        self._lock = threading.Lock()
        self._loading: _Loading | None = None

    def list(self) -> list[ModelFile]:
        """Every whole model of the library that writes, then the files that the person opened. Reads headers: not the
        UI's."""
        whole = [model for model in self._library.models() if model.complete]
        models: list[ModelFile] = [model for model in whole if model.writes]
        known = {model.path for model in whole}
        opened = [model_at(Path(path)) for path in self._settings.get().recent_models if path not in known]
        return models + [model for model in opened if Path(model.path).is_file()]

    def current(self) -> ModelFile | None:
        """What the next turn uses, or None where there is no model at all. Quick: no file is opened."""
        chosen = Path(self._settings.get().model)
        shipped = shipped_models(self._roots)
        if chosen.is_file():
            known = [model for model in shipped if model.path == str(chosen)]
            return known[0] if known else model_at(chosen)
        preferred = [model for model in shipped if model.name.lower().startswith(_PREFERRED)]
        return next(iter(preferred or shipped), None)

    def choose(self, name_or_path: str) -> ModelFile:
        """Make it the current model without loading it. Raises AppError as ``find`` does."""
        model = self.find(name_or_path)
        recent = self._settings.get().recent_models
        if not model.shipped:
            recent = (model.path, *(path for path in recent if path != model.path))[:10]
        self._settings.update(model=model.path, recent_models=recent)
        return model

    def find(self, name_or_path: str) -> ModelFile:
        """A model of the library by name, or any file by its path; whether it is one, the engine says when it loads it.
        Raises AppError ``model-not-found`` or ``model-ambiguous``."""
        return self._library.locate(name_or_path)

    def select(self, name_or_path: str) -> None:
        """Make it the current model and load it in the background."""
        self.choose(name_or_path)
        self.preload()

    def preload(self) -> None:
        """Load the current model in the background, so that the first question does not wait for it."""
        if self.current() is None:
            return
        request, cancel = self.request(), CancelToken()
        with self._lock:
            previous = self._loading
            thread = threading.Thread(target=self._load, args=(request, cancel, previous), name="model-load")
            self._loading = (cancel, thread)
            thread.start()

    def request(self, path: str | None = None) -> LoadRequest:
        """How the current model (or the one at ``path``) is loaded. Raises AppError ``no-model``."""
        if path is None:
            model = self.current()
            if model is None:
                raise AppError(
                    "no-model", "There is no model to answer.", "Open a GGUF file, or install the starter model."
                )
            path = model.path
        return request_for(path, self._overrides(path))

    def tune(self, cancel: CancelToken) -> Tuning:
        """Time a few placements of the current model and load it by the fastest one. Some loads' time: not the UI's.
        Raises AppError, and Cancelled also where a question comes meanwhile."""
        return self._engine.tune(self.request(), cancel)

    def info(self) -> ModelInfo | None:
        return self._engine.model

    def abilities(self, model: ModelInfo) -> ModelAbilities:
        """What a loaded model can do. Reads its chat template: not the UI's."""
        return detect(model.template).abilities

    def sampling(self, model: ModelInfo) -> ChosenSampling:
        """How a loaded model's tokens are drawn where nobody wishes anything. Not the UI's. Raises AppError where its
        chat template cannot be read."""
        style = self._style(model)
        return style.sampling(TurnOptions(), think=style.thinking(None))

    def close(self) -> None:
        with self._lock:
            loading, self._loading = self._loading, None
        if loading is not None:
            loading[0].cancel()
            loading[1].join()

    def _load(self, request: LoadRequest, cancel: CancelToken, previous: _Loading | None) -> None:
        if previous is not None:
            previous[0].cancel()
            previous[1].join()
        try:
            with self._gate.hold(request, cancel):
                self._engine.load(request, cancel)
            self._engine.tune_in_idle_time(request, cancel)
        except (AppError, Cancelled) as error:
            _log.info("The model was not loaded: %s", error)  # the engine published it as an event
