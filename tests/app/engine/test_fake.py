"""The engine that other rooms test with keeps the promises of the real one."""

import threading

import pytest

from app.domain.cancel import CancelToken
from app.domain.errors import AppError
from app.domain.events import EngineDied, ModelLoaded
from app.domain.messages import StopReason
from app.domain.models import LoadRequest, PromptText, Sampling
from app.engine.fake import FakeEngine
from app.engine.protocol import Finished, GenerationRequest, Prefill, Queued, Tokens


def ask(engine, text="question", **wishes):
    prompt = engine.tokenize([PromptText(text)])[0]
    return engine.generate(GenerationRequest(prompt, Sampling(), **wishes), CancelToken())


def text_of(events):
    return "".join(piece.text for event in events if isinstance(event, Tokens) for piece in event.pieces)


def test_tokens_can_be_read_back():
    engine = FakeEngine()
    text = "a <think> b 😀"
    marked, plain = engine.tokenize([PromptText(text), PromptText(text, special=False)])
    assert engine.detokenize(marked) == engine.detokenize(plain) == text
    assert len(plain) == len(marked) + len("<think>") - 1


def test_scripts_in_order_and_by_request():
    engine = FakeEngine(default=["nothing"])
    engine.script(["one"])
    engine.script(["title"], when=lambda request: "title" in engine.detokenize(request.prompt))
    assert text_of(ask(engine, "a title please")) == "title"
    assert text_of(ask(engine)) == "one"
    assert text_of(ask(engine)) == "nothing"
    assert len(engine.requests) == 3


def test_tokens_wait_for_their_release():
    engine = FakeEngine(auto=False)
    engine.script(["Hel", "lo", "<think>"])
    events = ask(engine)
    assert [type(next(events)), type(next(events))] == [Prefill, Prefill]
    engine.release(2)
    assert [next(events).pieces[0].text, next(events).pieces[0].text] == ["Hel", "lo"]
    got = []
    thread = threading.Thread(target=lambda: got.extend(events))
    thread.start()
    assert engine.wait_until_waiting()
    assert not got
    engine.release()
    thread.join(10)
    assert got[0].pieces[0].control
    assert got[1].stop_reason is StopReason.STOP
    assert got[1].stats.generated_tokens == 3


def test_stop():
    engine = FakeEngine(auto=False)
    engine.script(["a", "b"])
    cancel = CancelToken()
    prompt = engine.tokenize([PromptText("x")])[0]
    events = engine.generate(GenerationRequest(prompt, Sampling()), cancel)
    engine.release()
    while not isinstance(next(events), Tokens):
        pass
    cancel.cancel()
    assert next(events).stop_reason is StopReason.CANCELLED


def test_one_after_the_other():
    engine = FakeEngine(auto=False)
    engine.script(["a"])
    engine.script(["b"])
    first = ask(engine)
    next(first)
    second = ask(engine)
    assert next(second) == Queued(1)
    engine.release(2)
    assert text_of(first) == "a"
    assert text_of(second) == "b"


def test_limits_and_stop_strings():
    engine = FakeEngine(context=20, default=["ab", "c", "d"])
    *_, finished = ask(engine, max_tokens=2)
    assert finished.stop_reason is StopReason.LENGTH
    *_, finished = ask(engine, "x" * 18)
    assert finished.stop_reason is StopReason.CONTEXT_FULL
    with pytest.raises(AppError) as caught:
        next(ask(engine, "x" * 20))
    assert caught.value.code == "prompt-too-long"
    events = list(ask(engine, stop=("bc",)))
    assert text_of(events) == "a"
    assert events[-1].stop_reason is StopReason.STOP


def test_the_prefix_of_the_last_prompt_is_cached():
    engine = FakeEngine(default=["yes"])
    *_, finished = ask(engine, "abc")
    assert finished.stats.cached_tokens == 0
    *_, finished = ask(engine, "abcd")
    assert finished.stats.cached_tokens == 3


def test_death_and_errors():
    events = []
    engine = FakeEngine(publish=events.append)
    engine.script(["a"], dies=True)
    engine.script(["b"], error=AppError("too-bad", "Too bad."))
    engine.script(["c"])
    with pytest.raises(AppError) as caught:
        list(ask(engine))
    assert caught.value.code == "engine-died"
    assert isinstance(events[-1], EngineDied)
    assert engine.model is None
    with pytest.raises(AppError, match="Too bad"):
        list(ask(engine))
    assert engine.loads[-1].rung == 1
    assert isinstance(events[-1], ModelLoaded)
    assert text_of(ask(engine)) == "c"


def test_loads():
    engine = FakeEngine(loaded=False, template="{{ messages }}")
    with pytest.raises(AppError) as caught:
        engine.tokenize([PromptText("x")])
    assert caught.value.code == "no-model"
    engine.fail_next_load(AppError("model-damaged", "Broken."))
    with pytest.raises(AppError):
        engine.load(LoadRequest("/models/a.gguf"))
    info = engine.load(LoadRequest("/models/a.gguf", context=99))
    assert (info.name, info.context, info.template) == ("a", 99, "{{ messages }}")
    assert engine.load(LoadRequest("/models/a.gguf", context=99)) is info
    engine.unload()
    assert engine.model is None


def test_finished_tells_the_token_that_ended_it():
    engine = FakeEngine(default=["yes"])
    *_, finished = ask(engine)
    assert isinstance(finished, Finished)
    assert finished.eog in engine.model.eog_ids
