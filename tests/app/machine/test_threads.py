"""The number of threads of the next token, on machines that are only imagined: time passes as their tokens take it."""

import math
import random

import pytest

from app.machine.cores import ProcessorTime
from app.machine.threads import ThreadControl

TOGETHER_S = 0.05


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
        return ProcessorTime(self.now, self._busy, self._own)

    def rest(self, seconds):
        self.now += seconds
        self._busy += seconds * self.others

    def read(self, tokens, step=512):
        """Returns the threads of each piece of the prompt; a token takes a tenth of what writing it takes."""
        self.control.arrive(self.now)
        used = []
        while tokens:
            piece, threads = min(tokens, step), self.control.piece(self.now)
            used.append(threads)
            self._spend(piece * self.cost(threads, self.others) / 10, threads)
            tokens -= piece
        return used

    def _spend(self, seconds, used):
        own = min(used, max(self.cores - self.others, self.cores * used / (used + self.others)))
        self.now += seconds
        self._own += own * seconds
        self._busy += min(self.cores, used + self.others) * seconds

    def write(self, tokens, threads=None):
        """Returns seconds a token; ``threads`` fixes them. The control hears of tokens as from the decoder: of several
        together, and at once of one that took longer than its patience."""
        chosen = self.control.begin(self.now)
        started = heard = last = self.now
        times = []
        for _ in range(tokens):
            used = threads or chosen
            self._spend(self.cost(used, self.others), used)
            times.append(self.now)
            if self.now - heard >= TOGETHER_S or self.now - last > self.control.patience:
                chosen = self.control.tokens(times)
                times, heard = [], self.now
                self.trials += chosen < used
            last = self.now
        return (self.now - started) / tokens


def two_cores(threads, others):
    """As measured: the second thread gains a third where its core is free and loses a factor of ten where it is not."""
    if threads == 1:
        return 0.0100 * max(1.0, (1 + others) / 2)
    return 0.0075 if others < 0.4 else 0.150 * (1 + others)


def two_cores_pinned(threads, others):
    """As measured with a core for each thread: two of them lose what the other programs take, and nothing else."""
    return two_cores(1, others) if threads == 1 else {0.0: 0.0075, 1.0: 0.0106, 2.0: 0.0128}[others]


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
    machine.read(1024)
    assert machine.control.threads == 1
    assert machine.write(2000) < best_fixed(2, two_cores, others) / 0.9
    assert machine.control.threads == 1


@pytest.mark.parametrize("others", [1.0, 2.0])
def test_all_cores_are_shared_where_each_thread_has_its_own(others):
    machine = Machine(2, two_cores_pinned, pinned=True)
    machine.others = others
    assert machine.read(1024) == [2, 2]
    assert machine.write(2000) < best_fixed(2, two_cores_pinned, others) / 0.95


def test_tokens_that_wait_for_their_turn_are_judged_by_their_mean():
    """Either number computes as long as it has its turn; one thread has it more often, and needs much longer for it."""
    draw = random.Random(7)

    def cost(threads, others):
        return draw.choice((0.006, 0.036)) if threads == 2 else draw.choice((0.024, 0.024, 0.03))

    machine = Machine(2, cost, pinned=True)
    machine.others = 2.0
    machine.read(1024)
    assert machine.write(4000) < 1.04 * 0.021


def test_a_few_cores_that_others_use_are_left_alone_even_so():
    """Eight cores, one of them taken: what all of them do together lasts as long as it does there."""

    def cost(threads, others):
        return 0.08 / threads * (2 if threads + others > 8 else 1)

    machine = Machine(8, cost, pinned=True)
    machine.others = 1.0
    machine.read(1024)
    assert machine.control.threads == 7
    assert machine.write(3000) < best_fixed(8, cost, 1.0) / 0.95
    assert machine.control.threads == 7


def test_sharing_all_cores_is_tried_where_few_are_taken_and_kept_where_it_is_faster():
    machine = Machine(8, lambda threads, others: 0.01 if threads == 8 else 0.02, pinned=True)
    machine.others = 2.0
    machine.read(1024)
    assert machine.control.threads == 6
    machine.write(1000)
    assert machine.control.threads == 8


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
    assert machine.read(1024) == [2, 2]
    before = machine.now
    machine.write(32)
    assert machine.now - before < 1.1 * 32 * two_cores(2, 0)


@pytest.mark.parametrize("pause", [1.0, 60.0])
def test_a_prompt_finds_out_after_a_piece_that_cores_were_taken_meanwhile(pause):
    machine = Machine(2, two_cores)
    machine.write(100)
    machine.rest(pause)
    machine.others = 2.0
    assert machine.read(2048) == [2, 1, 1, 1]


def test_cores_that_were_taken_long_ago_do_not_slow_a_prompt():
    machine = Machine(8, lambda threads, others: 0.08 / threads)
    machine.others = 7.0
    machine.read(512)
    machine.write(50)
    assert machine.control.threads == 1
    machine.others = 0.0
    machine.rest(3600.0)
    assert machine.read(512) == [8]


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
    assert machine.read(512) == [2]


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
    assert took < 1.4 * best


@pytest.mark.parametrize("pinned", [False, True])
def test_more_threads_than_the_memory_feeds(pinned):
    """Eight cores, of which four read all that the memory gives; the rest only wait for each other."""

    def cost(threads, others):
        return 0.04 / min(threads, 4) + 0.0004 * threads

    machine = Machine(8, cost, pinned=pinned)
    machine.write(1500)
    assert machine.control.threads in (3, 4, 5)
    assert machine.write(4000) < best_fixed(8, cost, 0) / 0.97


def test_what_was_best_among_busy_programs_is_forgotten_with_them():
    """Four cores do most where they are free; where others take five, three of one's own do more than all together."""

    def cost(threads, others):
        return 0.08 / min(threads, 4) + 0.001 * threads if threads + others <= 8 else 0.1

    machine = Machine(8, cost, pinned=True)
    machine.write(2000)
    machine.others = 5.0
    machine.write(2000)
    assert machine.control.threads == 3
    machine.others = 0.0
    machine.write(100)
    assert machine.control.threads == 4


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
    control = ThreadControl(3, look=lambda: ProcessorTime(0.0, 0.0, 0.0), fixed=True)
    assert control.begin(1.0) == 3
    assert control.piece(1.0) == 3
    assert [control.tokens([now / 10]) for now in range(200)] == [3] * 200


def test_tokens_that_were_on_their_way_do_not_count_for_another_number():
    control = ThreadControl(2, look=lambda: ProcessorTime(0.0, 0.0, 0.0), processors=2)
    control.begin(0.0)
    assert control.patience == math.inf  # nothing is known yet
    usual = [number / 100 for number in range(400)]
    assert control.tokens(usual) == 1  # a trial has begun
    assert control.patience == 0.0
    assert (
        control.tokens([4.0 + number / 10 for number in range(1, 4)]) == 2
    )  # only these were computed with one thread
    assert 0.01 < control.patience < 0.03
