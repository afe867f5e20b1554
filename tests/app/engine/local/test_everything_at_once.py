"""Several callers do anything in any order; whatever was in the memory or on the disk, answers stay the same."""

import os
import random
import signal
import threading

import pytest

from app.domain.cancel import CancelToken
from app.domain.errors import AppError
from app.domain.messages import StopReason
from app.domain.models import CallGrammar, LoadRequest, PromptText, Sampling
from app.domain.placement import PlacementVariant
from app.engine.learned.saved_states import StateFolder, read_state
from app.engine.protocol import Finished, GenerationRequest, Tokens

pytestmark = [pytest.mark.model, pytest.mark.nightly]
CALLERS, ACTIONS = 4, 60
# What flash attention computes on a CPU depends on how many tokens it computes at once.
EXACT = PlacementVariant("without flash attention", flash_attention=False)
GRAMMAR = CallGrammar('root ::= "{" [a-z0-9 ]* "}"', phrases=("{",))


def prompts():
    """Prefixes, extensions and divergences of each other."""
    one, other = (tuple(random.Random(seed).choices(range(30, 290), k=900)) for seed in (1, 2))
    return [
        one,
        one[:450],
        one[:300],
        (*one[:450], *other[:225]),
        other,
        (*other[:100], *one[:100]),
        one[:3],
        other[:1],
    ]


class Caller(threading.Thread):
    """Gathers answers (prompt, ids) that were not stopped, and what must not be."""

    def __init__(self, number, engine, request, *, kills):
        super().__init__(daemon=True)
        self.random = random.Random(number)
        self.engine, self.request, self.kills = engine, request, kills
        self.answers, self.wrong = [], []

    def run(self):
        for _ in range(ACTIONS):
            try:
                self.act()
            except AppError as error:
                if not (self.kills and error.code in ("engine-died", "no-model")):
                    self.wrong.append(error.info)
            except Exception as error:  # noqa: BLE001 - told by the test
                self.wrong.append(error)

    def act(self):
        draw = self.random
        prompt, conversation = draw.choice(prompts()), draw.choice(["", "sea", "hill", "wood"])
        what = draw.choices(["ask", "tokenize", "read ahead", "forget", "load", "unload"], [12, 2, 4, 1, 1, 0.3])[0]
        if what == "ask":
            self.ask(prompt, conversation, stop_after=draw.choice([None, 0, 1, 1, 2, 3, 5]))
            if draw.random() < 0.5:  # what was broken off is asked again
                self.ask(prompt, conversation)
        elif what == "tokenize":
            self.engine.load(self.request)
            self.engine.tokenize([PromptText("hello " * draw.choice([1, 500]))])
        elif what == "read ahead":
            self.engine.read_ahead(prompt, conversation)
        elif what == "forget":
            self.engine.forget(conversation)
        elif what == "load":
            self.engine.load(self.request)
        elif self.kills and (pid := self.engine.child_pid) is not None:
            os.kill(pid, draw.choice([signal.SIGSEGV, signal.SIGTERM]))

    def ask(self, prompt, conversation, stop_after=None):
        """``stop_after``: so many events."""
        draw, cancel = self.random, CancelToken()
        limit = draw.choice([0, 1, 5, 40])
        grammar = GRAMMAR if draw.random() < 0.2 else None
        request = GenerationRequest(
            prompt, Sampling(temperature=0), limit, conversation=conversation, round=draw.choice([0, 0, 1]),
            grammar=grammar,
        )  # fmt: skip
        self.engine.load(self.request)
        ids = []
        for number, event in enumerate(self.engine.generate(request, cancel)):
            if number == stop_after:
                cancel.cancel()
            if isinstance(event, Tokens):
                ids += [piece.id for piece in event.pieces]
        assert isinstance(event, Finished)
        stopped = event.stop_reason is StopReason.CANCELLED
        if event.stats.cached_tokens >= len(prompt) or len(ids) > limit or (stopped and not cancel.cancelled):
            self.wrong.append((prompt, event))
        if grammar is None:
            self.answers.append((prompt, tuple(ids)))


@pytest.mark.parametrize("kind", ["latent attention", "delta net", "mamba 2", "short convolutions"])
@pytest.mark.parametrize("kills", [False, True])
def test_nothing_changes_an_answer(kind, kills, make_engine, random_models, tmp_path, caplog):
    path = tmp_path / "random.gguf"
    random_models.write(path, kind)
    request = LoadRequest(str(path), context=2048, threads=1, variant=EXACT)
    recorded = make_engine(states=StateFolder(tmp_path / "states", 1 << 28))
    recorded.engine.load(request)
    callers = [Caller(number, recorded.engine, request, kills=kills) for number in range(CALLERS)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(120)
        assert not caller.is_alive(), "it waits for ever"
    recorded.engine.close()
    assert [wrong for caller in callers for wrong in caller.wrong] == []
    for file in (tmp_path / "states").glob("*.state"):
        read_state(file, file.name.split("-")[0])
    assert not list((tmp_path / "states").glob("*.part"))
    if kills:  # a safer plan computes otherwise
        return
    fresh = make_engine()
    fresh.engine.load(request)
    expected = {}
    for prompt in prompts():
        fresh.run((299,), max_tokens=0)
        answer = fresh.run(prompt, max_tokens=40)
        assert answer.stats.cached_tokens == 0
        expected[prompt] = answer.ids
    different = [
        (len(prompt), ids)
        for caller in callers
        for prompt, ids in caller.answers
        if ids != expected[prompt][: len(ids)]
    ]
    assert different == []
