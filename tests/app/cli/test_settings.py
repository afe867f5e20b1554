"""``alcove settings``, as a person and a script use it."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.cli import settings
from app.domain.errors import AppError
from app.storage.paths import Paths
from app.storage.settings import SettingsStore

Run = Callable[..., str]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*words: str) -> str:
        parser = argparse.ArgumentParser()
        settings.configure(parser)
        assert settings.run(parser.parse_args(words)) == 0
        return capsys.readouterr().out

    return call


def records(text: str) -> dict[str, dict[str, Any]]:
    return {record["key"]: record for record in map(json.loads, text.splitlines())}


def test_the_list_has_its_keys(run: Run) -> None:
    listed = records(run("--json"))
    assert all(set(record) == {"key", "type", "value", "default", "group", "help"} for record in listed.values())
    assert listed["context"] | {"help": ""} == {
        "key": "context",
        "type": "int|null",
        "value": None,
        "default": None,
        "group": "Model",
        "help": "",
    }
    assert listed["theme"]["type"] == "system|light|dark"
    assert "a token is a word" in listed["context"]["help"]
    assert listed == records(run("list", "--json"))
    assert set(records(run("list", "--all", "--json"))) - set(listed) == {"recent_models", "window_geometry"}


def test_one_is_changed_and_taken_back(run: Run) -> None:
    assert run("get", "unload_after_minutes") == "30\n"
    assert run("set", "unload_after_minutes", "never") == "unload_after_minutes = 0\n"
    assert "* unload_after_minutes = 0" in run("list")
    assert records(run("get", "unload_after_minutes", "--json"))["unload_after_minutes"]["value"] == 0
    assert run("reset", "unload_after_minutes") == "unload_after_minutes = 30\n"
    assert "*" not in run()


def test_all_are_taken_back_but_the_windows_own(run: Run) -> None:
    SettingsStore(Paths.default().settings_file).update(window_geometry="{}", recent_models=("/a.gguf",))
    run("set", "theme", "dark")
    changed = records(run("--json", "set", "model_folders", '["/a", "/b"]'))
    assert changed["model_folders"]["value"] == ["/a", "/b"]
    assert run("reset", "--all") == "theme = system\nmodel_folders = []\n"
    assert json.loads(Paths.default().settings_file.read_text()) == {
        "window_geometry": "{}",
        "recent_models": ["/a.gguf"],
    }


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("get", "thema"), "There is no setting thema. Did you mean theme?"),
        (("set", "max-text-file-mb", "3"), "Did you mean max_text_file_mb?"),
        (("get", "?"), "There is no setting ?. `alcove settings` lists them."),
        (("set", "theme", "pink"), "“pink” is no value of theme. It takes one of system, light, dark."),
        (("set", "threads", "-1"), "It takes a whole number from 1 to 1024, or auto."),
        (("set", "proxy", "ftp://a"), "Write it like http://proxy.example:8080."),
    ],
)
def test_what_cannot_be_is_one_sentence(run: Run, words: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(AppError) as caught:
        run(*words)
    assert sentence in str(caught.value)
    assert not Paths.default().settings_file.exists()


@pytest.mark.parametrize("words", [("set", "theme"), ("get",), ("reset",), ("reset", "theme", "--all"), ("put",)])
def test_bad_usage(run: Run, words: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as caught:
        run(*words)
    assert caught.value.code == 2


@pytest.mark.expect_log("is damaged")
def test_damage_is_told_beside_the_answer(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    file: Path = Paths.default().create().settings_file
    file.write_text('{"theme": "dark",}')
    parser = argparse.ArgumentParser()
    settings.configure(parser)
    assert settings.run(parser.parse_args(["get", "offline"])) == 0
    told = capsys.readouterr()
    assert told.out == "true\n"
    assert "settings.json.broken" in told.err
    assert "Alcove is offline" in told.err
    assert run("get", "theme") == "dark\n"
