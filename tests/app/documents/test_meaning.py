"""Passages found by their meaning: an embedder that knows some words stands for the model."""

import math
import os
import re
import sqlite3
import threading
from array import array
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from app.documents.service import DocumentService
from app.domain.cancel import CancelToken
from app.domain.errors import AppError, Cancelled
from app.domain.models import EmbeddingModel

CONCEPTS = ({"car", "automobile", "vehicle"}, {"dog", "puppy", "hound"}, {"bread", "loaf", "dough"})


class Words:
    """An `Embedder`: one number for each concept that a text speaks of, and one that all texts share."""

    def __init__(self, name: str = "words") -> None:
        self.model: EmbeddingModel | None = EmbeddingModel(name, name, len(CONCEPTS) + 1)
        self.passages: list[str] = []
        self.questions: list[str] = []
        self.error: AppError | None = None
        self.deadly = ""
        self.go = threading.Event()
        self.go.set()

    def embed(
        self, texts: Sequence[str], *, query: bool = False, cancel: CancelToken | None = None
    ) -> "list[array[float]]":
        if not query:
            assert self.go.wait(20)
        if cancel is not None:
            cancel.raise_if_cancelled()
        if self.error is not None:
            raise self.error
        if self.deadly and any(self.deadly in text for text in texts):
            raise AppError("embedding-died", "It died.")
        (self.questions if query else self.passages).extend(texts)
        return [self._vector(set(re.findall(r"\w+", text.lower()))) for text in texts]

    def _vector(self, words: set[str]) -> "array[float]":
        numbers = [float(bool(words & concept)) for concept in CONCEPTS] + [0.1]
        length = math.hypot(*numbers)
        return array("f", [number / length for number in numbers])


@pytest.fixture
def words() -> Words:
    return Words()


@pytest.fixture
def open_service(tmp_path: Path) -> Iterator[Callable[..., DocumentService]]:
    made: list[tuple[DocumentService, Words]] = []

    def make(embedder: Words, events: list[object] | None = None) -> DocumentService:
        publish = events.append if events is not None else lambda event: None
        made.append((DocumentService(tmp_path / "documents.db", publish, embedder=embedder), embedder))
        return made[-1][0]

    yield make
    for service, embedder in made:
        embedder.go.set()
        service.close()


@pytest.fixture
def library(folder: Path) -> str:
    for name, text in {
        "garage.txt": "The automobile stands beside the bicycle.",
        "kennel.txt": "Our hound sleeps all afternoon.",
        "kitchen.txt": "Let the dough rest for an hour.",
    }.items():
        (folder / name).write_text(text, encoding="utf-8")
    return str(folder)


def ready(service: DocumentService, scope: str) -> None:
    service.update([scope])
    service.await_vectors([scope], 20)


def first(service: DocumentService, query: str, scope: str) -> str:
    found = service.search(query, [scope], 3)
    return Path(found[0].path).name if found else ""


