"""Texts to vectors through the embedding model's own child: llama.cpp with a random BERT, and pretended children."""

import math
import threading
from pathlib import Path

import psutil
import pytest

from app.domain.cancel import CancelToken
from app.domain.errors import AppError, Cancelled
from app.embedding import worker as embedding
from app.embedding.worker import EmbeddingWorker
from app.engine.llama import embed
from app.models.library.lookup import named
from app.models.library.shipped import default_roots, shipped_models

dies = pytest.mark.expect_log("the embedding model's process ended")


@pytest.fixture
def make_worker():
    made = []

    def make(path, target=embed.run, **wiring):
        made.append(EmbeddingWorker(lambda: path, target, **wiring))
        return made[-1]

    yield make
    for worker in made:
        worker.close()


@pytest.fixture
def pretend(make_worker, children, bert):
    return lambda kind="embeds", **wiring: make_worker(bert, target=getattr(children, kind), **wiring)


def cosine(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True))


@pytest.mark.model
def test_equal_texts_have_equal_vectors_of_length_one(make_worker, bert):
    worker = make_worker(bert)
    texts = ["the boiler hums", "roses need sun", "the boiler hums", "", "\ud800 \0"]
    vectors = worker.embed(texts)
    assert [len(vector) for vector in vectors] == [worker.model.dimension] * 5
    assert all(math.isclose(cosine(vector, vector), 1, abs_tol=1e-5) for vector in vectors)
    assert vectors[0] == vectors[2] == worker.embed(texts[:1], query=True)[0]
    assert cosine(vectors[0], vectors[1]) < 0.9999
    assert worker.embed([]) == []


@pytest.mark.model
def test_the_starter_model_computes_what_its_makers_published(make_worker):
    """Similarities of the model's page: 0.695, 0.943, 0.257."""
    starter = default_roots()[-1] / "embedding" / "all-MiniLM-L6-v2-F16.gguf"
    if not starter.is_file():
        pytest.skip("the starter embedding model could not be fetched")
    texts = ["That is a happy person", "That is a happy dog", "That is a very happy person", "Today is a sunny day"]
    source, *others = make_worker(starter).embed(texts)
    assert [cosine(source, other) for other in others] == pytest.approx([0.695, 0.943, 0.257], abs=1e-3)


@pytest.mark.model
def test_of_a_long_text_the_beginning_counts(make_worker, bert):
    worker = make_worker(bert)
    begun, longer, other = worker.embed(["word " * 500, "word " * 90_000, "roses " * 500])
    assert begun == longer
    assert begun != other


@pytest.mark.model
@pytest.mark.parametrize("make", ["a chat model", "no pooling", "rank", "no words"])
def test_what_is_no_embedding_model_is_a_sentence(make, make_worker, random_models, tmp_path):
    path = tmp_path / f"{make}.gguf"
    if make == "a chat model":
        path = Path(named(shipped_models(), "alcove-tiny").path)
    elif make == "no words":
        shapes = random_models._shapes()
        shapes.write(path, random_models.kinds(shapes)["mamba 2"], weights=True)
    else:
        random_models.write_encoder(path, pooling={"no pooling": 0, "rank": 4}[make])
    worker = make_worker(path)
    with pytest.raises(AppError, match="not a model that turns text into vectors") as caught:
        worker.embed(["anything"])
    assert caught.value.code == "not-an-embedding-model"
    assert worker.child_pid is None


@pytest.mark.parametrize("content", [b"", b"GGUF", b"something else"])
def test_what_is_no_model_is_none(make_worker, tmp_path, content):
    (tmp_path / "a.gguf").write_bytes(content)
    for path in (tmp_path / "a.gguf", tmp_path / "missing.gguf", None):
        worker = make_worker(path)
        assert worker.model is None
        with pytest.raises(AppError) as caught:
            worker.embed(["anything"])
        assert caught.value.code == "no-embedding-model"


