"""What a stranger's file says about drawing tokens."""

import pytest

from app.domain.models import SamplingValues
from app.gguf.sampling import KEYS, stated_sampling

NOTHING = SamplingValues()


def test_all_figures() -> None:
    printed = {
        "general.sampling.temp": "0.600000",
        "general.sampling.top_k": "20",
        "general.sampling.top_p": "0.950000",
        "general.sampling.min_p": "0.000000",
        "general.sampling.penalty_repeat": "1.050000",
    }
    assert stated_sampling(lambda key: printed.get(key, "")) == SamplingValues(0.6, 20, 0.95, 0.0, 1.05)


def test_a_file_that_says_nothing() -> None:
    assert stated_sampling(lambda key: "") == NOTHING


@pytest.mark.parametrize(
    "text",
    [
        *("nan", "-nan", "inf", "-inf", "-2.000000", "-5", "1e9", "999999999", "99999999999999999999", "1" * 100_000),
        *("hot", "true", "0,6", "0x1", " 0.6", "0.6 ", "1_0", "[0.6, 0.7]", "٣", "0.6\n", "\ufffd"),
    ],
    ids=lambda text: text[:12],
)
def test_what_is_no_sensible_number_is_not_said(text: str) -> None:
    assert stated_sampling(lambda key: text) == NOTHING


def test_a_damaged_figure_does_not_spoil_the_others() -> None:
    printed = {KEYS["temperature"]: "nan", KEYS["top_p"]: "0.900000"}
    assert stated_sampling(lambda key: printed.get(key, "")) == SamplingValues(top_p=0.9)


@pytest.mark.parametrize(("text", "top_k"), [("-1", 0), ("0", 0), ("40.000000", 40), ("40.500000", None)])
def test_how_many_tokens_are_looked_at(text: str, top_k: int | None) -> None:
    printed = {KEYS["top_k"]: text}
    assert stated_sampling(lambda key: printed.get(key, "")).top_k == top_k
