"""Every kind of memory, with small random models: what is kept is as long as the memory allows, and what comes out is
what a model that remembers nothing says."""

import random

import pytest

from app.domain.cancel import CancelToken
from app.domain.errors import AppError
from app.domain.messages import StopReason
from app.domain.models import LoadRequest, Sampling
from app.engine.learned.saved_states import StateFolder, read_state
from app.engine.protocol import GenerationRequest, Prefill, Tokens

pytestmark = pytest.mark.model
OPENING = 16  # tokens at a prompt's end in front of which a memory that cannot be cut is copied


def ids(seed, count):
    return tuple(random.Random(seed).choices(range(10, 290), k=count))


@pytest.mark.parametrize(
    ("kind", "cuts"),
    [
        ("latent attention", True),
        ("sliding window", False),
        ("delta net", False),
        ("mamba 2", False),
        ("short convolutions", False),
    ],
)
def test_nothing_is_read_twice_and_nothing_is_said_differently(kind, cuts, make_engine, random_models, tmp_path):
    path = tmp_path / "random.gguf"
    random_models.write(path, kind)
    recorded = make_engine(states=StateFolder(tmp_path / "states", 1 << 28))
    recorded.engine.load(LoadRequest(str(path), context=2048, threads=1))
    same: list[bool] = []

    def forget():
        recorded.run(ids(99, 5), max_tokens=1)

    def run(prompt, conversation):
        """An answer of five tokens, and what was known: (tokens, where)."""
        answer = recorded.run(prompt, max_tokens=5, conversation=conversation)
        forget()
        same.append(recorded.run(prompt, max_tokens=1).ids == answer.ids[:1])
        forget()
        return answer, (answer.stats.cached_tokens, answer.stats.cached_from)

    question = ids(1, 700)
    answer, _ = run(question, "sea")
    went_on = (*question, *answer.ids, *ids(2, 100))
    _, known = run(went_on, "sea")  # exactly the way it went: no memory has to be cut
    assert known == (len(question) + len(answer.ids) - 1, "disk")
    asked_again = (*went_on[:-5], *ids(3, 9))
    _, known = run(asked_again, "sea")
    assert known == (len(went_on) - (5 if cuts else OPENING), "disk")
    elsewhere = (*question[:300], *ids(4, 50))  # before every copy
    _, known = run(elsewhere, "sea")
    assert known == ((300, "disk") if cuts else (0, "none"))
    # Batches of another length round differently, and with random weights two tokens can be almost equally likely.
    # Out of a wrong memory one in three hundred would be the same.
    assert sum(same) >= len(same) - 1


@pytest.mark.parametrize("kind", ["latent attention", "sliding window", "delta net", "mamba 2"])
def test_reading_ahead_leaves_the_question_where_it_was(kind, make_engine, random_models, tmp_path, wait_for):
    path = tmp_path / "random.gguf"
    random_models.write(path, kind)
    folder = StateFolder(tmp_path / "states", 1 << 28)
    recorded = make_engine(states=folder)
    recorded.engine.load(LoadRequest(str(path), context=4096, threads=1))
    question = history = ids(1, 700)
    for number in range(12):  # more rounds than places that are remembered
        answer = recorded.run(history, max_tokens=5, conversation="sea", round=number)
        history = (*history, *answer.ids, *ids(number + 10, 80))
    beginning = (*question, *ids(2, 300))
    recorded.engine.read_ahead(beginning, "sea")
    wait_for(lambda: [file for file in folder.path.glob("*.state") if tokens_of(file) == beginning])
    answer = recorded.run((*beginning, *ids(3, 20)), max_tokens=1, conversation="sea")
    assert (answer.stats.cached_tokens, answer.stats.cached_from) == (len(beginning), "memory")
    edited = recorded.run((*beginning, *ids(5, 20)), max_tokens=1, conversation="sea")
    assert edited.stats.cached_tokens == len(beginning)
    again = recorded.run(question, max_tokens=1, conversation="sea")
    assert again.stats.cached_tokens >= len(question) - OPENING


@pytest.mark.parametrize("kind", ["latent attention", "sliding window", "delta net", "mamba 2", "short convolutions"])
def test_what_was_broken_off_is_not_taken_for_done(kind, make_engine, random_models, tmp_path):
    """llama.cpp leaves a recurrent state half written, and says that it holds the piece of the prompt."""
    path = tmp_path / "random.gguf"
    random_models.write(path, kind)
    recorded = make_engine()
    recorded.engine.load(LoadRequest(str(path), context=2048, threads=1))
    question = ids(1, 1200)
    whole = recorded.run(question, max_tokens=400)

    def stop_at(kind_of_event):
        """Stop as soon as there is one; how much of the prompt was read, and what was written."""
        recorded.run(ids(99, 5), max_tokens=1)
        cancel = CancelToken()
        request = GenerationRequest(question, Sampling(temperature=0))
        done, made = 0, []
        for event in recorded.engine.generate(request, cancel):
            if isinstance(event, Prefill):
                done = event.done
            elif isinstance(event, Tokens):
                made += [piece.id for piece in event.pieces]
            if isinstance(event, kind_of_event) and done >= 512:
                cancel.cancel()
        assert event.stop_reason is StopReason.CANCELLED
        return done, tuple(made)

    done, _ = stop_at(Prefill)
    assert done < len(question)
    again = recorded.run(question, max_tokens=5)
    assert (again.stats.cached_tokens, again.ids) == (done, whole.ids[:5])
    _, made = stop_at(Tokens)
    assert made == whole.ids[: len(made)]
    went_on = recorded.run((*question, *made), max_tokens=3)
    assert went_on.stats.cached_tokens == len(question) + len(made) - 1
    assert went_on.ids == whole.ids[len(made) : len(made) + 3]


def tokens_of(file):
    try:
        return read_state(file, file.name.split("-")[0]).tokens
    except OSError:  # it is being replaced
        return ()


def test_a_file_without_a_vocabulary(make_engine, random_models, tmp_path):
    path = tmp_path / "no words.gguf"
    shapes = random_models._shapes()
    shapes.write(path, random_models.kinds(shapes)["mamba 2"], weights=True)
    with pytest.raises(AppError) as caught:
        make_engine().engine.load(LoadRequest(str(path), context=256, threads=1))
    assert caught.value.code == "not-a-chat-model"
