"""``alcove plan``, as a person and a script use it."""

import argparse
import json
import sys
from importlib.resources import files

import pytest

from app.cli import plan
from app.domain.errors import AppError

K2 = "tests/data/shapes/kimi-k2-thinking-q4_0.gguf"
KEYS = {
    "model", "context", "devices", "disk", "tokens_per_second", "fits", "why", "overrides", "gpu_layers", "micro_batch",
    "kv_types",
}  # fmt: skip


@pytest.fixture
def run(capsys):
    def call(*words: str) -> str:
        parser = argparse.ArgumentParser()
        plan.configure(parser)
        assert plan.run(parser.parse_args(words)) == 0
        return capsys.readouterr().out

    return call


def test_json_has_its_keys(run):
    answer = json.loads(run(K2, "--gpu", "24GB", "--ram", "256GB", "--json"))
    assert set(answer) >= KEYS
    card, ram = answer["devices"]
    assert set(card) >= {"name", "kind", "total", "free", "dense", "experts", "kv", "compute", "used"}
    assert (card["kind"], ram["kind"]) == ("gpu", "ram")
    for device in answer["devices"]:
        assert device["used"] == device["dense"] + device["experts"] + device["kv"] + device["compute"]
    assert answer["fits"] is True
    assert answer["disk"] > 200 << 30
    assert answer["kv_types"] == ["f16", "f16"]
    assert answer["overrides"][0]["buffer"] == "CPU"


def test_text_says_it_in_a_sentence_and_a_table(run):
    text = run(K2, "--gpu", "96GB", "--gpu", "96GB", "--ram", "768GB", "--context", "131072")
    lines = text.splitlines()
    assert lines[0].startswith("kimi-k2-thinking-q4_0 runs on 2 graphics cards and in memory together")
    assert any(line.startswith("GPU 2") for line in lines)
    assert "131,072 of 262,144 tokens" in text
    assert "assumed bandwidth" in text
    assert "experts of layers 1-" in text


def test_what_does_not_fit_is_an_answer(run):
    answer = json.loads(run(K2, "--ram", "8GB", "--json"))
    assert answer["fits"] is False
    assert "does not fit" in answer["why"]


def test_options(run):
    words = ("--gpu", "24", "--ram", "64", "--kv", "q8_0", "--gpu-layers", "49", "--expert-layers", "5", "--json")
    answer = json.loads(run("tests/data/shapes/qwen3-30b-a3b-q4_k_m.gguf", *words))
    assert (answer["gpu_layers"], answer["expert_layers"], answer["kv_types"]) == (49, 5, ["q8_0", "q8_0"])


def test_on_this_machine(run, monkeypatch):
    monkeypatch.setattr("app.engine.probe.ask", lambda: ([("Some GPU", 8 << 30, 7 << 30)], False))
    answer = json.loads(run(str(files("resources") / "models" / "alcove-tiny.gguf"), "--json"))
    assert [device["name"] for device in answer["devices"]] == ["Some GPU", "RAM"]
    assert answer["devices"][1]["measured"] is True


def test_a_model_by_name(run):
    assert "alcove-tiny runs in memory" in run("alcove-tiny", "--ram", "8GB")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("nothing-of-that-name",), "model-not-found"),
        (("gone.gguf", "--ram", "8GB"), "model-missing"),
        ((K2, "--gpu", "many"), "plan-size"),
    ],
)
def test_mistakes_are_one_sentence(run, words, code):
    with pytest.raises(AppError) as caught:
        run(*words)
    assert caught.value.code == code


@pytest.mark.parametrize("words", [("x", "--context", "0"), ("x", "--gpu-layers", "-1"), ("x", "--kv", "q3")])
def test_bad_usage(run, words):
    with pytest.raises(SystemExit) as caught:
        run(*words)
    assert caught.value.code == 2
    sys.stderr.flush()
