"""The models page over the real model service, and the loopback Hub of the models' own tests."""

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from app.chat.model_plan import ModelPlans
from app.machine.devices import GIB, Machine, gpu, this_ram
from app.models.downloads.surroundings import Surroundings
from app.models.service import ModelService
from app.net.gate import NetworkGate
from app.services import SystemClock
from app.storage.load_overrides import LoadOverridesStore
from app.storage.paths import Paths
from app.storage.secrets import Secrets
from ui.bridge import Bridge
from ui.models.manager import ModelManager
from ui.models.page import ModelsPage

Settle = Callable[[Callable[[], bool]], None]


@pytest.fixture(scope="session")
def hub_module() -> ModuleType:
    path = Path(__file__).parents[2] / "app" / "models" / "conftest.py"
    spec = importlib.util.spec_from_file_location("loopback_hub", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["loopback_hub"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def hub(hub_module: ModuleType) -> Iterator[Any]:
    yield from hub_module.hub_server.__wrapped__()


@pytest.fixture
def make(hub_module: ModuleType) -> Any:
    """Builders of GGUF files."""
    return hub_module.Make


@pytest.fixture
def home(tmp_path: Path) -> Paths:
    return Paths.below(tmp_path / "home").create()


@pytest.fixture
def shipped(tmp_path: Path, make: Any) -> Path:
    folder = tmp_path / "shipped"
    folder.mkdir()
    (folder / "alcove-tiny.gguf").write_bytes(make.gguf(2000, expert_count=16, context_length=2048))
    return folder


@pytest.fixture
def models(
    services: Any, hub: Any, home: Paths, shipped: Path, make: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[ModelService]:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    clock = SystemClock()
    services.secrets = Secrets(lambda: None)
    services.models.close()
    services.models = ModelService(
        home,
        services.settings,
        NetworkGate(services.settings.get),
        services.secrets,
        services.mailbox.publish,
        clock,
        environ={"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "hf")},
        shipped=(shipped,),
        around=Surroundings(clock.monotonic, wait=lambda _s, cancel: cancel.raise_if_cancelled(), pacing=make.pacing),
    )
    machine = Machine(this_ram(measure=False), (gpu("Card", 24 * GIB),))
    overrides = LoadOverridesStore(home.load_overrides_file)
    services.plans = ModelPlans(services.models, services.settings, overrides, lambda: None, lambda: machine)
    yield services.models
    hub.go.set()
    services.models.close()


class Told:
    """What the manager told the window."""

    def __init__(self, manager: ModelManager) -> None:
        self.used: list[str] = []
        self.errors: list[Any] = []
        self.changes = 0
        manager.use_requested.connect(self.used.append)
        manager.failed.connect(self.errors.append)
        manager.changed.connect(self._changed)

    def _changed(self) -> None:
        self.changes += 1


@pytest.fixture
def manager(services: Any, models: ModelService, bridge: Bridge) -> Iterator[ModelManager]:
    manager = ModelManager(services, bridge)
    manager.start()
    yield manager
    manager.stop()


@pytest.fixture
def told(manager: ModelManager) -> Told:
    return Told(manager)


@pytest.fixture
def page(manager: ModelManager, qtbot: QtBot, settle: Settle) -> ModelsPage:
    page = manager.page()
    qtbot.addWidget(page)
    page.resize(1000, 700)
    page.show()
    settle(lambda: page.library.model.rowCount() > 0 and bool(page.shop.cards))
    return page


@pytest.fixture
def download(page: ModelsPage, settle: Settle) -> Callable[..., Any]:
    """Searches a repository, presses Download on its best file, and returns the repository's view."""

    def start(repository: str) -> SimpleNamespace:
        page.show_shop()
        shop = page.shop
        shop.search.setText(repository)
        shop.search.returnPressed.emit()
        settle(lambda: shop.hub.results.rowCount() > 0 and shop.hub.notes()[0] == "")
        shop.hub.list.setCurrentIndex(shop.hub.results.index(0, 0))
        settle(lambda: shop.hub.stock.title.text() == repository)
        shop.hub.stock.download.click()
        return SimpleNamespace(stock=shop.hub.stock, lines=page.downloads.lines)

    return start
