"""The speed of an answer, however long it is."""

from ui.models.panel.rates import MOST, Rates


def test_points_stay_few_and_tell_of_the_whole_answer() -> None:
    rates = Rates()
    for _ in range(10_000):
        rates.add(10.0)
    for _ in range(10_000):
        rates.add(30.0)
    assert MOST // 2 <= len(rates.points) <= MOST
    assert (rates.points[0], rates.points[-1]) == (10.0, 30.0)
    middle = len(rates.points) // 2
    assert set(rates.points[: middle - 8]) == {10.0}
    assert set(rates.points[middle + 8 :]) == {30.0}


def test_least_middle_and_most() -> None:
    rates = Rates()
    assert rates.spread() is None
    for rate in (30.0, 10.0, 0.0, 20.0):  # nothing was measured once
        rates.add(rate)
    assert rates.points == [30.0, 10.0, 20.0]
    assert rates.spread() == (10.0, 20.0, 30.0)
