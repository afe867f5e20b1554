"""The next prompt's beginning, read while nobody waits: in nobody's way, and worth it."""

import os
import threading

import pytest

from app.domain.cancel import CancelToken
from app.domain.errors import AppError
from app.domain.events import EngineDied, ModelUnloaded
from app.domain.models import LoadRequest, PromptText, Sampling
from app.engine.learned.saved_states import StateFolder
from app.engine.protocol import GenerationRequest, Tokens

DIE, WAIT, FAIL, ABORT = 1000, 1001, 1002, 1004
HELLO = tuple(map(ord, "hello"))
dies = pytest.mark.expect_log("the engine's process ended")


def begin(recorded, *prompt, conversation="sea"):
    """Read ahead, and be sure that the child has heard of it."""
    recorded.engine.read_ahead(prompt, conversation)
    assert recorded.engine.tokenize([PromptText("ab")]) == [(97, 98)]


def test_an_answer_does_not_wait_for_it(pretend):
    recorded = pretend()
    begin(recorded, WAIT)
    assert recorded.run(HELLO).text == "hello"


def test_asking_for_the_loaded_model_does_not_disturb_it(pretend, model_file):
    recorded = pretend(idle_unload_s=lambda: 0.1)
    begin(recorded, WAIT)
    unloaded = threading.Event()
    recorded.listeners.append(lambda event: unloaded.set() if isinstance(event, ModelUnloaded) else None)
    model = recorded.engine.model
    assert recorded.engine.load(LoadRequest(model_file)) is model
    assert not unloaded.wait(0.4)  # it goes on, or the idle model would have been unloaded
    recorded.engine.forget("another")
    assert not unloaded.wait(0.1)
    recorded.engine.forget("sea")
    assert unloaded.wait(10)


@pytest.mark.parametrize(
    "other",
    [
        lambda engine, path: engine.load(LoadRequest(path, context=512)),
        lambda engine, path: engine.unload(),
        lambda engine, path: engine.close(),
    ],
)
def test_whatever_else_is_asked_for_ends_it(pretend, model_file, other):
    recorded = pretend()
    begin(recorded, WAIT)
    other(recorded.engine, model_file)
    assert not recorded.of(EngineDied)


def test_what_was_overtaken_is_not_read(pretend):
    recorded = pretend()
    begin(recorded, WAIT)
    recorded.engine.read_ahead((DIE,), "hill")
    assert recorded.run(HELLO).text == "hello"
    assert recorded.run(HELLO).text == "hello"


def test_what_comes_too_late_is_not_read(pretend):
    recorded = pretend()
    cancel = CancelToken()
    question = GenerationRequest((WAIT,), Sampling(), conversation="sea")
    for event in recorded.engine.generate(question, cancel):
        if isinstance(event, Tokens):  # another answer of the conversation is being written
            begin(recorded, DIE)
            cancel.cancel()
    assert recorded.ids("ab") == (97, 98)
    assert recorded.run(HELLO).text == "hello"
    assert not recorded.of(EngineDied)


def test_nothing_happens_without_a_model(pretend):
    recorded = pretend(load=False)
    recorded.engine.read_ahead((DIE,), "sea")
    with pytest.raises(AppError):
        recorded.engine.tokenize([PromptText("ab")])


@dies
@pytest.mark.parametrize(("word", "rung"), [(ABORT, 0), (DIE, 1)])
def test_a_death_is_told_once_and_only_one_for_want_of_memory_changes_the_plan(pretend, wait_for, word, rung):
    recorded = pretend()
    pid = recorded.engine.child_pid
    recorded.engine.read_ahead((word,), "sea")
    wait_for(lambda: recorded.of(EngineDied))
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert recorded.run(HELLO).text == "hello"
    assert recorded.engine.model.context == rung
    assert len(recorded.of(EngineDied)) == 1


@pytest.mark.expect_log("could not read ahead")
def test_a_failure_is_nobodys_business(pretend):
    recorded = pretend()
    begin(recorded, FAIL)
    assert recorded.run(HELLO).text == "hello"


@pytest.mark.model
def test_what_was_read_ahead_counts_however_far_it_came(make_engine, tiny_path, tmp_path, wait_for):
    folder = StateFolder(tmp_path / "states", 1 << 28)
    recorded = make_engine(states=folder)
    recorded.engine.load(LoadRequest(tiny_path, threads=1, threads_batch=1))
    question, answer, other = (recorded.ids(text * 40) for text in ("The sea is wide. ", "And deep. ", "A hill! "))
    recorded.run((*question, *other), max_tokens=2, conversation="sea")
    beginning = (*question, *answer)

    for conversation in ("", "hill"):  # another one is in the memory
        recorded.engine.read_ahead(beginning, conversation)
    recorded.engine.read_ahead((*question, *other[:20]), "sea")  # not worth it
    recorded.engine.read_ahead(beginning * 100, "sea")  # does not fit
    recorded.ids()
    interrupted = recorded.run((*question, *other, 1), max_tokens=1, conversation="sea")
    assert interrupted.stats.cached_tokens >= len(question) + len(other)

    recorded.engine.read_ahead(beginning, "sea")
    recorded.ids()
    early = recorded.run((*beginning, *other[:5]), max_tokens=5, conversation="sea")
    assert len(question) <= early.stats.cached_tokens <= len(beginning)
    recorded.run((*question, *other), max_tokens=2, conversation="sea")
    before = {(file.name, file.stat().st_mtime_ns) for file in folder.path.glob("*.state")}
    recorded.engine.read_ahead(beginning, "sea")
    wait_for(lambda: {(f.name, f.stat().st_mtime_ns) for f in folder.path.glob("*.state")} - before)
    late = recorded.run((*beginning, *other[:5]), max_tokens=5, conversation="sea")
    assert (late.stats.cached_tokens, late.stats.cached_from) == (len(beginning), "memory")
    assert late.ids == early.ids
