"""The number of threads of the next token, on machines that are only imagined: time passes as their tokens take it."""

import pytest

from app.engine.llama.threads import Load, ThreadControl


class Machine:
    """``cost(threads, others)`` is what a token takes in seconds where other programs keep ``others`` cores busy."""

    def __init__(self, cores, cost, **wiring):
        self.cores = cores
        self.cost = cost
        self.others = 0.0
        self.now = 100.0
        self._busy = self._own = 0.0
        self.looks = self.trials = 0
        self.control = ThreadControl(cores, look=self._look, processors=cores, **wiring)

    def _look(self):
        self.looks += 1
        return Load(self.now, self._busy, self._own)

    def rest(self, seconds):
        self.now += seconds
        self._busy += seconds * self.others

    def read(self, tokens, step=512):
        """Returns the threads of each piece of the prompt; a token takes a tenth of what writing it takes."""
        self.control.arrive(self.now)
        used = []
        while tokens:
            piece = min(tokens, self.control.piece(self.now, step))
            used.append((piece, self.control.prompt_threads))
            seconds = piece * self.cost(self.control.prompt_threads, self.others) / 10
            self._spend(seconds, self.control.prompt_threads)
            tokens -= piece
        return used

    def _spend(self, seconds, used):
        own = min(used, max(self.cores - self.others, self.cores * used / (used + self.others)))
        self.now += seconds
        self._own += own * seconds
        self._busy += min(self.cores, used + self.others) * seconds

    def write(self, tokens, threads=None):
        """Returns seconds a token; ``threads`` fixes them."""
        chosen = self.control.begin(self.now)
        started = self.now
        for _ in range(tokens):
            used = threads or chosen
            self._spend(self.cost(used, self.others), used)
            chosen = self.control.token(self.now)
            self.trials += chosen < used
        return (self.now - started) / tokens


def two_cores(threads, others):
    """As measured: the second thread gains a third where its core is free and loses a factor of ten where it is not."""
    if threads == 1:
        return 0.0100 * max(1.0, (1 + others) / 2)
    return 0.0075 if others < 0.4 else 0.150 * (1 + others)


def best_fixed(cores, cost, others):
    return min(cost(threads, others) for threads in range(1, cores + 1))


def test_a_quiet_machine_is_used_whole_at_almost_no_cost():
    machine = Machine(2, two_cores)
    for tokens in (128, 2000):
        assert machine.write(tokens) < best_fixed(2, two_cores, 0) / 0.98
    assert machine.control.threads == 2


@pytest.mark.parametrize("others", [1.0, 2.0])
def test_cores_that_others_use_are_left_alone(others):
    machine = Machine(2, two_cores)
    machine.others = others
    machine.read(512)
    assert machine.control.threads == 1
    assert machine.write(2000) < best_fixed(2, two_cores, others) / 0.9
    assert machine.control.threads == 1


def test_it_follows_a_machine_that_gets_busy_and_quiet_again():
    machine = Machine(2, two_cores)
    machine.write(200)
    machine.others = 1.0
    assert machine.write(1000) < best_fixed(2, two_cores, 1.0) / 0.9
    assert machine.control.threads == 1
    machine.others = 0.0
    machine.write(200)
    assert machine.control.threads == 2


@pytest.mark.parametrize("pause", [1.0, 60.0])
def test_what_was_before_a_question_says_nothing_about_it(pause):
    """Another program may have ended just as the question came."""
    machine = Machine(2, two_cores)
    machine.write(100)
    machine.others = 2.0
    machine.rest(pause)
    machine.others = 0.0
    assert {threads for _, threads in machine.read(512)} == {2}
    before = machine.now
    machine.write(32)
    assert machine.now - before < 1.1 * 32 * two_cores(2, 0)


@pytest.mark.parametrize("pause", [1.0, 60.0])
def test_a_prompt_finds_out_early_that_cores_were_taken_meanwhile(pause):
    machine = Machine(2, two_cores)
    machine.write(100)
    machine.rest(pause)
    machine.others = 2.0
    (early, many), *rest = machine.read(2048)
    assert early <= 64
    assert many == 2
    assert {threads for _, threads in rest} == {1}


def test_experts_are_not_woken_for_a_look():
    machine = Machine(2, two_cores, feeler=0)
    machine.rest(60.0)
    assert machine.read(512) == [(512, 2)]


@pytest.mark.parametrize(("feeler", "expected"), [(0, [(512, 8)]), (64, [(64, 8), (448, 8)])])
def test_cores_that_were_taken_long_ago_do_not_slow_a_prompt(feeler, expected):
    machine = Machine(8, lambda threads, others: 0.08 / threads, feeler=feeler)
    machine.others = 7.0
    machine.read(512)
    machine.write(50)
    assert machine.control.threads == 1
    machine.others = 0.0
    machine.rest(3600.0)
    assert machine.read(512) == expected


def test_an_answer_whose_prompt_is_known_looks_soon_after_a_pause():
    machine = Machine(2, two_cores)
    for index in range(40):  # a load that comes and goes makes it careful
        machine.others = float(index % 2)
        machine.write(80)
    machine.others = 2.0
    machine.write(80)
    assert machine.control.threads == 1
    machine.others = 0.0
    machine.rest(3600.0)
    machine.read(1)
    machine.write(10)
    assert machine.control.threads == 2


def test_the_cores_of_a_question_that_follows_at_once_are_known():
    machine = Machine(2, two_cores)
    machine.write(100)
    assert machine.read(512) == [(512, 2)]


def test_a_trial_that_is_plainly_slower_ends_early():
    machine = Machine(2, two_cores)
    machine.read(512)
    took = 200 * machine.write(200)
    assert machine.trials == 1
    assert took < 200 * two_cores(2, 0) + 3.1 * (two_cores(1, 0) - two_cores(2, 0))


def test_short_answers_do_not_each_begin_with_a_trial():
    machine = Machine(2, two_cores)
    for _ in range(20):
        machine.read(100)
        machine.write(60)
        machine.rest(30.0)
    assert 1 <= machine.trials <= 4


def test_a_load_that_comes_and_goes_is_not_chased():
    machine = Machine(2, two_cores)
    took = best = 0.0
    for index in range(60):
        machine.others = float(index % 2)
        before = machine.now
        machine.write(80)
        took += machine.now - before
        best += 80 * two_cores(1, machine.others)
    assert took < 1.35 * best


def test_more_threads_than_the_memory_feeds():
    """Eight cores, of which four read all that the memory gives; the rest only wait for each other."""

    def cost(threads, others):
        return 0.04 / min(threads, 4) + 0.0004 * threads

    machine = Machine(8, cost)
    machine.write(1500)
    assert machine.control.threads in (3, 4, 5)
    assert machine.write(4000) < best_fixed(8, cost, 0) / 0.97


def test_looks_are_rare():
    machine = Machine(2, two_cores)
    machine.write(4000)
    assert machine.looks <= 2 + machine.now / 0.25


def test_one_token_in_a_second_is_fine():
    machine = Machine(4, lambda threads, others: 4.0 / threads * (1 if threads + others <= 4 else 6))
    machine.write(5)
    machine.others = 2.0
    machine.write(3)
    assert machine.control.threads == 2


def test_a_fixed_number_stays():
    control = ThreadControl(3, look=lambda: Load(0.0, 0.0, 0.0), fixed=True)
    assert control.begin(1.0) == 3
    assert control.piece(1.0, 512) == 512
    assert [control.token(now / 10) for now in range(200)] == [3] * 200