@dies
def test_a_death_is_one_error_and_the_next_call_loads_again(pretend):
    worker = pretend()
    worker.embed(["fine"])
    first = worker.child_pid
    with pytest.raises(AppError) as caught:
        worker.embed(["fine", "DIE", "fine"])
    assert caught.value.code == "embedding-died"
    assert caught.value.info.hint
    assert len(worker.embed(["fine"])) == 1
    assert worker.child_pid not in (None, first)


@dies
def test_a_load_that_dies_is_a_sentence(pretend):
    with pytest.raises(AppError, match="made the engine stop"):
        pretend("dies_loading").embed(["fine"])


def test_a_model_that_cannot_be_loaded_is_not_tried_again_at_once(pretend, children):
    now = [0.0]
    worker = pretend("cannot_load", monotonic=lambda: now[0])
    with pytest.raises(AppError, match="Too bad"):
        worker.embed(["fine"])
    worker._target = children.embeds  # what was wrong is mended
    with pytest.raises(AppError, match="Too bad"):
        worker.embed(["fine"])
    now[0] += embedding.LOOK_AGAIN_S
    assert len(worker.embed(["fine"])) == 1


def test_a_bug_in_the_child_leaves_it_usable(pretend):
    worker = pretend()
    with pytest.raises(AppError, match="Too bad"):
        worker.embed(["FAIL"])
    assert len(worker.embed(["fine"])) == 1


def test_a_question_goes_before_passages_that_wait(pretend, tmp_path, wait_for):
    worker = pretend()
    asked, go, later = (tmp_path / name for name in ("asked", "go", "later"))
    texts = [f"WAIT {asked} {go}", f"WAIT {asked} {later}"]
    passages = threading.Thread(target=worker.embed, args=(texts,))
    passages.start()
    wait_for(asked.exists)
    question = threading.Thread(target=worker.embed, args=(["a question"],), kwargs={"query": True})
    question.start()
    wait_for(lambda: len(worker._jobs.jobs) == 2)
    go.touch()
    question.join(20)
    assert not question.is_alive()
    assert passages.is_alive()
    later.touch()
    passages.join()


def test_waiting_can_be_stopped(pretend, tmp_path, wait_for):
    worker = pretend()
    asked, go = tmp_path / "asked", tmp_path / "go"
    token = CancelToken()
    outcome = []

    def ask():
        try:
            worker.embed([f"WAIT {asked} {go}"], cancel=token)
        except Cancelled as error:
            outcome.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    wait_for(asked.exists)
    token.cancel()
    thread.join()  # although the child is still at it
    go.touch()
    assert len(outcome) == 1
    assert len(worker.embed(["the next one"])) == 1


def test_it_rests_when_nothing_is_to_do(pretend, wait_for):
    worker = pretend(idle_unload_s=lambda: 0.5)
    worker.embed(["fine"])
    child = psutil.Process(worker.child_pid)
    wait_for(lambda: not child.is_running())
    assert len(worker.embed(["fine"])) == 1


def test_closing_ends_everybody(pretend, tmp_path, wait_for):
    worker = pretend()
    asked = tmp_path / "asked"
    errors = []

    def ask():
        with pytest.raises(AppError) as caught:
            worker.embed([f"WAIT {asked} {tmp_path / 'never'}"])
        errors.append(caught.value.code)

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    wait_for(asked.exists)
    worker.close()
    worker.close()
    for thread in threads:
        thread.join()
    assert errors == ["engine-closed"] * 2
    with pytest.raises(AppError):
        worker.embed(["late"])


def test_another_file_is_another_model(children, random_models, bert, tmp_path, make_worker):
    now = [0.0]
    worker = EmbeddingWorker(lambda: paths[-1], children.embeds, monotonic=lambda: now[0])
    try:
        paths = [bert]
        first = worker.model
        worker.embed(["fine"])
        pid = worker.child_pid
        paths.append(tmp_path / "multilingual-e5-small.gguf")
        random_models.write_encoder(paths[-1], pooling=2)
        assert worker.model == first
        now[0] += embedding.LOOK_AGAIN_S
        assert worker.model != first
        worker.embed(["fine"])
        assert worker.child_pid != pid
    finally:
        worker.close()
