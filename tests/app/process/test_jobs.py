"""Jobs in steps: the urgent one first, also between two steps of another; nobody is left waiting."""

import queue
import threading

import pytest

from app.process.jobs import JobThread


class Steps:
    """Jobs are names; each has as many steps as letters. A step waits until the test lets it happen."""

    def __init__(self, **options):
        self.begun: queue.SimpleQueue = queue.SimpleQueue()
        self.go = threading.Semaphore(0)
        self.done: list[str] = []
        self.refused: list[str] = []
        self.ended = threading.Event()
        self.thread = JobThread("jobs", self._step, refuse=self.refused.append, at_end=self.ended.set, **options)

    def _step(self, job):
        self.begun.put(job)
        self.go.acquire()
        self.done.append(job)
        return self.done.count(job) == len(job)

    def let(self, count):
        for _ in range(count):
            self.begun.get(timeout=10)
            self.go.release()


@pytest.fixture
def make():
    made = []

    def steps(**options):
        made.append(Steps(**options))
        return made[-1]

    yield steps
    for one in made:
        one.thread.end()
        one.go.release()
        one.thread.close()


def test_the_most_urgent_goes_first_and_of_equal_ones_the_oldest(make):
    steps = make()
    steps.thread.post("long", 2)
    assert steps.begun.get(timeout=10) == "long"
    steps.thread.post("b", 1)
    steps.thread.post("a", 1)
    steps.thread.post("q", 0)
    assert steps.thread.jobs == ["long", "b", "a", "q"]
    steps.go.release()
    steps.let(6)
    steps.thread.post("z", 1)
    assert steps.begun.get(timeout=10) == "z"
    assert steps.done == ["long", "q", "b", "a", "long", "long", "long"]


def test_the_newest_goes_first_where_that_is_asked_for(make):
    steps = make()
    steps.thread.post("x", 0)
    assert steps.begun.get(timeout=10) == "x"
    for job in "abc":
        steps.thread.post(job, 1, newest_first=True)
    steps.go.release()
    steps.let(2)
    assert steps.begun.get(timeout=10) == "a"
    assert steps.done == ["x", "c", "b"]


def test_whoever_is_left_is_told(make):
    steps = make()
    steps.thread.post("xx", 0)
    assert steps.begun.get(timeout=10) == "xx"
    steps.thread.post("a", 1)
    steps.thread.end()
    assert steps.thread.pause(10)
    steps.go.release()
    steps.thread.close()
    steps.thread.close()
    assert steps.refused == ["xx", "a"]
    assert steps.ended.is_set()
    assert not steps.thread.post("late", 0)
    assert steps.thread.jobs == []


def test_a_thread_that_never_began_closes(make):
    steps = make()
    steps.thread.close()
    assert not steps.ended.is_set()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_bug_leaves_nobody_waiting():
    told = queue.SimpleQueue()
    thread = JobThread("jobs", lambda job: 1 / 0, refuse=told.put, at_end=lambda: told.put("end"))
    assert thread.post("a", 0)
    assert [told.get(timeout=10) for _ in range(2)] == ["a", "end"]
    assert thread.closing
    thread.close()


def test_it_rests_when_nothing_is_to_do(make):
    rested = threading.Event()
    steps = make(idle_s=lambda: None if rested.is_set() else 0.05, rest=rested.set)
    steps.thread.post("a", 0)
    steps.let(1)
    assert rested.wait(10)
    steps.thread.post("b", 0)
    steps.let(1)
    assert steps.thread.jobs in ([], ["b"])
