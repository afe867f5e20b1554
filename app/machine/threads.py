"""How many threads compute: one number for reading the prompt, another, which follows the machine, for writing.

Threads meet after every operation, hundreds of times a token, and wait there by spinning. Where another program takes
a core away, all of them wait for the one that lost it. With a core for each thread (`app.engine.llama.pinning`) that
costs what the other program takes; without, a token takes seconds with two threads on two busy cores, and 30 ms with
one. A prompt's operations are longer and lose less, so it takes a core a little sooner.
"""

import math
import os
import statistics
from collections.abc import Callable, Sequence

from app.machine.cores import ProcessorTime, processor_time

LOOK_S = 0.25  # between two looks at the machine
SOON_S = 0.05  # after a token that took far too long; shorter than that the kernel's counters say nothing
FAR_TOO_LONG = 2.0  # times the usual
SLACK, PROMPT_SLACK = 0.3, 0.6  # of a core that others may use before one counts as taken
WINDOW = 12  # tokens that tell what a token costs now
TRIAL = 6  # tokens with another number, among busy programs as many as in a window; the first pays for the change
HOPELESS = 1.1  # times the usual, which even the best of two tokens of a trial took
GAIN = 0.97  # of the cost, for another number to be taken
FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 60.0  # of writing, before a trial and after those that gained nothing
FREE_LOOKS, MOST_LOOKS = 2, 64  # in a row before a core that was taken counts as free
TOO_EARLY_S, CALM_S = 2.0, 5.0  # a core taken again so soon doubles that number; free for so long resets it


