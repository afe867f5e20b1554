"""The worker's own logic, over children that only pretend."""

import os
import queue
import signal
import threading

import pytest

from app.domain.cancel import CancelToken
from app.domain.errors import AppError, Cancelled
from app.domain.events import EngineDied, ModelFailed, ModelLoaded, ModelLoading, ModelUnloaded
from app.domain.messages import StopReason
from app.domain.models import LoadRequest, PromptText, Sampling
from app.engine.protocol import Finished, GenerationRequest, Queued, Tokens

DIE, WAIT, FAIL = 1000, 1001, 1002
dies = pytest.mark.expect_log("the engine's process ended")
HELLO = tuple(map(ord, "hello"))


def request(*prompt):
    return GenerationRequest(tuple(prompt), Sampling())


def test_load_publishes_its_progress_and_the_model(pretend, model_file):
    recorded = pretend()
    assert recorded.engine.model.path == model_file
    assert [type(event) for event in recorded.events] == [ModelLoading, ModelLoading, ModelLoaded]
    assert [event.progress for event in recorded.of(ModelLoading)] == [0.0, 0.5]


def test_the_same_wish_loads_once(pretend, model_file):
    recorded = pretend()
    first = recorded.engine.model
    assert recorded.engine.load(LoadRequest(model_file)) is first
    other = recorded.engine.load(LoadRequest(model_file, context=4096))
    assert other.seconds != first.seconds  # another process
    assert len(recorded.of(ModelUnloaded)) == 1


def test_an_answer_streams(pretend):
    answer = pretend().run(HELLO)
    assert answer.text == "hello"
    assert answer.reason is StopReason.STOP


def test_without_a_model_nothing_works(pretend):
    engine = pretend(load=False).engine
    assert engine.model is None
    for work in (lambda: engine.tokenize([PromptText("x")]), lambda: next(engine.generate(request(1), CancelToken()))):
        with pytest.raises(AppError) as caught:
            work()
        assert caught.value.code == "no-model"


def test_unload_ends_the_process(pretend):
    recorded = pretend()
    pid = recorded.engine.child_pid
    recorded.engine.unload()
    assert recorded.engine.model is None
    assert recorded.engine.child_pid is None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert len(recorded.of(ModelUnloaded)) == 1
    recorded.engine.unload()
    assert len(recorded.of(ModelUnloaded)) == 1


def test_an_empty_prompt_is_a_mistake_of_the_caller(pretend):
    with pytest.raises(ValueError, match="at least one"):
        pretend().engine.generate(request(), CancelToken())


def test_cancel_while_it_waits_for_its_turn(pretend):
    engine = pretend().engine
    first_cancel, second_cancel = CancelToken(), CancelToken()
    first = engine.generate(request(WAIT), first_cancel)
    while not isinstance(next(first), Tokens):
        pass
    second = engine.generate(request(*HELLO), second_cancel)
    assert next(second) == Queued(1)
    second_cancel.cancel()
    assert next(second).stop_reason is StopReason.CANCELLED
    first_cancel.cancel()
    assert next(first).stop_reason is StopReason.CANCELLED


def test_callers_from_several_threads_are_served_in_turn(pretend):
    engine = pretend().engine
    cancel = CancelToken()
    first = engine.generate(request(WAIT), cancel)
    while not isinstance(next(first), Tokens):
        pass
    results: queue.SimpleQueue = queue.SimpleQueue()
    told: queue.SimpleQueue = queue.SimpleQueue()

    def work(text):
        events = []
        for event in engine.generate(request(*map(ord, text)), CancelToken()):
            events.append(event)
            if isinstance(event, Queued):
                told.put(event.ahead)
        results.put((text, "".join(p.text for e in events if isinstance(e, Tokens) for p in e.pieces)))

    threads = [threading.Thread(target=work, args=(text,)) for text in ("one", "two")]
    for thread in threads:
        thread.start()
    assert sorted([told.get(timeout=10), told.get(timeout=10)]) == [1, 2]
    cancel.cancel()
    list(first)
    for thread in threads:
        thread.join(10)
    assert {results.get(timeout=10), results.get(timeout=10)} == {("one", "one"), ("two", "two")}


def test_cancel_before_the_start(pretend):
    cancel = CancelToken()
    cancel.cancel()
    events = list(pretend().engine.generate(request(*HELLO), cancel))
    assert [event.stop_reason for event in events if isinstance(event, Finished)] == [StopReason.CANCELLED]


def test_an_abandoned_answer_stops(pretend):
    recorded = pretend()
    events = recorded.engine.generate(request(WAIT), CancelToken())
    while not isinstance(next(events), Tokens):
        pass
    events.close()
    assert recorded.run(HELLO).text == "hello"


def test_a_stop_does_not_reach_the_next_answer(pretend):
    recorded = pretend()
    cancel = CancelToken()
    events = recorded.engine.generate(request(WAIT), cancel)
    while not isinstance(next(events), Tokens):
        pass
    cancel.cancel()
    list(events)
    assert recorded.run(HELLO).reason is StopReason.STOP


def test_tokenize_is_answered_while_an_answer_runs(pretend):
    recorded = pretend()
    cancel = CancelToken()
    events = recorded.engine.generate(request(WAIT), cancel)
    while not isinstance(next(events), Tokens):
        pass
    assert recorded.engine.tokenize([PromptText("ab"), PromptText("")]) == [(97, 98), ()]
    cancel.cancel()
    list(events)


