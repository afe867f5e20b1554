"""Where a model would lie and how fast it would be: of a file that is here, or of one that could be downloaded.

Any thread but the UI's: headers are read, the machine is asked. Nothing is loaded.
"""

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from app.domain.cancel import CancelToken
from app.domain.models import LoadRequest, ModelInfo
from app.domain.placement import LoadOverrides, Placement
from app.engine.placement.fit import plan_on_rung
from app.engine.placement.shape import ModelShape, read_shape, shape_of
from app.engine.probe import this_machine
from app.gguf.names import display_name, shards
from app.machine.devices import Device, Machine, this_ram
from app.models.hub.repository import model_of
from app.models.service import ModelService
from app.storage.load_overrides import LoadOverridesStore
from app.storage.settings import SettingsStore

KEPT = 8  # shapes: a large header takes a second to read


class ModelPlans:
    """``loaded``: the model in memory. ``probe`` asks the machine; its GPUs and bandwidth are asked for once.
    ``with_learned``: the engine's."""

    def __init__(
        self,
        models: ModelService,
        settings: SettingsStore,
        overrides: LoadOverridesStore,
        loaded: Callable[[], ModelInfo | None],
        probe: Callable[[], Machine] = this_machine,
        with_learned: Callable[[LoadRequest], LoadRequest] = lambda request: request,
    ) -> None:
        self._models = models
        self._settings = settings
        self._overrides = overrides
        self._loaded = loaded
        self._probe = probe
        self._with_learned = with_learned
        self._lock = threading.Lock()
        self._machine: Machine | None = None
        self._shapes: dict[tuple[object, ...], ModelShape] = {}

    def overrides(self, path: str) -> LoadOverrides:
        """What the person decided about this model; None where the settings for all models or the plan decide."""
        return self._overrides.get(path)

    def remember(self, path: str, overrides: LoadOverrides) -> None:
        """For the next load. Raises AppError ``settings-not-saved``."""
        self._overrides.put(path, overrides)

    def of_file(self, path: str, overrides: LoadOverrides | None = None) -> Placement:
        """``overrides``: instead of the remembered ones. Raises AppError where the file is no model."""
        effective = self.effective(self.overrides(path) if overrides is None else overrides)
        return self._plan(self._shape_of_file(Path(path)), self._with_learned(request_for(path, effective)))

    def of_download(self, name: str, quantization: str, cancel: CancelToken | None = None) -> Placement:
        """Of a model on the Hub (``OWNER/NAME`` or a name of the catalogue) in one quantization, from its files' first
        megabytes. Raises AppError as the Hub's look-ups do."""
        key = (name, quantization)
        shape = self._known(key) or self._keep(key, shape_on_hub(self._models, name, quantization, cancel))
        return self._plan(shape, request_for(name, self.effective(LoadOverrides())))

    def effective(self, overrides: LoadOverrides) -> LoadOverrides:
        """With what the settings say for all models, where nothing was decided about this one."""
        settings = self._settings.get()
        return replace(
            overrides,
            context=overrides.context or settings.context,
            gpu_layers=settings.gpu_layers if overrides.gpu_layers is None else overrides.gpu_layers,
            threads=overrides.threads or settings.threads,
        )

    def _plan(self, shape: ModelShape, request: LoadRequest) -> Placement:
        return plan_on_rung(shape, self._free(), request).shown()

    def _shape_of_file(self, path: Path) -> ModelShape:
        try:
            stats = [part.stat() for part in shards(path)]
        except OSError:
            return read_shape(path)  # it says what is wrong
        key = (str(path), *((stat.st_size, stat.st_mtime_ns) for stat in stats))
        return self._known(key) or self._keep(key, read_shape(path))

    def _known(self, key: tuple[object, ...]) -> ModelShape | None:
        with self._lock:
            return self._shapes.get(key)

    def _keep(self, key: tuple[object, ...], shape: ModelShape) -> ModelShape:
        with self._lock:
            self._shapes[key] = shape
            while len(self._shapes) > KEPT:
                del self._shapes[next(iter(self._shapes))]
        return shape

    def _free(self) -> Machine:
        """The machine with nothing of ours in its memory: the next model takes the place of the loaded one."""
        info = self._loaded()
        loaded = info.placement if info is not None else None
        with self._lock:
            if self._machine is None:
                machine = self._probe()
                gpus = zip(machine.gpus, loaded.shares[:-1] if loaded else (), strict=False)
                known = tuple(_more(device, share.used) for device, share in gpus)
                self._machine = replace(machine, gpus=known + machine.gpus[len(known) :])
            machine = self._machine
        ram = this_ram(measure=False)
        ram = replace(machine.ram, total=ram.total, free=ram.free)
        return replace(machine, ram=_more(ram, _own(loaded) if loaded is not None else 0))


def request_for(path: str, overrides: LoadOverrides) -> LoadRequest:
    """``overrides``: in effect."""
    return LoadRequest(
        path,
        context=overrides.context,
        gpu_layers=overrides.gpu_layers,
        threads=overrides.threads,
        expert_layers=overrides.expert_layers,
        kv_types=overrides.kv_types,
    )


def shape_on_hub(models: ModelService, name: str, quantization: str, cancel: CancelToken | None = None) -> ModelShape:
    """From the headers of all files of a model, by range. Raises AppError as the Hub's look-ups do."""
    repository = models.repository(name, cancel)
    files = model_of(repository, quantization).files
    hub = models.hub()
    headers = [hub.header(repository.id, repository.revision, file, cancel=cancel) for file in files]
    return shape_of(headers, display_name(files[0].path))


def _own(loaded: Placement) -> int:
    """What ends with a loaded model, of RAM. Pages of a mapped file count as free already."""
    ram = loaded.shares[-1]
    return ram.kv + ram.compute if loaded.disk else ram.used


def _more(device: Device, size: int) -> Device:
    return replace(device, free=min(device.total, device.free + size))
