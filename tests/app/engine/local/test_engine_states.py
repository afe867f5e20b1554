"""The table of states, and an engine that is asked for anything in any order: everybody is answered once."""

from dataclasses import replace
from itertools import product
from multiprocessing.connection import wait

import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from app.domain.errors import AppError, Cancelled
from app.domain.models import LoadRequest, PromptText, Sampling
from app.engine.local import states
from app.engine.local.jobs import ForgetJob, GenerateJob, LoadJob, ReadAheadJob, TokenizeJob, UnloadJob
from app.engine.local.loop import EngineLoop
from app.engine.protocol import Finished, GenerationRequest, Tokens

DIE, WAIT, FAIL, DIE_TWICE, ABORT = 1000, 1001, 1002, 1003, 1004
HELLO = tuple(map(ord, "hello"))
A, B = LoadRequest("/models/a.gguf"), LoadRequest("/models/b.gguf")


def generate(*prompt, conversation=""):
    return GenerateJob(GenerationRequest(prompt, Sampling(), conversation=conversation))


# -- the table

CHILD, MODEL = object(), object()
STATES = {
    "Empty": [states.Empty()],
    "Loading": [states.Loading(CHILD, LoadJob(A), A), states.Loading(CHILD, LoadJob(A), A, short_of_memory=True)],
    "Ready": [states.Ready(CHILD, A, MODEL), states.Ready(CHILD, A, MODEL, spoke=True)],
    "Busy": [states.Busy(CHILD, A, MODEL, generate(1)), states.Busy(CHILD, A, MODEL, ReadAheadJob((1,), "sea"))],
    "Died": [states.Died(A), states.Died(A, short_of_memory=True)],
    "Resting": [states.Resting(A)],
}
HAPPENINGS = {
    "LoadBegan": [states.LoadBegan(CHILD, LoadJob(request), request) for request in (A, replace(A, rung=1), B)],
    "LoadSucceeded": [states.LoadSucceeded(MODEL)],
    "LoadGivenUp": [states.LoadGivenUp(A), states.LoadGivenUp(A, again=True)],
    "WorkBegan": [states.WorkBegan(generate(1)), states.WorkBegan(ReadAheadJob((1,), "sea"))],
    "WorkEnded": [states.WorkEnded()],
    "ChildGone": [states.ChildGone(short_of_memory=short) for short in (False, True)],
    "Rested": [states.Rested()],
    "Unloaded": [states.Unloaded()],
}


def documented():
    """(state, happening) -> names of the next states, as the module's docstring has it."""
    table = {}
    for line in (states.__doc__ or "").splitlines():
        name, _, arrows = line.strip().partition(" ")
        for arrow in arrows.split(",") if " -> " in arrows and name != "state" else ():
            happening, _, new = arrow.partition("->")
            for state in STATES if name == "any" else (name,):
                table[state, happening.strip()] = set(new.replace(" or ", " ").split())
    return table


@pytest.mark.parametrize(("state", "happening"), [*product(STATES, HAPPENINGS)])
def test_the_table_is_what_its_docstring_says_and_the_rest_is_a_bug(state, happening, caplog):
    expected = documented().get((state, happening), set())
    reached = set()
    for before, event in product(STATES[state], HAPPENINGS[happening]):
        if expected:
            reached.add(type(states.after(before, event)).__name__)
            continue
        with pytest.raises(states.ImpossibleTransition, match=f"{happening} while {state}"):
            states.after(before, event)
        assert f"{happening} cannot happen while the engine is {state}" in caplog.text
    assert reached == expected


@given(st.lists(st.sampled_from([event for events in HAPPENINGS.values() for event in events]), max_size=30))
@settings(max_examples=300, deadline=None)
def test_a_walk_through_the_table_forgets_nothing(walk):
    state = states.Empty()
    for event in walk:
        if (type(state), type(event)) not in states.TRANSITIONS:
            continue
        before, state = state, states.after(state, event)
        if isinstance(state, states.Died | states.Resting) and not isinstance(event, states.LoadGivenUp):
            assert state.request == before.request, "what is loaded again is what was there"
        if isinstance(event, states.ChildGone) and event.short_of_memory:
            assert isinstance(state, states.Died)
            assert state.short_of_memory
        if isinstance(event, states.LoadBegan):
            assert isinstance(state, states.Loading)
            short = isinstance(before, states.Died) and before.short_of_memory
            assert state.short_of_memory == (short and before.request.path == event.request.path)


# -- the loop


