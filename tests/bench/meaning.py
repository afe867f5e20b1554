"""Finding passages by their meaning: how fast vectors are made, how long a question takes, and what it finds.

    python tests/bench/meaning.py [--passages 100000] [--docs FOLDER --questions FILE] [--json FILE]

FILE holds one JSON object a line: {"query", "path", "text"}, where some words of the passage that answers stand in the
document at the path's end. Every question is asked with and without vectors. Needs the starter embedding model. Speed
is counted by the child's CPU seconds, so that a busy machine does not spoil it; latencies are of this machine as it is.
"""

import argparse
import json
import os
import random
import re
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from app.documents.index.schema import embedder_name
from app.documents.service import DocumentService
from app.domain.models import EmbeddingModel
from app.embedding.worker import EmbeddingWorker
from app.engine.llama import embed
from app.models.library.shipped import default_roots

ROOT = Path(__file__).resolve().parents[2]
WORDS = 20_000
QUERIES = 40


def starter() -> Path | None:
    return next(iter(sorted((default_roots()[-1] / "embedding").glob("*.gguf"))), None)


def texts() -> list[str]:
    """Passages of real prose: this project's documents."""
    prose = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").glob("*.md")))
    return [prose[at : at + 1000] for at in range(0, min(len(prose), 60_000), 1000)]


def speed(embedder: EmbeddingWorker) -> dict[str, float]:
    """``load_s``: from nothing to the first vector."""
    started = time.perf_counter()
    embedder.embed(["load"])
    load = time.perf_counter() - started
    assert embedder.child_pid is not None
    child = psutil.Process(embedder.child_pid)
    before, started, passages = child.cpu_times(), time.perf_counter(), texts()
    embedder.embed(passages)
    seconds, after = time.perf_counter() - started, child.cpu_times()
    cpu = after.user + after.system - before.user - before.system
    times = []
    for number in range(QUERIES):
        started = time.perf_counter()
        embedder.embed([f"how is the boiler serviced in winter {number}"], query=True)
        times.append(time.perf_counter() - started)
    return {
        "load_s": load,
        "passages_per_s": len(passages) / seconds,
        "passages_per_cpu_s": len(passages) / cpu,
        "question_p50_ms": statistics.median(times) * 1e3,
        "child_mb": child.memory_info().rss / 1e6,
    }


def large(embedder: EmbeddingWorker, passages: int, folder: Path) -> dict[str, float]:
    """Questions to an index of invented text whose vectors are random."""
    rng = random.Random(6)
    words = ["".join(rng.choices("abcdefghijklmnoprstuvwz", k=rng.randint(3, 9))) for _ in range(WORDS)]
    (folder / "text").mkdir()
    for number in range(200):
        count = passages * 150 // 200
        text = " ".join(words[int(WORDS ** rng.random()) - 1] for _ in range(count))
        (folder / "text" / f"{number}.txt").write_text(text, encoding="utf-8")
    database, scope = folder / "documents.db", [str(folder / "text")]
    service = DocumentService(database, lambda event: None)
    service.update(scope)
    service.close()
    model = embedder.model
    assert model is not None
    count = invent_vectors(database, model)
    service = DocumentService(database, lambda event: None, embedder=embedder)
    try:
        started = time.perf_counter()
        service.find("first", scope, 10)
        first = time.perf_counter() - started
        times = []
        for _ in range(QUERIES):
            query = " ".join(rng.sample(words[200:5000], 5))
            started = time.perf_counter()
            service.find(query, scope, 10)
            times.append(time.perf_counter() - started)
    finally:
        service.close()
    return {
        "passages": count,
        "first_s": first,
        "p50_ms": statistics.median(times) * 1e3,
        "p95_ms": sorted(times)[-2] * 1e3,
    }


def invent_vectors(database: Path, model: EmbeddingModel) -> int:
    drawn = np.random.default_rng(7)
    with sqlite3.connect(database) as connection:
        connection.execute("INSERT INTO embedders VALUES (1, ?)", (embedder_name(model),))
        hashes = connection.execute("SELECT DISTINCT hash FROM chunks").fetchall()
        for (digest,) in hashes:
            vector = drawn.standard_normal(model.dimension)
            stored = (vector / np.linalg.norm(vector)).astype(np.float16).tobytes()
            connection.execute("INSERT INTO vectors (hash, embedder, vector) VALUES (?, 1, ?)", (digest, stored))
    connection.close()
    return len(hashes)


def recall(embedder: EmbeddingWorker, docs: Path, questions: Sequence[dict[str, str]], home: Path) -> dict[str, float]:
    """Shares of the questions for which an answering passage is among the first 5 and 10."""
    found: dict[str, float] = {"questions": len(questions)}
    for name, used in (("words", None), ("meaning", embedder)):
        service = DocumentService(home / "recall.db", lambda event: None, embedder=used)
        try:
            service.update([str(docs)])
            while used is not None and (job := service._fill_in((str(docs.resolve()),))) and not job.wait(10):
                print(f"{name}: making vectors", file=sys.stderr)
            ranks = [rank_of(service, question, docs) for question in questions]
        finally:
            service.close()
        found |= {f"{name}_at_{k}": sum(rank <= k for rank in ranks) / len(ranks) for k in (5, 10)}
    return found


def rank_of(service: DocumentService, question: dict[str, str], docs: Path) -> int:
    """From 1; 11 where none of the first ten answers."""
    answer = blank(question["text"])
    for rank, passage in enumerate(service.find(question["query"], [str(docs)], 10), 1):
        text = blank(passage.text)
        pieces = (text[at : at + 60] for at in range(0, max(1, len(text) - 59), 20))
        if passage.path.endswith(question["path"]) and (
            answer[:60] in text or any(piece in answer for piece in pieces)
        ):
            return rank
    return 11


def blank(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--passages", type=int, default=100_000, help="size of the large index; 0 leaves it out")
    parser.add_argument("--docs", type=Path)
    parser.add_argument("--questions", type=Path)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    output: dict[str, object] = {"load": os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0}
    if starter() is None:
        output["skipped"] = "the starter embedding model is not there"
    else:
        embedder = EmbeddingWorker(starter, embed.run)
        try:
            with tempfile.TemporaryDirectory() as home:
                output["speed"] = found = speed(embedder)
                met = found["passages_per_cpu_s"] >= 12
                output["goals"] = {"passages_per_cpu_s": {"value": found["passages_per_cpu_s"], "goal": 12, "met": met}}
                if arguments.passages:
                    output["large"] = large(embedder, arguments.passages, Path(home))
                if arguments.docs and arguments.questions:
                    lines = arguments.questions.read_text(encoding="utf-8").splitlines()
                    questions = [json.loads(line) for line in lines if line.strip()]
                    output["recall"] = recall(embedder, arguments.docs, questions, Path(home))
        finally:
            embedder.close()
    text = json.dumps(output, indent=1)
    print(text)
    if arguments.json:
        arguments.json.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
