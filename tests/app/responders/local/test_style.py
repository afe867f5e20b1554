"""How tokens are drawn: the person's wish, the file, the catalogue, the family, in this order."""

from dataclasses import replace
from pathlib import Path

import pytest

from app.domain.commands import TurnOptions
from app.domain.models import Sampling, SamplingValues
from app.domain.sampling import SamplingSource
from app.engine.fake import FakeEngine
from app.responders.local.style import ModelStyle, Profile, profile

QWEN = Path(".cache/llama.cpp-templates/Qwen-Qwen3-0.6B.jinja")


@pytest.fixture
def style() -> ModelStyle:
    model = FakeEngine(template=QWEN.read_text(encoding="utf-8")).model
    assert model is not None

    def catalogued(name: str, at_once: bool) -> SamplingValues:
        assert name == model.name
        return SamplingValues(top_k=30 if at_once else 31)

    return ModelStyle.of(replace(model, sampling=SamplingValues(top_p=0.5, top_k=None)), catalogued)


def test_a_turn_is_sampled_as_everybody_says(style: ModelStyle) -> None:
    chosen = style.sampling(TurnOptions(temperature=0.9, seed=3), think=True)
    assert chosen.sampling == Sampling(0.9, 31, 0.5, 0.0, 1.0, seed=3)
    assert [source.value for source in chosen.sources.values()] == ["wish", "catalogue", "file", "family", "family"]


def test_an_answer_without_reasoning_has_figures_of_its_own(style: ModelStyle) -> None:
    chosen = style.sampling(TurnOptions(), think=False)
    assert (chosen.sampling.temperature, chosen.sampling.top_k) == (0.7, 30)


def test_a_person_may_decide_everything(style: ModelStyle) -> None:
    options = TurnOptions(temperature=0.1, top_k=1, top_p=0.2, min_p=0.3, repeat_penalty=1.4)
    chosen = style.sampling(options, think=True)
    assert chosen.sampling == Sampling(0.1, 1, 0.2, 0.3, 1.4)
    assert set(chosen.sources.values()) == {SamplingSource.WISH}


def test_a_model_of_which_nobody_knows_anything() -> None:
    model = FakeEngine(template="").model
    assert model is not None
    chosen = ModelStyle.of(model).sampling(TurnOptions(), think=None)
    assert chosen.sampling == Sampling()


def test_small_models_take_in_less() -> None:
    assert profile("alcove-tiny") == Profile(result_chars=90, max_tokens=300)
    assert profile("SmolLM2-135M-Instruct.Q4_1") == Profile(sources=2, source_chars=250, max_tokens=1500)
    assert profile("Qwen3-30B") == Profile()
