"""The speed that is told while an answer is written."""

from app.responders.local.rate import RATE_S, RateMeter
from app.responders.protocol import Rate


class Clock:
    seconds = 100.0

    def now(self) -> float:
        return self.seconds

    def monotonic(self) -> float:
        return self.seconds


def test_the_first_token_starts_the_clock_and_a_short_rest_has_no_speed_of_its_own():
    told, clock = [], Clock()
    rate = RateMeter(told.append, clock, used=10, size=4096)
    clock.seconds += 30  # the prompt was long
    rate.count(1)
    assert told == []
    for _ in range(4):
        clock.seconds += RATE_S / 4
        rate.count(1)
    clock.seconds += RATE_S / 64
    rate.count(3)
    rate.tell()
    assert [(rate.tokens_per_second, rate.context_used) for rate in told] == [(4 / RATE_S, 15), (4 / RATE_S, 18)]


def test_an_answer_of_one_token_tells_how_full_the_context_is():
    told = []
    rate = RateMeter(told.append, Clock(), 10, 4096)
    rate.count(1)
    rate.tell()
    assert told == [Rate(0.0, 11, 4096)]
