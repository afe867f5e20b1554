import pytest

from app.domain.errors import AppError
from app.models.library.library import default_roots, find_model, shipped_models


@pytest.fixture
def roots(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    (first / "tiny.gguf").write_bytes(b"GGUF")
    (first / "readme.txt").touch()
    for index in (1, 2):
        (second / f"Big-Model-{index:05d}-of-00002.gguf").write_bytes(b"GGUF12345")
    (second / "Big-Model-2.Q4.gguf").write_bytes(b"GGUF")
    return [first, second, tmp_path / "none"]


def code(name, roots):
    with pytest.raises(AppError) as caught:
        find_model(name, roots)
    return caught.value.code


def test_what_ships(roots):
    models = shipped_models(roots)
    assert [(model.name, model.size) for model in models] == [("tiny", 4), ("Big-Model", 18), ("Big-Model-2.Q4", 4)]
    assert all(model.shipped for model in models)


def test_by_name_in_any_case_with_or_without_the_ending(roots):
    for name in ("tiny", "TINY", "ti"):
        assert find_model(name, roots).name == "tiny"
    assert find_model("tiny.gguf", roots).shipped
    assert find_model("big-model", roots).path.endswith("Big-Model-00001-of-00002.gguf")
    assert find_model("big-model-2", roots).name == "Big-Model-2.Q4"


def test_by_path(roots, tmp_path, monkeypatch):
    other = tmp_path / "other.gguf"
    other.write_bytes(b"GGUF")
    model = find_model(str(other), roots)
    assert (model.name, model.path, model.shipped) == ("other", str(other), False)
    monkeypatch.chdir(tmp_path)
    assert find_model("other.gguf", roots).path == str(other)
    assert find_model("./gone.gguf", roots).path == str(tmp_path / "gone.gguf")  # the engine says that it is missing


def test_what_is_not_there_is_said_with_what_there_is(roots):
    with pytest.raises(AppError) as caught:
        find_model("huge", roots)
    assert caught.value.code == "model-not-found"
    assert "tiny, Big-Model, Big-Model-2.Q4" in str(caught.value)
    assert code("", roots) == "model-not-found"
    assert code("x", []) == "model-not-found"


def test_a_beginning_that_many_have(roots):
    assert code("big", roots) == "model-ambiguous"


@pytest.mark.model
def test_the_models_that_come_with_the_program():
    names = [model.name for model in shipped_models(default_roots())]
    assert "alcove-tiny" in names
    assert find_model("SmolLM2-135M-Instruct").size > 90_000_000
