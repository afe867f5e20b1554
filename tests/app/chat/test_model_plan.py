"""Plans for models on the disk, on an invented machine."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.chat.model_plan import ModelPlans
from app.domain.clock import SystemClock
from app.domain.errors import AppError
from app.domain.models import LoadRequest, ModelInfo
from app.domain.placement import LoadOverrides, PlacementVariant
from app.machine.devices import GIB, Machine, gpu, this_ram
from app.models.service import ModelService
from app.net.gate import NetworkGate
from app.storage.load_overrides import LoadOverridesStore
from app.storage.paths import Paths
from app.storage.secrets import Secrets
from app.storage.settings import SettingsStore

QWEN = "tests/data/shapes/qwen3-30b-a3b-q4_k_m.gguf"
Make = Callable[..., ModelPlans]


class Loaded:
    info: ModelInfo | None = None


@pytest.fixture
def loaded() -> Loaded:
    return Loaded()


@pytest.fixture
def settings(tmp_path: Path) -> SettingsStore:
    return SettingsStore(tmp_path / "settings.json")


@pytest.fixture
def make(tmp_path: Path, settings: SettingsStore, loaded: Loaded) -> Iterator[Make]:
    gate, paths = NetworkGate(settings.get), Paths.below(tmp_path).create()
    models = ModelService(paths, settings, gate, Secrets(lambda: None), lambda _: None, SystemClock(), shipped=())

    def plans(*cards: int, taken: int = 0, **wiring: Any) -> ModelPlans:
        gpus = tuple(gpu(f"Card {number}", size * GIB, size * GIB - taken) for number, size in enumerate(cards))
        overrides = LoadOverridesStore(paths.load_overrides_file)
        machine = Machine(this_ram(measure=False), gpus)
        return ModelPlans(models, settings, overrides, lambda: loaded.info, lambda: machine, **wiring)

    yield plans
    models.close()


def test_a_plan_names_every_device_and_what_may_be_wished(make: Make) -> None:
    placement = make(24).of_file(QWEN)
    assert [(share.name, share.kind) for share in placement.shares] == [("Card 0", "gpu"), ("RAM", "ram")]
    assert (placement.layers, placement.layers_with_experts) == (49, 48)
    assert placement.gpu_layers == 49
    card = placement.shares[0]
    assert card.used == card.dense + card.experts + card.kv + card.compute <= card.free == 24 * GIB


def test_a_plan_is_what_the_engine_would_begin_with(make: Make) -> None:
    quick = PlacementVariant("without experts on the card", expert_layers=0)
    asked: list[LoadRequest] = []

    def with_learned(request: LoadRequest) -> LoadRequest:
        asked.append(request)
        return replace(request, variant=quick) if request.context is None else replace(request, rung=1)

    plans = make(24, with_learned=with_learned)
    planned = make(24).of_file(QWEN)
    assert planned.shares[0].experts > plans.of_file(QWEN).shares[0].experts == 0
    assert asked == [LoadRequest(QWEN)]
    assert plans.of_file(QWEN, LoadOverrides(context=8192)).context == 4096


def test_wishes_change_the_plan_and_are_remembered_for_the_model_alone(make: Make) -> None:
    plans = make(24)
    before = plans.of_file(QWEN)
    overrides = LoadOverrides(expert_layers=10, context=4096, kv_types=("q8_0", "q8_0"))
    tried = plans.of_file(QWEN, overrides)
    assert (tried.expert_layers, tried.context, tried.kv_types) == (10, 4096, ("q8_0", "q8_0"))
    assert tried.shares[0].experts < before.shares[0].experts
    assert plans.of_file(QWEN).expert_layers == before.expert_layers  # only tried
    plans.remember(QWEN, overrides)
    assert plans.of_file(QWEN).expert_layers == 10
    assert plans.overrides("other.gguf") == LoadOverrides()


def test_settings_for_all_models_hold_where_nothing_was_decided_about_this_one(
    make: Make, settings: SettingsStore
) -> None:
    plans = make(24)
    settings.update(context=2048, gpu_layers=3, threads=2)
    assert plans.effective(LoadOverrides()) == LoadOverrides(context=2048, gpu_layers=3, threads=2)
    assert plans.effective(LoadOverrides(context=512, gpu_layers=0, threads=1)).gpu_layers == 0
    assert plans.of_file(QWEN).gpu_layers == 3


def test_the_loaded_models_memory_counts_as_free_for_the_next(make: Make, loaded: Loaded) -> None:
    before = make(24).of_file(QWEN)
    taken = before.shares[0].used
    info = ModelInfo("m", QWEN, "qwen3moe", "", 0, 0, 0, 0, "", "", 0, "", "", add_bos=False)
    loaded.info = replace(info, placement=before)
    after = make(24, taken=taken).of_file(QWEN)
    assert (after.gpu_layers, after.expert_layers) == (before.gpu_layers, before.expert_layers)
    assert after.shares[0].free == before.shares[0].free


def test_what_is_no_model_is_said_in_a_sentence(make: Make, tmp_path: Path) -> None:
    with pytest.raises(AppError) as caught:
        make().of_file(str(tmp_path / "gone.gguf"))
    assert caught.value.code == "model-missing"
