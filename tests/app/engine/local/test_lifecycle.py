"""Too little memory, and rest: the next safer plan by itself, remembered; unloaded when nothing is to do."""

import json
import os
import threading
import time
from dataclasses import replace
from multiprocessing.connection import wait

import psutil
import pytest

from app.domain.errors import AppError
from app.domain.events import EngineDied, ModelFailed, ModelLoaded, ModelUnloaded
from app.domain.models import LoadRequest, PromptText
from app.engine.learned.ladder import LAST_RUNG, Ladder
from app.engine.learned.saved_states import StateFolder
from app.engine.local.jobs import LoadJob
from app.engine.local.loop import EngineLoop

DIE, DIE_TWICE = 1000, 1003
HELLO = tuple(map(ord, "hello"))
dies = pytest.mark.expect_log("the engine's process ended")


@pytest.fixture
def states(tmp_path):
    return StateFolder(tmp_path / "states", 1 << 20)


@pytest.fixture
def start(make_engine, children, states):
    def make(kind="obedient", **wiring):
        return make_engine(**{"states": states, **wiring}, target=getattr(children, kind))

    return make


@dies
def test_a_load_that_needs_too_much_goes_down_the_ladder_by_itself(start, model_file):
    recorded = start("needs_rung_2")
    model = recorded.engine.load(LoadRequest(model_file))
    assert model.context == 2  # the rung
    assert not recorded.of(EngineDied)
    assert not recorded.of(ModelFailed)
    (loaded,) = recorded.of(ModelLoaded)
    assert "needed more memory" in loaded.note.text()
    assert recorded.engine.load(LoadRequest(model_file)) is model


@dies
def test_what_it_took_is_remembered_for_this_model_and_wish(start, model_file, states):
    start("needs_rung_2").engine.load(LoadRequest(model_file))
    recorded = start()  # another program, and no death
    assert recorded.engine.with_learned(LoadRequest(model_file)) == LoadRequest(model_file, rung=2)
    assert recorded.engine.load(LoadRequest(model_file)).context == 2
    assert recorded.of(ModelLoaded)[0].note is not None
    assert recorded.engine.load(LoadRequest(model_file, context=512)).context == 0
    assert recorded.of(ModelLoaded)[1].note is None


@dies
def test_an_answer_that_dies_before_its_first_token_is_begun_again(start, model_file):
    recorded = start()
    recorded.engine.load(LoadRequest(model_file))
    answer = recorded.run((DIE_TWICE, *HELLO))
    assert answer.text.endswith("hello")
    assert recorded.engine.model.context == 2
    assert not recorded.of(EngineDied)


@dies
def test_the_ladder_has_an_end(start, model_file):
    recorded = start()
    recorded.engine.load(LoadRequest(model_file))
    with pytest.raises(AppError) as caught:
        recorded.run((DIE,))
    assert caught.value.code == "engine-died"
    assert len(recorded.of(EngineDied)) == 1
    assert recorded.run(HELLO).text == "hello"
    assert recorded.engine.model.context == LAST_RUNG


@dies
def test_what_is_not_about_memory_is_tried_twice(start, model_file, caplog):
    with pytest.raises(AppError):
        start("dies_loading").engine.load(LoadRequest(model_file))
    assert len([record for record in caplog.records if "ended" in record.message]) == 2


@pytest.mark.expect_log("is damaged")
def test_memory_of_the_ladder(tmp_path, model_file, monkeypatch):
    ladder = Ladder(tmp_path / "new" / "ladder.json")
    request = LoadRequest(model_file, context=4096)
    assert ladder.rung(request) == 0
    ladder.remember(replace(request, rung=2))
    assert ladder.rung(request) == 2
    for wishes in ({"expert_layers": 1}, {"kv_types": ("q8_0", "q8_0")}):  # it may fit now
        assert ladder.rung(replace(request, **wishes)) == 0
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 8 * 24 * 3600)
    assert ladder.rung(request) == 0
    for text in ("", "[]", "null", '{"a": 1}', "{", '{"a": ["x", "y"]}', json.dumps({"a": [9, 9]})):
        ladder.path.write_text(text)
        assert ladder.rung(request) == 0
    Ladder(tmp_path / "new" / "ladder.json" / "below").remember(request)
    Ladder().remember(request)


class Clock:
    now = 1000.0

    def monotonic(self):
        return self.now


def test_a_model_that_somebody_asks_for_is_not_idle(children, model_file, monkeypatch):
    clock = Clock()
    monkeypatch.setattr("app.engine.local.loop.time", clock)
    loop = EngineLoop(lambda _: None, children.obedient, idle_unload_s=lambda: 50.0)
    loop.accept([LoadJob(LoadRequest(model_file))])
    while loop.current.model is None:
        loop.advance()
        wait(loop.sources(), 10)
        loop.read()
    clock.now += 40.0
    loop.accept([LoadJob(LoadRequest(model_file))])
    loop.advance()
    clock.now += 40.0
    loop.advance()
    assert (loop.current.model is not None, loop.idle_s()) == (True, 40.0)
    clock.now += 10.0
    loop.advance()
    assert loop.current.model is None
    loop.end([], AppError("engine-closed", "The engine is closed.", ""))


def test_an_idle_model_is_unloaded_and_comes_back_when_it_is_needed(start, model_file):
    recorded = start(idle_unload_s=lambda: 0.2)
    unloaded = threading.Event()
    recorded.listeners.append(lambda event: unloaded.set() if isinstance(event, ModelUnloaded) else None)
    recorded.engine.load(LoadRequest(model_file))
    pid = recorded.engine.child_pid
    for times in (1, 2):
        assert unloaded.wait(10)
        unloaded.clear()
        assert recorded.engine.model is None
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
        assert recorded.engine.tokenize([PromptText("ab")]) == [(97, 98)]
        pid = recorded.engine.child_pid
        assert recorded.run(HELLO).text == "hello"
        assert recorded.engine.model.context == 0
        assert len(recorded.of(ModelLoaded)) == times + 1
    recorded.engine.unload()
    with pytest.raises(AppError):
        recorded.engine.tokenize([PromptText("ab")])


@pytest.mark.model
def test_memory_comes_back(make_engine, tiny_path):
    recorded = make_engine()

    def round_trip():
        recorded.engine.load(LoadRequest(tiny_path, threads=1))
        recorded.engine.unload()

    round_trip()
    before = psutil.Process().memory_info().rss
    for _ in range(4):
        round_trip()
    assert psutil.Process().memory_info().rss < 1.05 * before
    assert not [child for child in psutil.Process().children() if "resource_tracker" not in " ".join(child.cmdline())]
