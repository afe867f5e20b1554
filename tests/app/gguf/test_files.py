"""What is plainly not a model is said without starting anything."""

import pytest

from app.domain.errors import AppError
from app.gguf.files import check_model_file, fingerprint


def code(path):
    with pytest.raises(AppError) as caught:
        check_model_file(path)
    text = str(caught.value)
    assert "\n" not in text
    assert path.name.split("-0")[0] in text
    return caught.value.code


def test_missing(tmp_path):
    assert code(tmp_path / "none.gguf") == "model-missing"


def test_folder(tmp_path):
    (tmp_path / "folder.gguf").mkdir()
    assert code(tmp_path / "folder.gguf") == "model-is-folder"


def test_empty(tmp_path):
    (tmp_path / "empty.gguf").touch()
    assert code(tmp_path / "empty.gguf") == "model-empty"


@pytest.mark.parametrize("content", [b"Dear diary, today I renamed you.", b"G", b"GGM", b"\x00" * 100])
def test_another_file(tmp_path, content):
    (tmp_path / "text.gguf").write_bytes(content)
    assert code(tmp_path / "text.gguf") == "not-a-model"


def test_shards(tmp_path):
    paths = [tmp_path / f"big-{n:05d}-of-00003.gguf" for n in (1, 2, 3)]
    for path in paths[:2]:
        path.write_bytes(b"GGUF")
    assert code(paths[0]) == "shard-missing"
    assert code(paths[2]) == "shard-missing"
    paths[2].write_bytes(b"GGUF")
    assert check_model_file(paths[1]) == paths


def test_fingerprints(tmp_path):
    one, two, three = tmp_path / "one", tmp_path / "two", tmp_path / "three"
    one.write_bytes(b"x" * 10_000)
    two.write_bytes(b"x" * 9_999 + b"y")
    three.write_bytes(b"x" * 10_000)
    assert fingerprint([one]) == fingerprint([three]) != fingerprint([two])
    assert fingerprint([one, two]) != fingerprint([one])
    assert fingerprint([one]) == "5d560f14795b7f3548a5297ae28503c8"  # vectors of documents are kept by it
