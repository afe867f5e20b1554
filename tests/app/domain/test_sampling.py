"""Whose word counts about drawing tokens."""

from dataclasses import fields

import pytest

from app.domain.models import Sampling, SamplingValues
from app.domain.sampling import FIGURES, LIMITS, SamplingSource, choose, plausible

WISH, FILE, CATALOGUE, FAMILY = (
    SamplingSource.WISH, SamplingSource.FILE, SamplingSource.CATALOGUE, SamplingSource.FAMILY,
)  # fmt: skip


def test_each_figure_comes_from_the_first_who_speaks_of_it() -> None:
    chosen = choose(
        {
            FAMILY: SamplingValues(1.0, 20, 0.95, 0.01, 1.1),
            CATALOGUE: SamplingValues(0.8, 30, 0.9, 0.02),
            FILE: SamplingValues(0.6, 40, 0.8),
            WISH: SamplingValues(temperature=0.0),
        },
        seed=7,
    )
    assert chosen.sampling == Sampling(0.0, 40, 0.8, 0.02, 1.1, seed=7)
    assert list(chosen.sources.items()) == [
        ("temperature", WISH), ("top_k", FILE), ("top_p", FILE), ("min_p", CATALOGUE), ("repeat_penalty", FAMILY),
    ]  # fmt: skip


def test_nobody_says_anything() -> None:
    chosen = choose({})
    assert chosen.sampling == Sampling()
    assert set(chosen.sources.values()) == {SamplingSource.DEFAULT}


def test_a_nought_is_something_said() -> None:
    chosen = choose({WISH: SamplingValues(top_k=0, min_p=0.0), FAMILY: SamplingValues(top_k=20, min_p=0.1)})
    assert (chosen.sampling.top_k, chosen.sampling.min_p) == (0, 0.0)


def test_every_figure_has_its_limits() -> None:
    assert set(FIGURES) == set(LIMITS) == {field.name for field in fields(Sampling)} - {"seed"}
    assert all(plausible(name, getattr(Sampling(), name)) for name in FIGURES)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -0.1, 5.1])
def test_what_makes_no_sense_is_not_plausible(value: float) -> None:
    assert not plausible("temperature", value)
