import json
from pathlib import Path

import pytest

from app.domain.errors import AppError
from app.domain.placement import LoadOverrides
from app.storage.load_overrides import LoadOverridesStore


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config" / "models.json"


def test_a_model_keeps_its_overrides_wherever_it_lies(path: Path) -> None:
    overrides = LoadOverrides(context=4096, gpu_layers=0, expert_layers=7, kv_types=("q8_0", "q8_0"), threads=3)
    LoadOverridesStore(path).put("/one/Some-Q4_K_M.gguf", overrides)
    assert LoadOverridesStore(path).get("/other/Some-Q4_K_M.gguf") == overrides
    assert LoadOverridesStore(path).get("/one/Some-Q8_0.gguf") == LoadOverrides()


def test_overrides_of_one_model_leave_the_others_alone_and_none_takes_them_back(path: Path) -> None:
    one, other = LoadOverridesStore(path), LoadOverridesStore(path)
    one.put("a.gguf", LoadOverrides(context=1024))
    other.put("b.gguf", LoadOverrides(threads=2))
    one.put("a.gguf", LoadOverrides())
    assert (one.get("a.gguf"), one.get("b.gguf")) == (LoadOverrides(), LoadOverrides(threads=2))


@pytest.mark.expect_log("is damaged")
@pytest.mark.parametrize("text", ["", "{", "[]", "null", "\x00"])
def test_a_damaged_file_is_set_aside(path: Path, text: str) -> None:
    path.parent.mkdir()
    path.write_text(text)
    LoadOverridesStore(path).put("a.gguf", LoadOverrides(threads=1))
    assert LoadOverridesStore(path).get("a.gguf") == LoadOverrides(threads=1)
    assert path.with_name("models.json.broken").read_text() == text


@pytest.mark.parametrize("text", ['{"a.gguf": 3}', '{"a.gguf": {"context": "many"}}'])
def test_an_entry_that_is_none_overrides_nothing(path: Path, text: str) -> None:
    path.parent.mkdir()
    path.write_text(text)
    store = LoadOverridesStore(path)
    assert store.get("a.gguf") == LoadOverrides()
    store.put("a.gguf", LoadOverrides(threads=1))
    assert store.get("a.gguf") == LoadOverrides(threads=1)


def test_values_that_make_no_sense_are_left_to_the_plan(path: Path) -> None:
    path.parent.mkdir()
    entry = {"context": 0, "threads": 0, "gpu_layers": 0, "expert_layers": 10**12, "kv_types": ["f16", "q3"], "new": 1}
    path.write_text(json.dumps({"a.gguf": entry}))
    store = LoadOverridesStore(path)
    assert store.get("a.gguf") == LoadOverrides(gpu_layers=0)
    store.put("a.gguf", LoadOverrides(threads=1))
    assert json.loads(path.read_text())["a.gguf"]["new"] == 1  # another version's


def test_a_disk_that_refuses_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "models.json").mkdir()
    with pytest.raises(AppError) as caught:
        LoadOverridesStore(tmp_path / "models.json").put("a.gguf", LoadOverrides(threads=1))
    assert caught.value.code == "settings-not-saved"
