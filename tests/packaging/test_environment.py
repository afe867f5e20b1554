"""The environment: which uv is taken, when it is made again, and the benchmarks' sums."""

import json

import pytest


@pytest.fixture
def environment(script, tmp_path, monkeypatch):
    module = script("environment")
    for name in ("CACHE", "VENV"):
        monkeypatch.setattr(module, name, tmp_path / name.lower())
    monkeypatch.setattr(module, "STAMP", tmp_path / "venv" / "alcove-setup.json")
    return module


@pytest.mark.parametrize(
    ("answer", "version"),
    [("uv 0.13.9 (x86_64-unknown-linux-gnu)\n", (0, 13)), ("uv 1.0.0", (1, 0)), ("something else", ()), (None, ())],
)
def test_versions_of_uv_are_read(environment, monkeypatch, answer, version):
    monkeypatch.setattr(environment, "answers", lambda command: answer)
    assert environment._uv_version("uv") == version


def test_a_recent_uv_on_the_path_is_taken(environment, monkeypatch):
    monkeypatch.setattr(environment.shutil, "which", lambda name: "/usr/bin/uv")
    monkeypatch.setattr(environment, "_uv_version", lambda uv: (0, 13))
    assert environment.find_uv() == "/usr/bin/uv"


def test_an_old_or_missing_uv_is_fetched_with_pip(environment, monkeypatch):
    ran = []
    monkeypatch.setattr(environment.shutil, "which", lambda name: "/usr/bin/uv")
    monkeypatch.setattr(environment, "_uv_version", lambda uv: (0, 4))
    monkeypatch.setattr(environment, "quiet", lambda command, failure: ran.append([str(word) for word in command]))
    assert environment.find_uv().startswith(str(environment.CACHE))
    assert "--require-hashes" in ran[0]


def test_a_python_without_pip_or_venv_is_told_what_to_do(environment, monkeypatch):
    monkeypatch.setattr(environment.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(environment, "answers", lambda command: None)
    monkeypatch.setattr(environment.shutil, "which", lambda name: None)
    with pytest.raises(environment.Stop, match="neither pip nor venv"):
        environment._find_pip()


def test_the_environment_is_made_again_only_when_its_sources_change(environment):
    assert not environment.is_ready()
    for name in ("python", "alcove"):
        environment.program(name).parent.mkdir(parents=True, exist_ok=True)
        environment.program(name).touch()
    environment.STAMP.write_text(json.dumps({"made_from": environment.fingerprint()}), encoding="utf-8")
    assert environment.is_ready()
    environment.STAMP.write_text(json.dumps({"made_from": "another lock file"}), encoding="utf-8")
    assert not environment.is_ready()
    environment.STAMP.write_text('{"made_fr', encoding="utf-8")
    assert not environment.is_ready()


@pytest.mark.parametrize("same", [True, False])
def test_a_llama_cpp_that_was_built_in_another_way_goes(environment, monkeypatch, same):
    ran = []
    monkeypatch.setattr(environment, "find_uv", lambda: "uv")
    monkeypatch.setattr(environment, "answers", lambda command: "")
    monkeypatch.setattr(environment, "show", lambda command, *, env: ran.append(command[2]) or 0)
    monkeypatch.setattr(environment, "quiet", lambda command, failure: ran.append(command[2]))
    environment.STAMP.parent.mkdir()
    stamp = {"made_from": "another lock file", "llama": environment.build() if same else "another way"}
    environment.STAMP.write_text(json.dumps(stamp), encoding="utf-8")
    environment.make()
    assert ran == (["sync", "install"] if same else ["uninstall", "sync", "install"])


def test_benchmarks_are_found_by_name(script, tmp_path):
    benchmarks = script("benchmarks")
    for name in ("decode.py", "window.py", "_shared.py", "conftest.py"):
        (tmp_path / name).touch()
    assert [path.stem for path in benchmarks.scripts([], tmp_path)] == ["decode", "window"]
    assert [path.stem for path in benchmarks.scripts(["window"], tmp_path)] == ["window"]
    with pytest.raises(benchmarks.Stop, match=r"no benchmark speed. There are: decode, window"):
        benchmarks.scripts(["speed"], tmp_path)


@pytest.mark.parametrize(
    ("result", "line"),
    [
        ('{"summary": "0.97 of llama-bench", "ratio": 0.97}', "0.97 of llama-bench"),
        ('{"ratio": 0.9712345, "busy": true, "rounds": 5}', "ratio 0.9712, rounds 5"),
        ("{", "wrote no result"),
    ],
)
def test_results_are_summed_up_in_a_line(script, tmp_path, result, line):
    path = tmp_path / "decode.json"
    path.write_text(result, encoding="utf-8")
    assert script("benchmarks").summary(path) == line
