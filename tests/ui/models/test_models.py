"""Choosing a model, and what the window is told of its loading."""

from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from app.domain.errors import AppError, ErrorInfo
from app.domain.events import EngineDied, ModelFailed, ModelLoaded, ModelLoading
from app.domain.models import ModelAbilities, ModelInfo
from ui.bridge import Bridge
from ui.models.controller import ModelsController, ModelState
from ui.models.picker import ModelPicker
from ui.models.words import size_text

Settle = Callable[[Callable[[], bool]], None]


def info(name: str, template: str) -> ModelInfo:
    return ModelInfo(name, f"/models/{name}.gguf", "llama", "", 1, 1, 4096, 4096, template, "v", 1, "", "", False)


@pytest.fixture
def picker(qtbot: QtBot, themed: object) -> ModelPicker:
    picker = ModelPicker()
    qtbot.addWidget(picker)
    return picker


@pytest.fixture
def models(services: Any, bridge: Bridge, picker: ModelPicker, settle: Settle) -> ModelsController:
    models = ModelsController(services, bridge, picker)
    models.start()
    settle(lambda: bool(entries(picker)) and services.model_choice.preloads == 1)
    return models


def entries(picker: ModelPicker) -> dict[str, QAction]:
    return {action.text().split("   ")[0]: action for action in picker.menu().actions() if action.isCheckable()}


def test_the_shipped_models_can_be_chosen(
    models: ModelsController, picker: ModelPicker, services: Any, settle: Settle
) -> None:
    assert picker.text() == "alcove-tiny"
    found = entries(picker)
    assert {name: action.isChecked() for name, action in found.items()} == {
        "alcove-tiny": True,
        "SmolLM2-135M-Instruct": False,
    }
    found["SmolLM2-135M-Instruct"].trigger()
    settle(lambda: picker.text() == "SmolLM2-135M-Instruct")
    assert services.model_choice.selected == ["/models/smol.gguf"]


def test_any_file_can_be_opened(
    models: ModelsController, picker: ModelPicker, services: Any, settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: ("/elsewhere/x.gguf", ""))
    picker.open_file()
    settle(lambda: services.model_choice.selected == ["/elsewhere/x.gguf"])


def test_a_refused_file_is_told_and_the_choice_stays(
    models: ModelsController, picker: ModelPicker, services: Any, settle: Settle
) -> None:
    errors: list[ErrorInfo] = []
    models.failed.connect(errors.append)
    services.model_choice.refuse = AppError("model-not-found", "{path} is no model.", path="x.txt")
    models.select("x.txt")
    settle(lambda: bool(errors))
    assert errors[0].text() == "x.txt is no model."
    settle(lambda: picker.text() == "alcove-tiny")


def test_without_any_model_the_window_is_told(
    services: Any, bridge: Bridge, picker: ModelPicker, settle: Settle
) -> None:
    services.model_choice.chosen = None
    services.model_choice.files = []
    models = ModelsController(services, bridge, picker)
    told: list[bool] = []
    models.availability_changed.connect(told.append)
    models.refresh()
    settle(lambda: told == [False])
    assert picker.text() == "Choose a model"


def test_loading_is_followed(models: ModelsController, services: Any, settle: Settle) -> None:
    states: list[ModelState] = []
    abilities: list[ModelAbilities] = []
    models.state_changed.connect(states.append)
    models.abilities_changed.connect(abilities.append)
    for event in (
        ModelLoading("/models/x.gguf", "x", 0.5),
        ModelLoaded(info("x", "{% if enable_thinking %}<think>")),
        ModelLoaded(info("y", "plain")),
    ):
        services.mailbox.publish(event)
    settle(lambda: len(states) == 3)
    assert states == [ModelState("x", 0.5), ModelState("x", loaded=True), ModelState("y", loaded=True)]
    settle(lambda: abilities[-1:] == [ModelAbilities()])
    assert set(abilities) <= {ModelAbilities(), ModelAbilities(thinks=True, switchable=True)}


def test_what_a_model_can_do_is_told(models: ModelsController, services: Any, settle: Settle) -> None:
    abilities: list[ModelAbilities] = []
    models.abilities_changed.connect(abilities.append)
    services.mailbox.publish(ModelLoaded(info("x", "{% if enable_thinking %}<think>")))
    settle(lambda: abilities == [ModelAbilities(thinks=True, switchable=True)])
    services.model_choice.loaded = info("y", "<think>")
    models.refresh()
    settle(lambda: abilities[1:] == [ModelAbilities(thinks=True)])


@pytest.mark.parametrize("kind", [ModelFailed, EngineDied])
def test_a_failure_is_told_in_its_words(models: ModelsController, services: Any, settle: Settle, kind: type) -> None:
    errors: list[ErrorInfo] = []
    models.failed.connect(errors.append)
    error = ErrorInfo("bad", "The file is broken.", "Choose another one.")
    path = ("/x.gguf", "x") if kind is ModelFailed else ("/x.gguf",)
    services.mailbox.publish(kind(*path, error))
    settle(lambda: errors == [error])


def test_sizes() -> None:
    assert [size_text(size) for size in (0, 999, 2_200_000, 98_000_000, 120_000_000, 3_000_000_000_000)] == [
        "0 B",
        "999 B",
        "2.2 MB",
        "98.0 MB",
        "120 MB",
        "3.0 TB",
    ]