def rows(service: DocumentService, statement: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(service._database) as connection:
        found = connection.execute(statement).fetchall()
    connection.close()
    return found


def test_a_passage_without_a_word_of_the_question_is_found(
    open_service: Callable[..., DocumentService], words: Words, library: str
) -> None:
    service = open_service(words)
    ready(service, library)
    assert first(service, "Where is the car?", library) == "garage.txt"
    assert first(service, "puppy", library) == "kennel.txt"
    assert words.questions == ["Where is the car?", "puppy"]
    assert first(service, "dough", library) == "kitchen.txt"


def test_words_find_before_there_are_vectors(
    open_service: Callable[..., DocumentService], words: Words, library: str
) -> None:
    words.go.clear()
    service = open_service(words)
    service.update([library])
    assert [Path(passage.path).name for passage in service.find("bicycle", [library], 3)] == ["garage.txt"]
    assert service.find("car", [library], 3) == []
    assert words.questions == []  # there is nothing to compare them with
    words.go.set()
    service.await_vectors([library], 20)
    assert first(service, "car", library) == "garage.txt"


def test_what_was_made_is_not_made_again(
    open_service: Callable[..., DocumentService], words: Words, library: str
) -> None:
    service = open_service(words)
    ready(service, library)
    assert len(words.passages) == 3
    service.close()
    again = open_service(words)
    ready(again, library)
    (Path(library) / "copy.txt").write_text("Our hound sleeps all afternoon.", encoding="utf-8")
    (Path(library) / "copy.md").write_text("Our hound sleeps all afternoon.", encoding="utf-8")
    Path(library, "kennel.txt").unlink()
    ready(again, library)
    assert len(words.passages) == 3
    assert first(again, "puppy", library) in ("copy.md", "copy.txt")


def test_of_an_edited_file_only_what_changed(open_service: Callable[..., DocumentService], folder: Path) -> None:
    words, sections = Words(), [f"## Part {n}\n\n{'Some words about nothing. ' * 30}\n" for n in range(6)]
    (folder / "a.md").write_text("\n".join(sections), encoding="utf-8")
    service = open_service(words)
    ready(service, str(folder))
    before = len(words.passages)
    assert before >= 6
    sections[3] = "## Part 3\n\nA loaf.\n"
    (folder / "a.md").write_text("\n".join(sections), encoding="utf-8")
    ready(service, str(folder))
    assert len(words.passages) <= before + 3
    assert "loaf" in service.search("bread", [str(folder)], 1)[0].text


def test_another_model_builds_beside_the_old_one(
    open_service: Callable[..., DocumentService], words: Words, library: str
) -> None:
    ready(open_service(words), library)
    other = Words("other")
    other.go.clear()
    service = open_service(other)
    service.update([library])
    assert service.find("car", [library], 3) == []  # vectors of two models are not compared
    other.go.set()
    service.await_vectors([library], 20)
    assert first(service, "car", library) == "garage.txt"
    back = open_service(words)
    ready(back, library)
    assert (len(words.passages), len(other.passages)) == (3, 3)
    third = open_service(Words("third"))
    ready(third, library)
    assert rows(third, "SELECT name FROM embedders ORDER BY id") == [("other 4",), ("third 4",)]
    assert rows(third, "SELECT count(*) FROM vectors") == [(6,)]


def test_where_the_model_fails_words_go_on(
    open_service: Callable[..., DocumentService], words: Words, library: str, events: list[object]
) -> None:
    service = open_service(words, events)
    ready(service, library)
    words.error = AppError("not-enough-memory", "There is not enough memory.")
    (Path(library) / "new.txt").write_text("The vehicle is new.", encoding="utf-8")
    assert first(service, "bicycle", library) == "garage.txt"
    service.await_vectors([library], 20)
    words.error = None
    ready(service, library)
    assert len(words.passages) == 4
    assert "BackgroundFailed" not in {type(event).__name__ for event in events}


def test_where_vectors_cannot_be_stored_words_go_on(
    open_service: Callable[..., DocumentService], words: Words, library: str
) -> None:
    nobody = Words()
    nobody.model = None
    before = open_service(nobody)
    before.update([library])
    before.close()
    with sqlite3.connect(before._database) as index:
        index.execute("CREATE TRIGGER full BEFORE INSERT ON vectors BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    service = open_service(words)
    ready(service, library)
    assert first(service, "bicycle", library) == "garage.txt"
    index.execute("DROP TRIGGER full")
    index.close()
    ready(service, library)
    assert first(service, "car", library) == "garage.txt"


def test_a_text_that_kills_the_model_is_left_out(
    open_service: Callable[..., DocumentService], words: Words, library: str
) -> None:
    words.deadly = "hound"
    service = open_service(words)
    ready(service, library)
    assert len(words.passages) == 2
    assert rows(service, "SELECT count(*) FROM vectors WHERE vector = x''") == [(1,)]
    assert first(service, "car", library) == "garage.txt"
    assert first(service, "hound sleeps", library) == "kennel.txt"
    ready(service, library)
    assert len(words.passages) == 2


def test_what_is_gone_is_found_no_more(
    open_service: Callable[..., DocumentService], words: Words, library: str
) -> None:
    service = open_service(words)
    ready(service, library)
    assert first(service, "car", library) == "garage.txt"
    Path(library, "garage.txt").unlink()
    assert "garage.txt" not in {Path(passage.path).name for passage in service.search("car", [library], 5)}
    assert rows(service, "SELECT count(*) FROM vectors") == [(2,)]


def test_only_the_scope_is_near(open_service: Callable[..., DocumentService], words: Words, library: str) -> None:
    service = open_service(words)
    ready(service, library)
    kitchen = str(Path(library) / "kitchen.txt")
    assert {passage.path for passage in service.search("car", [kitchen], 5)} <= {kitchen}


def test_an_older_index_is_kept(open_service: Callable[..., DocumentService], words: Words, library: str) -> None:
    for path in Path(library).iterdir():
        os.utime(path, (1_600_000_000, 1_600_000_000))
    without = Words()
    without.model = None
    service = open_service(without)
    ready(service, library)
    assert without.passages == []
    service.close()
    with sqlite3.connect(service._database) as old:
        old.executescript("DROP TABLE vectors; DROP TABLE embedders; DROP INDEX chunks_hash; PRAGMA user_version = 1;")
        contents = old.execute("SELECT * FROM contents").fetchall()
    old.close()
    reader = open_service(words)
    assert len(reader.find("bicycle", [library], 3)) == 1  # also before an indexer has looked at it
    ready(reader, library)
    assert first(reader, "car", library) == "garage.txt"
    assert rows(reader, "SELECT * FROM contents") == contents


def test_a_large_collection_is_not_waited_for(
    open_service: Callable[..., DocumentService], words: Words, folder: Path
) -> None:
    words.go.clear()
    for number in range(200):
        (folder / f"{number}.txt").write_text(f"Number {number} of many.", encoding="utf-8")
    service = open_service(words)
    service.update([str(folder)])
    service.await_vectors([str(folder)], 60)
    assert words.passages == []
    words.go.set()


def test_waiting_has_an_end(open_service: Callable[..., DocumentService], words: Words, library: str) -> None:
    words.go.clear()
    service = open_service(words)
    service.update([library])
    service.await_vectors([library], 0.05)
    assert words.passages == []
    words.go.set()


def test_stopping_a_question_stops_its_vector(
    open_service: Callable[..., DocumentService], words: Words, library: str
) -> None:
    service = open_service(words)
    ready(service, library)
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        service.find("car", [library], 3, token)
