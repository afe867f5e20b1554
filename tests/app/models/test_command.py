"""``alcove models`` from the outside."""

import argparse
import json
import signal
from pathlib import Path

import pytest

from app.cli import models
from app.domain.errors import AppError

REPO = "maker/Model-GGUF"


@pytest.fixture
def alcove(hub_server, monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("HF_ENDPOINT", hub_server.url)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    before = signal.getsignal(signal.SIGINT)

    def run(*words):
        parser = argparse.ArgumentParser()
        models.configure(parser)
        code = models.run(parser.parse_args(words))
        out = capsys.readouterr().out
        return code, [json.loads(line) for line in out.splitlines()] if "--json" in words else out

    yield run
    signal.signal(signal.SIGINT, before)


def test_from_the_hub_to_the_library_and_out_again(alcove, hub_server, make):
    hub_server.add(REPO, {**make.shards(2, 300_000), "Model-Q8_0.gguf": make.gguf(800_000)})
    code, found = alcove("info", REPO, "--json")
    assert code == 0
    assert found[0]["licence"] == "mit"
    assert [(each["quantization"], each["files"]) for each in found[1:]] == [("Q4_K_M", 2), ("Q8_0", 1)]
    with pytest.raises(AppError, match=r"has 2 quantizations\. Name one of them: Q4_K_M \(1 MB\), Q8_0"):
        alcove("download", REPO)
    code, events = alcove("download", REPO, "q4_k_m", "--json")
    assert (code, events[-1]["event"]) == (0, "finished")
    code, listed = alcove("--json")
    own = [each for each in listed if each["place"] == "library"]
    assert [(each["name"], each["experts"], each["context"], each["repository"]) for each in own] == [
        ("Model-Q4_K_M", 384, 262144, REPO)
    ]
    assert alcove("verify", "Model-Q4_K_M")[0] == 0
    with pytest.raises(AppError, match="would be deleted for good"):
        alcove("remove", "Model-Q4_K_M")
    assert alcove("remove", "Model-Q4_K_M", "--yes")[1] == "Model-Q4_K_M was removed.\n"
    assert [each for each in alcove("list", "--json")[1] if each["place"] == "library"] == []


def test_plain_text_says_the_size_and_whether_it_fits(alcove, hub_server, make):
    hub_server.add(REPO, make.shards(1, 300_000))
    code, out = alcove("download", REPO)
    assert code == 0
    assert "Model-Q4_K_M: 0 MB. Fits into memory" in out
    assert "is in the library." in out


def test_a_licence_has_to_be_accepted(alcove, hub_server, make):
    hub_server.add("unsloth/Kimi-K2-Thinking-GGUF", make.shards(1, 300_000, "Kimi-UD-TQ1_0"))  # its card says mit
    with pytest.raises(AppError, match=r"modified-mit.*moonshotai/Kimi-K2-Thinking/blob/main/LICENSE"):
        alcove("download", "Kimi K2 Thinking")
    assert alcove("download", "kimi k2 thinking", "--accept-licence")[0] == 0


def test_what_the_hubs_cache_has_is_not_fetched_again(alcove, hub_server, make, tmp_path):
    hub_server.add(REPO, make.shards(1, 300_000))
    ((name, data),) = make.shards(1, 300_000).items()
    digest = hub_server.repos[REPO].oids[name]
    cache = tmp_path / "hf" / "hub" / "models--maker--Model-GGUF"
    (cache / "blobs").mkdir(parents=True)
    (cache / "snapshots" / "c").mkdir(parents=True)
    (cache / "blobs" / digest).write_bytes(data)
    (cache / "snapshots" / "c" / name).symlink_to(cache / "blobs" / digest)
    with pytest.raises(AppError, match="is on this computer already, in the Hub's cache"):
        alcove("download", REPO)
    assert hub_server.sent == 0
    assert alcove("verify", "Model-Q4_K_M", "--json")[1][-1]["checksum"] is True
    assert alcove("download", REPO, "--again")[0] == 0


def test_searching(alcove, hub_server, make):
    hub_server.add("somebody/kimi-mix", make.shards(1, 2000))
    code, found = alcove("search", "kimi", "--json")
    assert code == 0
    assert [each["repository"] for each in found] == ["unsloth/Kimi-K2-Thinking-GGUF", "somebody/kimi-mix"]
    hub_server.requests.clear()
    assert len(alcove("search", "--json")[1]) == 12
    assert hub_server.requests == []


def test_importing_and_forgetting(alcove, tmp_path, make):
    path = tmp_path / "mine.gguf"
    path.write_bytes(make.gguf(5000))
    assert alcove("import", str(path), "--by", "register")[0] == 0
    assert [(each["name"], each["place"]) for each in alcove("list", "--json")[1] if each["name"] == "mine"] == [
        ("mine", "folder")
    ]
    alcove("remove", "mine", "--yes")
    assert path.exists()
    assert alcove("import", str(path), "--json")[1][-1]["event"] == "imported"
    path.write_bytes(b"x" * 100)
    with pytest.raises(AppError, match=r"mine\.gguf is not a GGUF model file"):
        alcove("import", str(path))


def test_a_damaged_model_makes_verify_fail(alcove, hub_server, make, tmp_path):
    hub_server.add(REPO, make.shards(1, 300_000))
    code, events = alcove("download", REPO, "--json")
    with Path(events[-1]["path"]).open("r+b") as file:
        file.seek(200_000)
        file.write(b"damage")
    code, checks = alcove("verify", "Model-Q4_K_M", "--json")
    assert code == 1
    assert "its checksum is wrong" in checks[-1]["error"]


def test_a_failure_is_one_sentence(alcove, hub_server):
    with pytest.raises(AppError, match="There is no repository maker/none"):
        alcove("download", "maker/none")


def test_an_unfinished_download_is_listed(alcove, hub_server, make, capsys):
    files = make.shards(2, 300_000)
    hub_server.add(REPO, files)
    hub_server.spoil(REPO, "Model-Q4_K_M-00001-of-00002.gguf", 150_000)
    with pytest.raises(AppError, match="arrived damaged"):
        alcove("download", REPO)
    capsys.readouterr()
    (unfinished,) = [each for each in alcove("list", "--json")[1] if "download" in each]
    assert (unfinished["state"], unfinished["done"]) == ("failed", len(files["Model-Q4_K_M-00002-of-00002.gguf"]))
    assert "arrived damaged" in unfinished["error"]
