"""Placements timed against each other: asked for, and by itself where nobody can notice."""

import threading
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from app.domain.cancel import CancelToken
from app.domain.errors import AppError, Cancelled, ErrorInfo
from app.domain.events import EngineDied, ModelLoaded, ModelTuned
from app.domain.models import LoadRequest
from app.domain.placement import AS_PLANNED
from app.engine.fake import FakeEngine
from app.engine.learned.saved_states import StateFolder
from app.engine.local import worker
from app.engine.local.tuner import Tuner
from app.machine import devices

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
    assert again.engine.with_learned(LoadRequest(model)).variant == tuning.chosen
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


@dies
def test_what_cannot_be_measured_is_loaded_again(start, model):
    recorded = start()
    recorded.engine.tune(LoadRequest(model), CancelToken())  # from now on it is unloaded meanwhile
    Path(f"{model}.silent").touch()
    with pytest.raises(AppError) as caught:
        recorded.engine.tune(LoadRequest(model), CancelToken())
    assert caught.value.code == "tuning-silent"
    assert recorded.engine.model.context == FASTER


def test_a_plan_that_found_no_room_is_not_tried_again(start, model, soon):
    recorded = start()
    request = LoadRequest(model, context=77)
    loaded = recorded.engine.load(request)
    assert recorded.of(ModelLoaded)[-1].note is not None
    with pytest.raises(AppError) as caught:
        recorded.engine.tune(request, CancelToken())
    assert caught.value.code == "not-enough-memory"
    assert recorded.engine.tune_in_idle_time(request, CancelToken()) is None
    assert recorded.engine.model is loaded


class Trial(FakeEngine):
    """Loads until it is closed, and takes its time to end; or needs a safer plan while it answers."""

    def __init__(self, hear=None):
        super().__init__(default=["a"], publish=hear)
        self.hear = hear
        self.loading, self.closing, self.gone = threading.Event(), threading.Event(), threading.Event()
        self.answers = 0

    def load(self, request, cancel=None):
        if self.hear is not None:
            return super().load(request, cancel)
        self.loading.set()
        assert self.closing.wait(10)
        raise AppError("engine-closed", "The engine is closed.", "")

    def generate(self, request, cancel):
        self.answers += 1
        if self.answers > 1:  # the first one is not timed
            self.hear(ModelLoaded(self.model, ErrorInfo("safer-plan", "Less context.")))
        return super().generate(request, cancel)

    def close(self):
        if not self.closing.is_set():
            self.closing.set()
            assert self.hear is not None or self.gone.wait(10)
        super().close()


def test_whoever_stops_it_does_not_wait_until_its_process_has_ended():
    trial, cancel, ended = Trial(), CancelToken(), []

    def compare():
        try:
            Tuner(lambda _: trial, cancel).compare(LoadRequest("model.gguf"), trial.model, ())
        except Cancelled:
            ended.append(trial.gone.is_set())

    thread = threading.Thread(target=compare)
    thread.start()
    assert trial.loading.wait(10)
    cancel.cancel()
    assert not trial.gone.is_set()
    trial.gone.set()
    thread.join(20)
    assert ended == [True]


def test_what_went_on_by_a_safer_plan_is_not_measured():
    with pytest.raises(AppError) as caught:
        Tuner(Trial, CancelToken()).compare(LoadRequest("model.gguf"), FakeEngine().model, ())
    assert caught.value.code == "not-enough-memory"


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
    """By itself after a blink without work, on a machine that seems quiet."""
    monkeypatch.setattr(worker, "IDLE_S", 0.05)
    monkeypatch.setattr(devices, "LOOK_S", 0.0)
    monkeypatch.setattr(psutil, "cpu_percent", lambda: 0.0)


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


def test_by_itself_only_while_nothing_else_computes(start, model, soon, monkeypatch):
    recorded, cancel = start(), CancelToken()
    recorded.engine.load(LoadRequest(model))
    seen = []

    def busy():
        seen.append(True)
        if len(seen) > 6:
            cancel.cancel()
        return 80.0

    monkeypatch.setattr(psutil, "cpu_percent", busy)
    assert recorded.engine.tune_in_idle_time(LoadRequest(model), cancel) is None
    assert not recorded.of(ModelTuned)


@dies
def test_by_itself_not_beside_a_question_that_came_during_the_look(start, model, soon, monkeypatch):
    recorded, cancel = start(), CancelToken()
    recorded.engine.load(LoadRequest(model))
    looks = []

    def look():
        looks.append(True)
        if len(looks) == 2:  # at its end
            recorded.run(HELLO)
            assert not recorded.of(ModelTuned)
        return 0.0

    monkeypatch.setattr(psutil, "cpu_percent", look)
    assert recorded.engine.tune_in_idle_time(LoadRequest(model), cancel) is not None
    assert len(looks) == 4


@dies
def test_by_itself_it_leaves_one_alone_that_was_asked_for(start, model, tuning_thread, monkeypatch):
    monkeypatch.setattr(worker, "IDLE_S", 0.0)
    monkeypatch.setattr(psutil, "cpu_percent", lambda: 0.0)
    recorded = start()
    recorded.engine.load(LoadRequest(model))
    thread, ended = tuning_thread(lambda: recorded.engine.tune(LoadRequest(model), CancelToken()))
    assert recorded.engine.tune_in_idle_time(LoadRequest(model), Impatient()) is None
    Path(f"{model}.slow").unlink()
    thread.join(20)
    assert recorded.of(ModelTuned) == [ModelTuned(model, ended[0])]


@dataclass
class Battery:
    power_plugged: bool


def test_by_itself_never_where_it_would_be_noticed(start, model, soon, monkeypatch):
    recorded, cancel = start(), CancelToken()
    recorded.engine.load(LoadRequest(model))
    monkeypatch.setattr(worker, "QUICK_S", 0.01)
    assert recorded.engine.tune_in_idle_time(LoadRequest(model), cancel) is None  # slow to load
    monkeypatch.undo()
    monkeypatch.setattr(worker, "IDLE_S", 0.0)
    monkeypatch.setattr(psutil, "sensors_battery", lambda: Battery(power_plugged=False), raising=False)
    assert recorded.engine.tune_in_idle_time(LoadRequest(model), cancel) is None
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
