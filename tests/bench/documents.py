"""Reading, indexing and searching documents, as JSON on standard output.

    python tests/bench/documents.py [--docs FOLDER] [--files 500] [--megabytes 16] [--passages 100000] [--json FILE]

Without ``--docs`` an invented library of HTML, Markdown and text is made. Figures stand beside their goals, where there
are any; ``met`` tells whether it was reached. Ratios compare with SQLite alone in the same run (FTS5 with its Porter
stemmer over the same passages), so that a busy machine does not spoil them. The load average is noted: above 0.5 a core
is busy.
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
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from app.documents.reading.blocks import Limits
from app.documents.reading.readers.registry import DocumentFormat, ReadContext, format_of, reader_of
from app.documents.service import DocumentService

SYLLABLES = "ka lo mi ter ven sol dra pel ist on ar bu ce for gan hu lin mo ne par qui ro sta tin ul wer".split()
QUERIES = 60


def vocabulary(rng: random.Random, count: int = 20_000) -> list[str]:
    return ["".join(rng.choice(SYLLABLES) for _ in range(rng.randint(1, 4))) for _ in range(count)]


def prose(rng: random.Random, words: Sequence[str], characters: int) -> Iterator[str]:
    """Paragraphs whose words are as unevenly frequent as in a language (Zipf's law)."""
    left = characters
    while left > 0:
        paragraph = " ".join(words[int(len(words) ** rng.random()) - 1] for _ in range(90)) + "."
        left -= len(paragraph)
        yield paragraph


def make_library(folder: Path, files: int, characters: int) -> None:
    rng = random.Random(1)
    words = vocabulary(rng)
    for number in range(files):
        paragraphs = list(prose(rng, words, characters // files))
        kind = ("html", "md", "txt")[number % 3]
        if kind == "html":
            text = "<h1>Part</h1>" + "".join(f"<h2>Section {i}</h2><p>{p}</p>\n" for i, p in enumerate(paragraphs))
        else:
            text = "".join(f"## Section {i}\n\n{p}\n\n" for i, p in enumerate(paragraphs))
        (folder / f"file{number}.{kind}").write_text(text, encoding="utf-8")


def make_pdf(pages: int) -> bytes:
    rng = random.Random(2)
    words = vocabulary(rng, 2000)
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", "", "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    kids = []
    for _ in range(pages):
        lines = "".join(f"({' '.join(rng.choices(words, k=12))}) Tj T*\n" for _ in range(40))
        stream = f"BT /F 9 Tf 12 TL 40 800 Td\n{lines}ET"
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {len(objects)} 0 R"
            " /Resources << /Font << /F 3 0 R >> >> >>"
        )
        kids.append(f"{len(objects)} 0 R")
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {pages} >>"
    body = "".join(f"{number} 0 obj\n{text}\nendobj\n" for number, text in enumerate(objects, 1))
    return f"%PDF-1.4\n{body}trailer\n<< /Root 1 0 R >>\n".encode("ascii")  # readers rebuild a missing table


def extraction(files: Sequence[Path]) -> dict[str, float]:
    """Megabytes of file per CPU second, each format by itself."""
    speeds = {}
    for kind in sorted(kind for kind in DocumentFormat if kind.is_text):
        data = [path.read_bytes() for path in files if format_of(str(path)) is kind]
        if data:
            read, context = reader_of(kind), ReadContext("benchmark", Limits())
            seconds = cpu(lambda read=read, data=data, context=context: [list(read(item, context)) for item in data])
            speeds[f"{kind.value}_mb_per_cpu_s"] = sum(map(len, data)) / 1e6 / seconds
    return speeds


def pdf_pages(pages: int = 300) -> float:
    data = make_pdf(pages)
    return pages / cpu(lambda: list(reader_of(DocumentFormat.PDF)(data, ReadContext("benchmark", Limits()))))


def cpu(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return max(time.process_time() - started, 1e-6)


def wall(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def plain_fts5(passages: Sequence[str], queries: Sequence[str]) -> tuple[float, float]:
    """(seconds to index, p50 of a query) of SQLite alone."""
    with tempfile.TemporaryDirectory() as folder:
        connection = sqlite3.connect(Path(folder) / "plain.db", isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE VIRTUAL TABLE plain USING fts5 (text, tokenize = 'porter unicode61')")

        def insert() -> None:
            connection.execute("BEGIN")
            connection.executemany("INSERT INTO plain VALUES (?)", ((passage,) for passage in passages))
            connection.execute("COMMIT")

        seconds = wall(insert)
        statement = "SELECT text FROM plain WHERE plain MATCH ? ORDER BY rank LIMIT 10"
        times = []
        for query in queries:
            match = " OR ".join(f'"{word}"' for word in re.findall(r"\w+", query))
            times.append(wall(lambda match=match: connection.execute(statement, (match,)).fetchall()))
        connection.close()
    return seconds, statistics.median(times)


def question(rng: random.Random, passage: str) -> str:
    """Five words of a passage, leaving out the most frequent ones, which a language has as stop words."""
    common = set(vocabulary(random.Random(1))[:150])
    words = [word for word in re.findall(r"\w{3,}", passage) if word not in common]
    return " ".join(rng.sample(words, min(5, len(words))))


def measure(folder: Path, rng: random.Random) -> dict[str, object]:
    """Index ``folder``, look again, ask."""
    with tempfile.TemporaryDirectory() as home:
        database = Path(home) / "documents.db"
        service = DocumentService(database, lambda event: None)
        try:
            first = wall(lambda: service.update([str(folder)]))
            service.update([str(folder)])  # files just written are looked at twice
            rescan = statistics.median(wall(lambda: service.update([str(folder)])) for _ in range(5))
            with sqlite3.connect(database) as connection:
                passages = [text for (text,) in connection.execute("SELECT text FROM chunks")]
            connection.close()
            queries = [question(rng, rng.choice(passages)) for _ in range(QUERIES)]
            times = [wall(lambda q=query: service.find(q, [str(folder)], 10)) for query in queries]
            size = database.stat().st_size / 1e6
        finally:
            service.close()
    plain_index, plain_query = plain_fts5(passages, queries)
    return {
        "passages": len(passages),
        "index_s": first,
        "index_ratio_to_plain_fts5": first / plain_index,
        "rescan_s": rescan,
        "query_p50_ms": statistics.median(times) * 1e3,
        "query_p95_ms": sorted(times)[int(len(times) * 0.95)] * 1e3,
        "query_ratio_to_plain_fts5": statistics.median(times) / plain_query,
        "database_mb": size,
    }


def goals(result: dict[str, object], large: dict[str, object] | None) -> dict[str, object]:
    def goal(value: object, limit: float, *, least: bool) -> dict[str, object]:
        assert isinstance(value, float)
        return {"value": value, "goal": limit, "met": value >= limit if least else value <= limit}

    speeds = result["extraction"]
    assert isinstance(speeds, dict)
    found = {name: goal(value, 10.0, least=True) for name, value in speeds.items()}
    found["pdf_pages_per_cpu_s"] = goal(result["pdf_pages_per_cpu_s"], 250.0, least=True)
    found["index_s"] = goal(result["index_s"], 10.0, least=False)
    found["rescan_s"] = goal(result["rescan_s"], 0.3, least=False)
    if large is not None:
        found["query_p50_ms_100k"] = goal(large["query_p50_ms"], 60.0, least=False)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--docs", type=Path)
    parser.add_argument("--files", type=int, default=500)
    parser.add_argument("--megabytes", type=float, default=16.0)
    parser.add_argument("--passages", type=int, default=100_000, help="size of the large index; 0 leaves it out")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    rng = random.Random(3)
    with tempfile.TemporaryDirectory() as made:
        folder = arguments.docs
        if folder is None:
            folder = Path(made) / "library"
            folder.mkdir()
            make_library(folder, arguments.files, int(arguments.megabytes * 1e6))
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        result: dict[str, object] = {"files": len(files), "extraction": extraction(files)}
        result["pdf_pages_per_cpu_s"] = pdf_pages()
        result |= measure(folder, rng)
        large = None
        if arguments.passages:
            big = Path(made) / "large"
            big.mkdir()
            make_library(big, 300, arguments.passages * 800)
            large = measure(big, rng)
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    output = {"load": load, "busy": load > 0.5, **result, "large": large, "goals": goals(result, large)}
    text = json.dumps(output, indent=1)
    print(text)
    if arguments.json:
        arguments.json.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
