"""The speed that is told while an answer is written."""

from app.agent.streaming import RATE_S, Rate
from app.domain.events import TokenRate
from app.domain.messages import Message, MessageStatus, Role


class Clock:
    seconds = 100.0

    def now(self) -> float:
        return self.seconds

    def monotonic(self) -> float:
        return self.seconds


def test_the_first_token_starts_the_clock_and_a_short_rest_has_no_speed_of_its_own():
    told, clock = [], Clock()
    message = Message("a", "c", None, Role.ASSISTANT, MessageStatus.STREAMING, (), 0.0)
    rate = Rate(told.append, clock, message, used=10, size=4096)
    clock.seconds += 30  # the prompt was long
    rate.count(1)
    assert told == []
    for _ in range(4):
        clock.seconds += RATE_S / 4
        rate.count(1)
    clock.seconds += RATE_S / 64
    rate.count(3)
    rate.tell()
    assert [(event.tokens_per_second, event.context_used) for event in told] == [(4 / RATE_S, 15), (4 / RATE_S, 18)]
    assert all(isinstance(event, TokenRate) for event in told)


def test_an_answer_of_one_token_tells_how_full_the_context_is():
    told = []
    rate = Rate(
        told.append, Clock(), Message("a", "c", None, Role.ASSISTANT, MessageStatus.STREAMING, (), 0.0), 10, 4096
    )
    rate.count(1)
    rate.tell()
    assert told == [TokenRate("c", "a", 0.0, 11, 4096)]