class ThreadControl:
    """Chooses the number of threads of the next token (``threads``) and of a prompt (``prompt_threads``).

    Used by one thread. Two rules. Cores that other programs keep busy are left alone at once, without trying: where
    they are taken, one token with too many threads can take a second. Among what is left the number is found by trying:
    every so often a few tokens with a neighbouring number, which is kept if they were faster; after a trial in vain the
    next one waits twice as long.

    Where each thread has a core of its own (``pinned``), sharing all cores with other programs is safe. That is where
    it begins once they take half of the cores; and wherever they take some, one of the numbers tried is all cores.
    """

    def __init__(
        self,
        most: int,
        *,
        look: Callable[[], ProcessorTime] = processor_time,
        processors: int | None = None,
        fixed: bool = False,
        pinned: bool = False,
    ) -> None:
        """``most``: threads at most.

        ``fixed``: always that many. ``pinned``: that many threads compute on a core each.
        ``processors``: whose time ``look`` counts.
        """
        self.threads = self.prompt_threads = most
        self._most = most
        self._fixed = fixed or most == 1
        self._look = look
        self._pinned = pinned
        self._processors = processors or os.cpu_count() or most
        self._wish = most  # the fastest number where no other program disturbs
        self._limit = most  # cores that other programs leave
        self._base = most  # threads where nothing is being tried
        self._free_looks = 0
        self._needed_looks = FREE_LOOKS
        self._raised = 0.0
        self._seen = look()
        self._guessed = not self._fixed  # nothing was seen since a pause
        self._last: float | None = None  # when the last token was there
        self._costs: list[float] = []
        self._usual: float | None = None  # seconds a token with ``threads``, or with what a trial goes back to
        self._trying = False
        self._upwards = False
        self._sharing = False  # the next trial is one of all cores, or of those that others leave
        self._wait = FIRST_WAIT_S
        self._written = 0.0  # seconds in which tokens were written
        self._next_trial = FIRST_WAIT_S  # of those; so trials cost little of them

    def arrive(self, now: float) -> None:
        """A request is there. What the machine did in a pause before it says nothing about now."""
        self._last = None
        if not self._fixed and now - self._seen.wall > LOOK_S:
            self._seen = self._look()
            self._guessed = True
            self.prompt_threads = self._most  # too many cost a prompt half as much again, too few a multiple

    def piece(self, now: float) -> int:
        """Before a piece of a prompt. Returns its number of threads."""
        self._rested(now)
        return self.prompt_threads

    def begin(self, now: float) -> int:
        """Before an answer's first token. Returns its number of threads."""
        self._rested(now)  # while the prompt was read
        self._end_trial()
        return self.threads

    @property
    def patience(self) -> float:
        """Seconds after which ``tokens`` wants to hear of a token at once."""
        if self._trying:
            return 0.0
        return math.inf if self._usual is None else FAR_TOO_LONG * self._usual

    def tokens(self, times: Sequence[float]) -> int:
        """Tokens were there, in seconds of ``time.perf_counter``. Returns the threads of the next one."""
        threads = self.threads
        for now in times if not self._fixed else ():
            self._token(now)
            if self.threads != threads:  # the rest of them were computed with the old number
                self._last = times[-1]
                break
        return self.threads

    def _token(self, now: float) -> None:
        last, self._last = self._last, now
        if last is None:
            return
        cost = now - last
        self._costs.append(cost)
        self._written += cost
        late = self._usual is not None and cost > FAR_TOO_LONG * self._usual
        if now - self._seen.wall >= (SOON_S if late or self._guessed else LOOK_S):
            self._observe(now)
        if self._trying:
            if late or len(self._costs) > (TRIAL if self._alone else WINDOW) or self._hopeless():
                self._judge()
        elif len(self._costs) >= WINDOW:
            self._usual = self._typical(self._costs)
            self._costs.clear()
            if self._written >= self._next_trial:
                self._try_neighbour()

    def _rested(self, now: float) -> None:
        """No token was written for a while: what the last one took is not known, and the machine may be another."""
        self._last = None
        if not self._fixed and now - self._seen.wall >= SOON_S:
            self._observe(now)

    def _observe(self, now: float) -> None:
        """Look at the machine, and leave what others take since the last look to them."""
        seen = self._look()
        wall = max(seen.wall - self._seen.wall, 1e-6)
        others = max(0.0, (seen.busy - self._seen.busy) - (seen.own - self._seen.own)) / wall
        fresh = self._guessed
        self._seen, self._guessed = seen, False
        # As a share of all: the load counts processors, of which a core may have two.
        free = self._most * max(0.0, 1 - others / self._processors)
        self.prompt_threads = max(1, min(self._most, int(free + PROMPT_SLACK)))
        if self._pinned and 2 * self.prompt_threads <= self._most:
            self.prompt_threads = self._most  # turns with others on all cores are faster than half of the cores
        limit = max(1, min(self._most, int(free + SLACK)))
        if limit < self._limit:
            if now - self._raised < TOO_EARLY_S:  # a load that comes and goes
                self._needed_looks = min(2 * self._needed_looks, MOST_LOOKS)
            self._apply(limit)
        elif limit > self._limit:
            self._free_looks += 1
            # Between answers a mistake costs nothing; in one it costs a token of a second, so wait until it is sure.
            if self._last is None or fresh or self._free_looks >= self._needed_looks:
                self._raised = now
                self._apply(limit)
        else:
            self._free_looks = 0
            if now - self._raised > CALM_S:
                self._needed_looks = FREE_LOOKS

    def _apply(self, limit: int) -> None:
        """Others leave so many cores: begin with what was fastest there."""
        self._limit, self._free_looks = limit, 0
        self._end_trial()
        base = min(self._wish, limit)
        if self._pinned and 2 * limit <= self._wish:
            base = self._most
        if self._base != base:
            self._base, self._usual = base, None
            self._set(base)

    def _try_neighbour(self) -> None:
        """Begin a trial with another number, where there is one."""
        apart = min(self._wish, self._limit)
        if self._pinned and not self._alone:
            self._sharing = not self._sharing  # in turns with what is next to the number in use
            if self._sharing or self._base > self._limit:
                self._try(apart if self._base > self._limit else self._most)
                return
        step = max(1, self.threads // 4)
        up, down = min(self.threads + step, self._limit), max(1, self.threads - step)
        choices = [number for number in ((up, down) if self._upwards else (down, up)) if number != self.threads]
        if choices:
            self._try(choices[0])

    def _try(self, threads: int) -> None:
        self._trying = True
        self._set(threads)

    @property
    def _alone(self) -> bool:
        """No other program takes a core."""
        return self._limit == self._most

    def _typical(self, costs: Sequence[float]) -> float:
        """Where others take turns with us, tokens are fast and slow in turns, too, and only their mean tells."""
        return statistics.median(costs) if self._alone else statistics.fmean(costs)

    def _hopeless(self) -> bool:
        """Whether the trial is plainly slower, so that the rest of its tokens need not pay for it."""
        assert self._usual is not None
        counted = self._costs[1:]  # the first one pays for the change
        return len(counted) > 1 and min(counted) > HOPELESS * self._usual

    def _judge(self) -> None:
        """End the trial: keep its number, or go back."""
        assert self._usual is not None
        tried = self.threads
        faster = self._typical(self._costs[1:] or self._costs) < GAIN * self._usual
        neighbour = max(tried, self._base) <= self._limit
        if neighbour:
            self._upwards = (tried > self._base) == faster  # on in that direction, or the other one next
        if faster:
            self._trying = False
            self._base, self._usual = tried, None
            if neighbour:  # found among free cores, so it says what this model wants
                self._wish = tried
            self._wait, self._next_trial = FIRST_WAIT_S, self._written
            self._costs.clear()
            return
        self._end_trial()
        self._next_trial = self._written + self._wait
        self._wait = min(2 * self._wait, LONGEST_WAIT_S)

    def _end_trial(self) -> None:
        self._costs.clear()
        if self._trying:
            self._trying = False
            self._set(self._base)

    def _set(self, threads: int) -> None:
        self.threads = threads
        self._costs.clear()
