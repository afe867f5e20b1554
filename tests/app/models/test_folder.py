"""The library on the disk: what is found, taken in, checked and removed."""

import hashlib
import shutil
import sys
from pathlib import Path

import pytest

from app.domain.cancel import CancelToken
from app.domain.errors import AppError, Cancelled
from app.domain.library import ImportBy, Origin, Removal
from app.models.library import records
from app.models.library.folder import ModelLibrary, Root
from app.models.library.manage import import_model, remove_model, verify_model


@pytest.fixture
def own(tmp_path):
    folder = tmp_path / "models"
    folder.mkdir()
    return folder


@pytest.fixture
def library(own, tmp_path):
    roots = [Root(own, Origin.LIBRARY), Root(tmp_path / "other", Origin.FOLDER), Root(tmp_path / "hub", Origin.CACHE)]
    return ModelLibrary(lambda: roots, tmp_path / "cache" / "headers.json")


def put(folder, files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


def quiet(_done, _total):
    pass


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_model_says_what_it_is(library, own, make):
    put(own / "maker--M" / "Q4_K_M", make.shards(2, 3000))
    put(own, {"plain.gguf": make.gguf(2000, expert_count=0, context_length=512)})
    first, second = library.models()
    assert (first.name, first.quantization, first.architecture) == ("Model-Q4_K_M", "Q4_K_M", "deepseek2")
    assert (first.experts, first.experts_used, first.context) == (384, 8, 262144)
    assert (len(first.files), first.complete, first.origin) == (2, True, Origin.LIBRARY)
    assert first.size == sum(Path(file).stat().st_size for file in first.files)
    assert (second.name, second.experts, second.context) == ("plain", 0, 512)


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights")
def test_a_link_that_points_to_itself_hides_nothing_else(library, own, make):
    put(own, {"a.gguf": make.gguf(2000)})
    (own / "loop.gguf").symlink_to("loop.gguf")
    (own / "gone.gguf").symlink_to("nowhere.gguf")
    assert [model.name for model in library.models()] == ["a"]


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights")
def test_linked_folders_are_searched_once_and_circles_end(library, own, tmp_path, make):
    put(tmp_path / "disk" / "deep", {"far.gguf": make.gguf(2000)})
    (own / "linked").symlink_to(tmp_path / "disk")
    (own / "again").symlink_to(tmp_path / "disk" / "deep")
    (tmp_path / "disk" / "deep" / "back").symlink_to(own)
    (own / "self").symlink_to(own)
    assert [model.name for model in library.models()] == ["far"]


def test_embedding_models_and_rerankers_are_told_from_those_that_write(library, own, make):
    files = {f"{pooling}.gguf": make.gguf(2000, pooling_type=pooling) for pooling in (0, 1, 3, 4)}
    put(own, {**files, "chat.gguf": make.gguf(2000)})
    kinds = {model.name: (model.writes, model.embeds) for model in library.models()}
    assert kinds == {
        "0": (True, False),
        "1": (False, True),
        "3": (False, True),
        "4": (False, False),
        "chat": (True, False),
    }


def test_what_is_missing_or_broken_is_said(library, own, make):
    files = make.shards(3, 3000, "Gap")
    del files["Gap-00002-of-00003.gguf"]
    put(own, files)
    put(own, {"cut.gguf": make.gguf(9000)[:5000], "text.gguf": b"hello" * 20, "empty.gguf": b""})
    found = {model.name: model for model in library.models()}
    assert found["Gap"].missing == ("Gap-00002-of-00003.gguf",)
    assert "not beside the others" in found["Gap"].error
    assert "cut.gguf is damaged" in found["cut"].error
    assert "not a GGUF" in found["text"].error
    assert found["empty"].error
    assert not any(model.complete for model in found.values())


def test_projectors_belong_to_the_model_beside_them(library, own, make):
    put(own / "v", {**make.shards(1, 2000, "V"), "mmproj-F16.gguf": make.gguf(1000)})
    put(own, {".hidden.gguf": make.gguf(1000), "imatrix.gguf": make.gguf(1000)})
    (model,) = library.models()
    assert model.projector.endswith("mmproj-F16.gguf")


def test_the_hubs_cache_is_shown_once(library, own, tmp_path, make):
    data = make.gguf(4000)
    digest = hashlib.sha256(data).hexdigest()
    blobs = put(tmp_path / "hub" / "models--a--b" / "blobs", {digest: data})
    for commit in ("c1", "c2"):
        snapshot = tmp_path / "hub" / "models--a--b" / "snapshots" / commit
        snapshot.mkdir(parents=True)
        (snapshot / "M-Q8_0.gguf").symlink_to(blobs / digest)
    (model,) = library.models()
    assert model.origin is Origin.CACHE
    (check,) = verify_model(model, quiet, CancelToken())
    assert check.checksum is True
    with pytest.raises(AppError, match="not in Alcove's own folder"):
        remove_model(model, own, pytest.fail)
    assert (blobs / digest).exists()


def test_headers_are_read_once(library, own, tmp_path, make, monkeypatch):
    put(own, {"a.gguf": make.gguf(2000), "b.gguf": make.gguf(2000)})
    before = library.models()
    reads = []
    monkeypatch.setattr("app.models.library.facts.read_file", lambda path, **_: reads.append(path))
    again = ModelLibrary(lambda: [Root(own, Origin.LIBRARY)], tmp_path / "cache" / "headers.json")
    assert again.models() == before
    assert reads == []


def test_a_damaged_cache_is_no_matter(library, own, tmp_path, make):
    put(tmp_path / "cache", {"headers.json": b'{"x": 3}'})
    put(own, {"a.gguf": make.gguf(2000)})
    assert len(library.models()) == 1


def test_finding_by_name_beginning_and_path(library, own, make):
    put(own, {"Kimi-Q2.gguf": make.gguf(2000), "Kimi-Q8.gguf": make.gguf(2000), "GLM.gguf": make.gguf(2000)})
    assert library.find("kimi-q2.gguf").name == "Kimi-Q2"
    assert library.find("gl").name == "GLM"
    assert library.find(str(own / "Kimi-Q8.gguf")).name == "Kimi-Q8"
    with pytest.raises(AppError, match=r"More than one model begins with “kimi”: Kimi-Q2, Kimi-Q8\."):
        library.find("kimi")
    with pytest.raises(AppError, match="There is no model called “x”"):
        library.find("x")


@pytest.mark.parametrize("by", list(ImportBy))
def test_taking_a_model_in(library, own, tmp_path, make, by):
    files = make.shards(2, 3000)
    source = put(tmp_path / "downloads", files)
    registered = []
    progress = []
    path = import_model(
        source / "Model-Q4_K_M-00002-of-00002.gguf",
        own,
        by,
        registered.append,
        lambda *of: progress.append(of),
        CancelToken(),
    )
    assert path.name == "Model-Q4_K_M-00001-of-00002.gguf"
    if by is ImportBy.REGISTER:
        assert registered == [str(path)]
        assert path.parent == source
        return
    assert {name: (own / name).read_bytes() for name in files} == files
    assert names(own) == sorted(files)
    assert names(source) == ([] if by is ImportBy.MOVE else sorted(files))
    if by is ImportBy.COPY:
        assert progress[-1] == (sum(map(len, files.values())),) * 2
    (model,) = library.models()
    assert model.complete
    put(source, files)
    with pytest.raises(AppError) as caught:
        import_model(source / next(iter(files)), own, by, registered.append, quiet, CancelToken())
    assert caught.value.code == "already-there"


def test_what_is_no_model_is_not_taken_in(own, tmp_path, make):
    source = put(tmp_path / "d", {"x.gguf": b"no", "s-00001-of-00002.gguf": make.gguf(2000)})
    for name, code in (
        ("x.gguf", "not-a-model"),
        ("s-00001-of-00002.gguf", "shard-missing"),
        ("y.gguf", "model-missing"),
    ):
        with pytest.raises(AppError) as caught:
            import_model(source / name, own, ImportBy.COPY, lambda _path: None, quiet, CancelToken())
        assert caught.value.code == code
    assert names(own) == []


def test_stopping_a_copy_leaves_nothing(own, tmp_path, make):
    source = put(tmp_path / "d", {"x.gguf": make.gguf(9 << 20)})
    cancel = CancelToken()
    with pytest.raises(Cancelled):
        import_model(source / "x.gguf", own, ImportBy.COPY, lambda _path: None, lambda *_: cancel.cancel(), cancel)
    assert names(own) == []


def test_checksums_sizes_and_headers_are_compared(library, own, make):
    files = {"good.gguf": make.gguf(4000), "bad.gguf": make.gguf(4000, seed=1), "short.gguf": make.gguf(4000, seed=2)}
    folder = put(own / "m", files)
    known = {name: records.FileRecord(len(data), hashlib.sha256(data).hexdigest()) for name, data in files.items()}
    records.write(folder, records.FolderRecord("a/b", "c", "mit", known))
    put(own, {"unknown.gguf": make.gguf(4000)})
    (folder / "bad.gguf").write_bytes(files["bad.gguf"][:-1] + b"?")
    (folder / "short.gguf").write_bytes(files["short.gguf"] + b"!")
    found = {model.name: verify_model(model, quiet, CancelToken())[0] for model in library.models()}
    assert (found["good"].checksum, found["good"].error) == (True, "")
    assert "its checksum is wrong" in found["bad"].error
    assert "has not the size" in found["short"].error
    assert (found["unknown"].checksum, found["unknown"].error) == (None, "")


def test_removing_tidies_up_and_spares_the_rest(library, own, make):
    put(own / "maker--M" / "Q4", make.shards(2, 3000, "A"))
    put(own / "maker--M", {"B.gguf": make.gguf(2000)})
    records.write(
        own / "maker--M", records.FolderRecord("maker/M", "c", "mit", {"B.gguf": records.FileRecord(2000, "")})
    )
    remove_model(library.find("A"), own, pytest.fail)
    assert [model.name for model in library.models()] == ["B"]
    assert not (own / "maker--M" / "Q4").exists()
    assert library.find("B").repository == "maker/M"
    remove_model(library.find("B"), own, pytest.fail)
    assert names(own) == []


def test_what_removing_does_depends_on_where_a_model_comes_from(own, tmp_path, make):
    other, hub = tmp_path / "other", tmp_path / "hub"
    for folder, name in ((own, "ours"), (other, "mine"), (other, "theirs"), (hub, "cached")):
        put(folder, {f"{name}.gguf": make.gguf(2000)})
    mine = other / "mine.gguf"
    roots = [
        Root(own, Origin.LIBRARY),
        Root(mine, Origin.FOLDER, str(mine)),
        Root(other, Origin.FOLDER, "~/other"),
        Root(hub, Origin.CACHE),
    ]
    found = {model.name: model for model in ModelLibrary(lambda: roots, tmp_path / "facts.json").models()}
    assert {name: (model.removal, model.root) for name, model in found.items()} == {
        "ours": (Removal.DELETE, ""),
        "mine": (Removal.FORGET, str(mine)),
        "theirs": (Removal.FORGET_FOLDER, "~/other"),
        "cached": (Removal.NONE, ""),
    }
    forgotten = []
    remove_model(found["mine"], own, forgotten.append)
    assert forgotten == [str(mine)]
    for name in ("theirs", "cached"):
        with pytest.raises(AppError, match="not in Alcove's own folder"):
            remove_model(found[name], own, pytest.fail)
    assert names(other) == ["mine.gguf", "theirs.gguf"]


def test_one_file_of_a_shard_set_may_be_a_root(tmp_path, make):
    put(tmp_path / "x", {**make.shards(2, 2000), "other.gguf": make.gguf(2000)})
    root = Root(tmp_path / "x" / "Model-Q4_K_M-00001-of-00002.gguf", Origin.FOLDER)
    (model,) = ModelLibrary(lambda: [root], tmp_path / "c.json").models()
    assert model.complete
    assert len(model.files) == 2


def test_folders_that_are_gone_are_no_matter(library, own):
    shutil.rmtree(own)
    assert library.models() == []
