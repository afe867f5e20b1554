"""Which model a name or a path means, among those that came with the program and those of the library."""

import pytest

from app.domain.errors import AppError
from app.domain.library import Origin
from app.models.library.folder import ModelLibrary, Root
from app.models.library.lookup import exactly, named
from app.models.library.shipped import default_roots, shipped_models


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


@pytest.fixture
def library(roots, tmp_path):
    return ModelLibrary(lambda: [Root(root, Origin.SHIPPED) for root in roots], tmp_path / "facts.json")


def code(name, models):
    with pytest.raises(AppError) as caught:
        named(models, name)
    return caught.value.code


def test_what_ships(roots):
    models = shipped_models(roots)
    assert [(model.name, model.size) for model in models] == [("tiny", 4), ("Big-Model", 18), ("Big-Model-2.Q4", 4)]
    assert all(model.shipped for model in models)


def test_by_name_in_any_case_with_or_without_the_ending(roots):
    models = shipped_models(roots)
    for name in ("tiny", "TINY", "ti", "tiny.gguf"):
        assert named(models, name).name == "tiny"
    assert named(models, "big-model").path.endswith("Big-Model-00001-of-00002.gguf")
    assert named(models, "big-model-2").name == "Big-Model-2.Q4"


def test_by_any_of_its_files(roots):
    models = shipped_models(roots)
    second = roots[1] / "Big-Model-00002-of-00002.gguf"
    assert [model.name for model in exactly(models, str(second))] == ["Big-Model"]
    assert exactly(models, "big") == []


def test_a_path_is_taken_as_it_is(library, tmp_path, monkeypatch):
    other = tmp_path / "other.gguf"
    other.write_bytes(b"GGUF")
    model = library.locate(str(other))
    assert (model.name, model.path, model.shipped) == ("other", str(other), False)
    monkeypatch.chdir(tmp_path)
    assert library.locate("other.gguf").path == str(other)
    assert library.locate("./gone.gguf").path == str(tmp_path / "gone.gguf")  # the engine says that it is missing
    assert library.locate("tiny").path == str(tmp_path / "first" / "tiny.gguf")


def test_a_later_shard_stands_for_its_model(library, roots):
    first, second = (roots[1] / f"Big-Model-0000{number}-of-00002.gguf" for number in (1, 2))
    model = library.locate(str(second))
    assert (model.name, model.path, model.size) == ("Big-Model", str(first), 18)
    first.unlink()
    assert library.locate(str(second)).path == str(second)  # its reader says which one is missing


def test_what_is_not_there_is_said_with_what_there_is(roots):
    models = shipped_models(roots)
    with pytest.raises(AppError) as caught:
        named(models, "huge")
    assert caught.value.code == "model-not-found"
    assert "tiny, Big-Model, Big-Model-2.Q4" in str(caught.value)
    assert code("", models) == "model-not-found"
    assert code("x", []) == "model-not-found"


def test_a_beginning_that_many_have(roots):
    assert code("big", shipped_models(roots)) == "model-ambiguous"


@pytest.mark.model
def test_the_models_that_come_with_the_program():
    models = shipped_models(default_roots())
    assert named(models, "alcove-tiny").size > 0
    assert named(models, "SmolLM2-135M-Instruct").size > 90_000_000
