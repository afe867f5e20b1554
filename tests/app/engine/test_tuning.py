"""Placements timed against each other: asked for, and by itself where nobody can notice."""

import threading
from pathlib import Path

import pytest

from app.domain.cancel import CancelToken
from app.domain.errors import Cancelled
from app.domain.events import EngineDied, ModelLoaded, ModelTuned
from app.domain.models import LoadRequest
from app.domain.placement import AS_PLANNED
from app.engine import worker
from app.engine.states import StateFolder

HELLO = tuple(map(ord, "hello"))
PLANNED, FASTER = 2048, 4000  # contexts by which the pretended child tells its placement
dies = pytest.mark.expect_log("the engine's process ended")  # the mapped file is its death


@pytest.fixture
def model(tmp_path, random_models):
    """A file whose header is a real one: plans are made from it."""
    path = tmp_path / "model.gguf"
    random_models.write(path, "latent attention")
    return str(path)


@pytest.fixture
def start(make_engine, children, tmp_path):
    def make(kind="placed"):
        return make_engine(target=getattr(children, kind), states=StateFolder(tmp_path / "states", 1 << 20))

    return make


@dies
def test_the_fastest_is_found_loaded_and_remembered(start, model):
    recorded = start()
    tuning = recorded.engine.tune(LoadRequest(model), CancelToken())
    assert tuning.chosen.flash_attention is False
    assert [(speed.what, speed.reads, speed.writes) for speed in tuning.figures] == [
        ("as planned", 100, 10),
        ("without flash attention", 100, 20),
    ]
    assert recorded.of(ModelTuned) == [ModelTuned(model, tuning)]
    assert not recorded.of(EngineDied)  # the variant's own business
    assert recorded.engine.model.context == FASTER
    assert recorded.engine.load(LoadRequest(model)).context == FASTER
    again = start()
    assert again.engine.load(LoadRequest(model)).context == FASTER
    assert again.engine.load(LoadRequest(model, context=100)).context == PLANNED
    assert again.engine.load(LoadRequest(model)).context == FASTER


@dies
def test_again_after_it_was_tuned(start, model):
    recorded = start()
    first = recorded.engine.tune(LoadRequest(model), CancelToken())
    second = recorded.engine.tune(LoadRequest(model), CancelToken())
    assert (second.chosen, second.figures) == (first.chosen, first.figures)
    assert recorded.engine.model.context == FASTER


@dies
def test_whoever_decided_is_not_overruled(start, model):
    recorded = start()
    tuning = recorded.engine.tune(LoadRequest(model, kv_types=("q8_0", "q8_0")), CancelToken())
    assert tuning.chosen == AS_PLANNED


@pytest.fixture
def tuning_thread(model, wait_for):
    """Tunes in the background until it is stopped; the list has how that went, when the thread is over."""
    threads = []

    def begin(work):
        ended = []

        def run():
            try:
                ended.append(work())
            except Cancelled as error:
                ended.append(error)

        Path(f"{model}.slow").touch()
        threads.append(threading.Thread(target=run))
        threads[-1].start()
        wait_for(Path(f"{model}.asked").exists)
        return threads[-1], ended

    yield begin
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()


@pytest.mark.parametrize("other", ["generate", "load", "unload", "close", "cancel"])
def test_whatever_is_asked_for_ends_it(start, model, tuning_thread, other):
    recorded, cancel = start(), CancelToken()
    recorded.engine.load(LoadRequest(model))
    pid, loaded = recorded.engine.child_pid, recorded.engine.model
    thread, ended = tuning_thread(lambda: recorded.engine.tune(LoadRequest(model), cancel))
    assert (recorded.engine.child_pid, len(recorded.of(ModelLoaded))) == (pid, 1)  # untouched meanwhile
    if other == "generate":
        recorded.run(HELLO)
    elif other == "load":
        assert recorded.engine.load(LoadRequest(model)) is loaded
    elif other == "cancel":
        cancel.cancel()
    else:
        getattr(recorded.engine, other)()
    thread.join(20)
    assert isinstance(ended[0], Cancelled)
    assert not recorded.of(ModelTuned)