def test_a_failed_answer_leaves_the_model(pretend):
    recorded = pretend()
    with pytest.raises(AppError) as caught:
        recorded.run((FAIL,))
    assert caught.value.code == "too-bad"
    assert recorded.run(HELLO).text == "hello"
    assert not recorded.of(EngineDied)


@dies
def test_death_is_an_event_and_the_next_request_loads_again_one_rung_safer(pretend):
    recorded = pretend()
    for rung in (1, 2):
        with pytest.raises(AppError) as caught:
            recorded.run((104, DIE))
        assert caught.value.code == "engine-died"
        assert recorded.engine.model is None
        died = recorded.of(EngineDied)
        assert len(died) == rung
        assert "SIGKILL" in died[-1].error.detail
        assert recorded.run(HELLO).text == "hello"
        assert recorded.engine.model.context == rung  # where the pretended child keeps it


@dies
def test_death_while_nothing_runs(pretend):
    recorded = pretend()
    died = threading.Event()
    recorded.listeners.append(lambda event: died.set() if isinstance(event, EngineDied) else None)
    os.kill(recorded.engine.child_pid, signal.SIGKILL)
    assert died.wait(10)
    assert recorded.engine.tokenize([PromptText("a")]) == [(97,)]
    assert recorded.engine.model.context == 1


@dies
def test_loading_the_same_again_after_a_death_is_safer_too(pretend, model_file):
    recorded = pretend()
    with pytest.raises(AppError):
        recorded.run((104, DIE))
    assert recorded.engine.load(LoadRequest(model_file)).context == 1


@dies
def test_who_waits_behind_a_death_is_served_by_the_next_process(pretend):
    recorded = pretend()
    engine = recorded.engine
    cancel = CancelToken()
    first = engine.generate(request(WAIT, DIE), cancel)
    while not isinstance(next(first), Tokens):
        pass
    second = engine.generate(request(*HELLO), CancelToken())
    assert next(second) == Queued(1)
    os.kill(engine.child_pid, signal.SIGSEGV)
    with pytest.raises(AppError, match="stopped unexpectedly"):
        list(first)
    assert "".join(p.text for e in second if isinstance(e, Tokens) for p in e.pieces) == "hello"
    assert "SIGSEGV" in recorded.of(EngineDied)[0].error.detail


def test_cancel_of_a_load(pretend, model_file):
    recorded = pretend("never_loads", load=False)
    cancel = CancelToken()
    threading.Timer(0.2, cancel.cancel).start()
    with pytest.raises(Cancelled):
        recorded.engine.load(LoadRequest(model_file), cancel)
    assert recorded.engine.model is None
    assert isinstance(recorded.events[-1], ModelUnloaded)


def test_a_failed_load_is_an_error_and_an_event(pretend, model_file):
    recorded = pretend("cannot_load", load=False)
    with pytest.raises(AppError) as caught:
        recorded.engine.load(LoadRequest(model_file))
    assert caught.value.code == "too-bad"
    assert [event.error.code for event in recorded.of(ModelFailed)] == ["too-bad"]
    with pytest.raises(AppError) as caught:
        recorded.engine.tokenize([PromptText("x")])
    assert caught.value.code == "no-model"


def test_a_process_that_cannot_be_started_leaves_nobody_waiting(make_engine, model_file):
    recorded = make_engine(target=lambda *_: None)  # cannot be handed to another process
    for _ in range(2):
        with pytest.raises(AppError) as caught:
            recorded.engine.load(LoadRequest(model_file))
        assert caught.value.code == "engine-unavailable"
        assert "pickle" in caught.value.info.detail
    assert len(recorded.of(ModelFailed)) == 2


@dies
def test_death_in_a_load_tells_what_the_process_said_last(pretend, model_file):
    recorded = pretend("dies_loading", load=False)
    with pytest.raises(AppError) as caught:
        recorded.engine.load(LoadRequest(model_file))
    assert caught.value.code == "load-crashed"
    assert "SIGABRT" in caught.value.info.detail
    assert "too bad" in caught.value.info.detail
    assert recorded.of(EngineDied)
    assert recorded.of(ModelFailed)
    with pytest.raises(AppError):  # tries again, dies again, and leaves nobody waiting
        recorded.engine.tokenize([PromptText("x")])
    assert len(recorded.of(EngineDied)) == 2


def test_close_ends_what_hangs_and_whoever_waits(pretend, monkeypatch):
    monkeypatch.setattr("app.process.child.END_S", 0.1)
    recorded = pretend("hangs")
    pid = recorded.engine.child_pid
    failed: queue.SimpleQueue = queue.SimpleQueue()

    def work():
        try:
            list(recorded.engine.generate(request(*HELLO), CancelToken()))
        except AppError as error:
            failed.put(error.code)

    thread = threading.Thread(target=work)
    thread.start()
    recorded.engine.close()
    assert failed.get(timeout=10) == "engine-closed"
    thread.join(10)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    recorded.engine.close()
    with pytest.raises(AppError):
        recorded.engine.tokenize([PromptText("x")])


def test_closed_before_anything_happened(pretend):
    before = threading.active_count()
    pretend(load=False).engine.close()
    assert threading.active_count() == before


def test_the_worker_says_it_without_a_process(make_engine, tmp_path):
    recorded = make_engine(target=None)
    with pytest.raises(AppError) as caught:
        recorded.engine.load(LoadRequest(str(tmp_path / "none.gguf")))
    assert caught.value.code == "model-missing"
    assert [type(event) for event in recorded.events] == [ModelFailed]
