"""What to expect of a model before it is downloaded: from its first megabytes on the Hub."""

import argparse
import json
from pathlib import Path

import pytest

from app.chat.model_plan import ModelPlans
from app.cli import plan
from app.domain.clock import SystemClock
from app.domain.errors import AppError
from app.domain.models import ModelInfo
from app.machine.devices import Machine, invented_gpus, this_ram
from app.models.service import ModelService
from app.net.gate import NetworkGate
from app.storage.load_overrides import LoadOverridesStore
from app.storage.paths import Paths
from app.storage.secrets import Secrets
from app.storage.settings import SettingsStore

REPO = "maker/Qwen3-30B-A3B-GGUF"
QWEN = Path("tests/data/shapes/qwen3-30b-a3b-q4_k_m.gguf")


@pytest.fixture
def on_the_hub(hub_server, monkeypatch, tmp_path):
    monkeypatch.setenv("HF_ENDPOINT", hub_server.url)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    # The tensors are missing; what is fetched must not depend on them.
    header = QWEN.read_bytes()
    hub_server.add(REPO, {"Qwen3-30B-A3B-Q4_K_M.gguf": header + bytes(8 << 20), "Qwen3-30B-A3B-Q8_0.gguf": header})
    return hub_server


@pytest.fixture
def run(capsys):
    def call(*words: str) -> dict[str, object]:
        parser = argparse.ArgumentParser()
        plan.configure(parser)
        assert plan.run(parser.parse_args([*words, "--json"])) == 0
        return json.loads(capsys.readouterr().out)

    return call


def test_the_command_plans_what_is_not_here(on_the_hub, run):
    machine = ("--gpu", "24GB", "--ram", "64GB")
    there = run(REPO, "q4_k_m", *machine)
    here = run(str(QWEN), *machine)
    assert there["model"] == "Qwen3-30B-A3B-Q4_K_M"
    assert there["devices"] == here["devices"]
    assert there["tokens_per_second"] == here["tokens_per_second"]
    assert on_the_hub.sent < len(QWEN.read_bytes()) + (2 << 20)


def test_a_quantization_has_to_be_named_where_there_are_several(on_the_hub, run):
    with pytest.raises(AppError, match=r"has 2 quantizations\. Name one of them"):
        run(REPO, "--ram", "64GB")
    with pytest.raises(AppError, match="There is no repository maker/none"):
        run("maker/none", "--ram", "64GB")


def test_the_window_is_told_before_a_download_and_asks_only_once(on_the_hub, tmp_path):
    paths, settings = Paths.below(tmp_path).create(), SettingsStore(tmp_path / "settings.json")
    gate, secrets = NetworkGate(settings.get), Secrets(lambda: None)
    models = ModelService(paths, settings, gate, secrets, lambda _: None, SystemClock(), shipped=())

    def nothing() -> ModelInfo | None:
        return None

    def machine() -> Machine:
        return Machine(this_ram(measure=False), invented_gpus([24 << 30]))

    plans = ModelPlans(models, settings, LoadOverridesStore(paths.load_overrides_file), nothing, machine)
    try:
        placement = plans.of_download(REPO, "Q4_K_M")
        assert "graphics card" in placement.sentence
        on_the_hub.requests.clear()
        assert plans.of_download(REPO, "Q4_K_M").sentence == placement.sentence
        assert on_the_hub.requests == []
    finally:
        models.close()
