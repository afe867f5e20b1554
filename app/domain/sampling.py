"""How the next token is drawn: who said what about it, and whose word counts."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from types import MappingProxyType

from app.domain.models import Sampling, SamplingValues

LIMITS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "temperature": (0.0, 5.0),
        "top_k": (0, 100_000),
        "top_p": (0.01, 1.0),
        "min_p": (0.0, 0.95),
        "repeat_penalty": (0.5, 2.0),
    }
)
"""From and to, by the name of a figure. What lies outside makes gibberish."""


FIGURES: Sequence[str] = tuple(field.name for field in fields(SamplingValues))


class SamplingSource(StrEnum):
    """Who said it, whose word counts most first."""

    WISH = "wish"  # the person's
    FILE = "file"  # the model's file
    CATALOGUE = "catalogue"  # our entry for this model
    FAMILY = "family"  # what the makers of its family recommend
    DEFAULT = "default"  # nobody; a value that suits most


@dataclass(frozen=True, slots=True)
class ChosenSampling:
    """``sources``: who said each figure, by its name. ``seed`` is nobody's but the person's and not among them."""

    sampling: Sampling
    sources: Mapping[str, SamplingSource]


def choose(stated: Mapping[SamplingSource, SamplingValues], seed: int | None = None) -> ChosenSampling:
    """Each figure by itself, from the first source that says something of it."""
    values: dict[str, float] = {}
    sources = dict.fromkeys(FIGURES, SamplingSource.DEFAULT)
    for source in reversed(SamplingSource):
        for name, value in said(stated.get(source, SamplingValues())):
            values[name], sources[name] = value, source
    return ChosenSampling(Sampling(**values, seed=seed), MappingProxyType(sources))  # type: ignore[arg-type] # top_k is an int


def said(values: SamplingValues) -> list[tuple[str, float]]:
    """The figures of which something is said, by name."""
    return [(name, value) for name in FIGURES if (value := getattr(values, name)) is not None]


def plausible(name: str, value: float) -> bool:
    least, most = LIMITS[name]
    return math.isfinite(value) and least <= value <= most