class Machine(RuleBasedStateMachine):
    """Callers in any order, over pretended children; the test is the engine's thread."""

    children = folder = None  # set by the test

    @initialize()
    def begin(self):
        self.limit = None
        self.events = []
        self.loop = EngineLoop(self.events.append, self.children.obedient, idle_unload_s=lambda: self.limit)
        self.paths = [str(self.folder / f"{name}.gguf") for name in "ab"]
        self.loads, self.answers, self.tokens, self.unloads = [], [], [], []
        self._post(LoadJob(LoadRequest(self.paths[0])), self.loads)
        self.settle()

    def teardown(self):
        if not hasattr(self, "loop"):
            return
        self.settle()
        self.loop.end([], AppError("engine-closed", "The engine is closed."))
        assert isinstance(self.loop.current.state, states.Empty)

    @rule(
        what=st.sampled_from(
            "ask ask ask ahead ahead turn turn turn tokenize load unload stop kill rest settle".split()
        ),
        data=st.data(),
    )
    def act(self, what, data):
        getattr(self, f"_{what}")(data.draw)

    def _post(self, job, waiting):
        waiting.append(job)
        self.loop.accept([job])

    def _load(self, draw):
        request = LoadRequest(draw(st.sampled_from(self.paths)), context=draw(st.sampled_from([None, 512])))
        self._post(LoadJob(request, afresh=draw(st.booleans())), self.loads)

    def _unload(self, draw):
        self._post(UnloadJob(), self.unloads)

    def _ask(self, draw):
        prompts = [HELLO, HELLO, (WAIT, *HELLO), (FAIL,), (DIE,), (104, DIE), (DIE_TWICE, *HELLO)]
        prompt, conversation = draw(st.sampled_from(prompts)), draw(st.sampled_from(["sea", "hill"]))
        self._post(generate(*prompt, conversation=conversation), self.answers)

    def _tokenize(self, draw):
        self._post(TokenizeJob((PromptText("ab"),), add_special=False), self.tokens)

    def _ahead(self, draw):
        self.loop.accept([ReadAheadJob(draw(st.sampled_from([HELLO, (WAIT,), (FAIL,), (ABORT,), (DIE,)])), "sea")])
        if draw(st.integers(0, 3)) == 0:
            self.loop.accept([ForgetJob(draw(st.sampled_from(["sea", "hill"])))])

    def _stop(self, draw):
        if jobs := [*self.loads, *self.answers]:
            self.loop.current.stop(draw(st.sampled_from(jobs)))

    def _kill(self, draw):
        if (pid := self.loop.current.child_pid) is not None:
            psutil.Process(pid).kill()

    def _rest(self, draw):
        self.limit = 0.0
        self._turn(draw)
        self.limit = None

    def _turn(self, draw):
        self.loop.advance()
        if sources := self.loop.sources():
            wait(sources, 0.05)
        self.loop.read()

    def _settle(self, draw):
        self.settle()

    def settle(self):
        """Until nothing is to do; whoever waits for Stop gets it."""
        for job in self.answers:
            if WAIT in job.request.prompt:
                self.loop.current.stop(job)
        while True:
            self.loop.advance()
            if self.loop.current.job is None and not self.loop._tokenize.asked:
                break
            if isinstance(self.loop.current.job, ReadAheadJob):
                self.loop.current.stop_everything()
            wait(self.loop.sources(), 20)
            self.loop.read()
        self.everybody_was_answered_once()
        model, state = self.loop.current.model, self.loop.current.state
        assert (model is not None) == isinstance(state, states.Ready)
        assert (self.loop.current.child_pid is not None) == isinstance(state, states.Ready)

    def everybody_was_answered_once(self):
        for job in self.loads:
            answer = job.answer.get_nowait()
            assert job.answer.empty()
            assert not isinstance(answer, Cancelled) or job.stopped
            assert isinstance(answer, AppError | Cancelled) or answer.path == job.request.path
        for job in self.unloads:
            job.answer.get_nowait()
            assert job.answer.empty()
        for job in self.tokens:
            answer = job.answer.get_nowait()
            assert job.answer.empty()
            assert isinstance(answer, AppError) or answer == ((97, 98),)
        for job in self.answers:
            events = [job.events.get_nowait() for _ in range(job.events.qsize())]
            ends = [event for event in events if isinstance(event, Finished | AppError | Cancelled)]
            assert ends == events[-1:], "exactly one, the last"
            text = "".join(piece.text for event in events if isinstance(event, Tokens) for piece in event.pieces)
            if isinstance(ends[0], Finished) and job.request.prompt == HELLO and not job.stopped:
                assert text == "hello"
        self.loads, self.answers, self.tokens, self.unloads = [], [], [], []


@pytest.mark.parametrize("examples", [6, pytest.param(60, marks=[pytest.mark.nightly, pytest.mark.timeout(900)])])
def test_whatever_is_asked_for_in_whatever_order(examples, children, tmp_path, model_file, caplog):
    for name in "ab":
        (tmp_path / f"{name}.gguf").write_bytes(tmp_path.joinpath(model_file).read_bytes())
    machine = type("Machine", (Machine,), {"children": children, "folder": tmp_path})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
    assert "cannot happen" not in caplog.text
