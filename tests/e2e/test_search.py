"""``alcove search`` from outside, with the starter embedding model where it could be fetched."""

import sqlite3
from pathlib import Path

import pytest

from app.models.library.shipped import default_roots

STARTER = default_roots()[-1] / "embedding" / "all-MiniLM-L6-v2-F16.gguf"
pytestmark = [
    pytest.mark.model,
    pytest.mark.skipif(not STARTER.is_file(), reason="the starter embedding model could not be fetched"),
]


def test_the_first_search_of_a_few_files_is_one_by_meaning(alcove, tmp_path: Path, environment) -> None:
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "garage.txt").write_text("The automobile is parked beside the shed.\n", encoding="utf-8")
    (folder / "garden.txt").write_text("Tomatoes need water every morning.\n", encoding="utf-8")
    (folder / "money.txt").write_text("Taxes are due at the end of July.\n", encoding="utf-8")
    (tmp_path / "queries").write_text("Where is my car?\nhow to look after vegetables\n", encoding="utf-8")
    run = alcove("search", "--docs", str(folder), "--batch", str(tmp_path / "queries"), "--json")
    assert run.code == 0, run.err
    best = [Path(record["path"]).name for record in run.records if record["rank"] == 1]
    assert best == ["garage.txt", "garden.txt"]
    assert {"query", "rank", "score", "path", "locator", "text"} == set(run.records[0])
    with sqlite3.connect(Path(environment["ALCOVE_HOME"]) / "data" / "documents.db") as index:
        assert index.execute("SELECT count(*) FROM vectors").fetchone() == (3,)
    index.close()


def test_an_embedding_model_is_listed_and_does_not_chat(alcove) -> None:
    listed = {record["name"]: record["embedding"] for record in alcove("models", "list", "--json").records}
    assert [name for name, embeds in listed.items() if embeds] == ["all-MiniLM-L6-v2-F16"]
    assert listed["alcove-tiny"] is False
    run = alcove("ask", "hello", "--model", "all-MiniLM-L6-v2-F16")
    assert run.code == 1
    assert "is not a model that writes text" in run.err
    assert len(run.err.splitlines()) == 1
