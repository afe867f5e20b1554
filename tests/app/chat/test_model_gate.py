"""Nobody loads another model between a turn's prompt and its answer."""

import threading

import pytest

from app.domain.cancel import CancelToken
from app.domain.errors import Cancelled
from app.domain.events import TurnFinished, TurnQueued
from app.domain.messages import MessageStatus
from app.domain.models import LoadRequest
from app.responders.local.model_gate import ModelGate

ONE, OTHER = LoadRequest("/models/one.gguf"), LoadRequest("/models/other.gguf")


def test_the_same_model_is_shared_and_another_one_waits_in_order() -> None:
    gate = ModelGate()
    passed: list[str] = []
    threads: list[threading.Thread] = []

    def arrive(name: str, request: LoadRequest) -> None:
        waits = threading.Event()

        def run() -> None:
            with gate.hold(request, CancelToken(), waits.set):
                passed.append(name)

        threads.append(threading.Thread(target=run))
        threads[-1].start()
        assert waits.wait(10)

    with gate.hold(ONE, CancelToken()):
        with gate.hold(ONE, CancelToken()):
            arrive("other", OTHER)
            arrive("one again", ONE)
        assert not passed
    for thread in threads:
        thread.join(10)
    assert passed == ["other", "one again"]


def test_whoever_is_stopped_while_waiting_leaves() -> None:
    gate, cancel = ModelGate(), CancelToken()
    with gate.hold(ONE, CancelToken()):
        with pytest.raises(Cancelled), gate.hold(OTHER, cancel, cancel.cancel):
            pass
        with gate.hold(ONE, CancelToken()):  # nobody stands in the line any more
            pass


def test_a_conversation_with_another_model_waits_for_the_answer(plain) -> None:
    plain.engine.script(["One ", "two"], auto=False)
    plain.engine.script(["Three"])
    first = plain.start(plain.conversation(), "Count")
    assert plain.engine.wait_until_waiting()
    plain.model = OTHER.path
    second = plain.start(plain.conversation(), "Go on")
    queued = plain.wait_for(TurnQueued)
    assert (queued.answer_id, queued.ahead) == (second.answer_id, 1)
    assert [request.path for request in plain.engine.loads] == ["/models/kimi.gguf"]
    plain.engine.release_all()
    while sum(isinstance(event, TurnFinished) for event in plain.events) < 2:
        plain.wait_for(TurnFinished)
    answers = [plain.store.message(command.answer_id) for command in (first, second)]
    assert [answer.status for answer in answers] == [MessageStatus.COMPLETE] * 2
    assert [answer.model for answer in answers] == ["kimi", "other"]