@pytest.fixture
def soon(monkeypatch):
    """By itself after a blink without work."""
    monkeypatch.setattr(worker, "IDLE_S", 0.05)


@dies
def test_by_itself_once(start, model, soon):
    recorded = start()
    request = LoadRequest(model)
    assert recorded.engine.tune_in_idle_time(request, CancelToken()) is None  # nothing is loaded
    recorded.engine.load(request)
    tuning = recorded.engine.tune_in_idle_time(request, CancelToken())
    assert recorded.of(ModelTuned) == [ModelTuned(model, tuning)]
    assert recorded.engine.model.context == FASTER  # nothing was in the memory
    assert recorded.engine.tune_in_idle_time(request, CancelToken()) is None


@dies
def test_by_itself_it_takes_nobodys_memory_away(start, model, soon):
    recorded = start()
    recorded.engine.load(LoadRequest(model))
    recorded.run(HELLO)
    pid = recorded.engine.child_pid
    assert recorded.engine.tune_in_idle_time(LoadRequest(model), CancelToken()).chosen.flash_attention is False
    assert recorded.engine.load(LoadRequest(model)).context == PLANNED
    assert recorded.engine.child_pid == pid
    recorded.engine.unload()
    assert recorded.engine.load(LoadRequest(model)).context == FASTER


@dies
def test_by_itself_it_begins_again_after_a_question(start, model, soon, tuning_thread):
    recorded = start()
    recorded.engine.load(LoadRequest(model))
    thread, ended = tuning_thread(lambda: recorded.engine.tune_in_idle_time(LoadRequest(model), CancelToken()))
    recorded.run(HELLO)
    Path(f"{model}.slow").unlink()
    thread.join(20)
    assert ended[0].chosen.flash_attention is False


class Impatient(CancelToken):
    """Set once somebody waits for it."""

    def wait(self, timeout: float | None = None) -> bool:
        self.cancel()
        return True


@dies
def test_by_itself_it_leaves_one_alone_that_was_asked_for(start, model, tuning_thread, monkeypatch):
    monkeypatch.setattr(worker, "IDLE_S", 0.0)
    recorded = start()
    recorded.engine.load(LoadRequest(model))
    thread, ended = tuning_thread(lambda: recorded.engine.tune(LoadRequest(model), CancelToken()))
    assert recorded.engine.tune_in_idle_time(LoadRequest(model), Impatient()) is None
    Path(f"{model}.slow").unlink()
    thread.join(20)
    assert recorded.of(ModelTuned) == [ModelTuned(model, ended[0])]


def test_by_itself_never_where_it_would_be_noticed(start, model, soon, monkeypatch):
    recorded, cancel = start(), CancelToken()
    recorded.engine.load(LoadRequest(model))
    monkeypatch.setattr(worker, "QUICK_S", 0.01)
    assert recorded.engine.tune_in_idle_time(LoadRequest(model), cancel) is None  # slow to load
    monkeypatch.undo()
    cancel.cancel()
    assert recorded.engine.tune_in_idle_time(LoadRequest(model), cancel) is None


@pytest.mark.model
def test_real_placements(make_engine, tiny_path, tmp_path):
    recorded = make_engine(states=StateFolder(tmp_path / "states", 1 << 20))
    request = LoadRequest(tiny_path, threads=1, threads_batch=1)
    tuning = recorded.engine.tune(request, CancelToken())
    assert [speed.what for speed in tuning.figures] == [
        "as planned",
        "from the mapped file",
        "without flash attention",
    ]
    assert all(speed.reads > 0 and speed.writes > 0 for speed in tuning.figures)
    assert tuning.chosen.what in [speed.what for speed in tuning.figures]
    model = recorded.engine.model
    assert recorded.engine.load(request) is model
    assert recorded.run(recorded.ids("The sea"), max_tokens=5).stats.generated_tokens == 5
