"""What turned out fastest is remembered for this model, these wishes and this machine."""

import json
from dataclasses import replace

import pytest

from app.domain.models import LoadRequest
from app.domain.placement import AS_PLANNED, PlacementVariant, Speed, Tuning
from app.engine.learned.tunings import Tunings

BEST = PlacementVariant("from the mapped file", mapped=True)


def tuning(chosen=BEST):
    return Tuning("model", chosen, (Speed("as planned", 100.0, 10.0), Speed(BEST.what, 100.0, 12.345)), 3.0)


@pytest.fixture
def tunings(tmp_path):
    return Tunings(tmp_path / "new" / "tunings.json")


def test_it_is_applied_where_nothing_else_was_decided(tunings, model_file):
    request = LoadRequest(model_file)
    assert (tunings.known(request), tunings.apply(request)) == (False, request)
    tunings.remember(request, tuning())
    assert tunings.known(request)
    tuned = tunings.apply(request)
    assert tuned == replace(request, variant=BEST)
    assert tunings.apply(tuned) == tuned
    other = replace(request, variant=PlacementVariant("otherwise", gpus=1))
    assert tunings.apply(other) == other
    assert tunings.apply(replace(tuned, rung=1)) == replace(request, rung=1)
    for wishes in ({"context": 512}, {"gpu_layers": 1}, {"expert_layers": 1}, {"kv_types": ("q8_0", "q8_0")}):
        assert not tunings.known(replace(request, **wishes))


def test_the_plan_can_be_the_best(tunings, model_file):
    request = LoadRequest(model_file)
    tunings.remember(request, tuning(AS_PLANNED))
    assert tunings.known(request)
    assert tunings.apply(request) == request


@pytest.mark.expect_log("is damaged")
def test_a_damaged_file_is_none(tunings, model_file):
    request = LoadRequest(model_file)
    tunings.remember(request, tuning())
    whole = json.loads(tunings.path.read_text())
    (key,) = whole
    for text in ("", "[]", "null", "{", "[" * 5000, '{"a": 1}', json.dumps({key: None})):
        tunings.path.write_text(text)
        assert tunings.apply(request) == request
    for harm in ({"mapped": 1}, {"gpus": True}, {"gpus": -1}, {"micro_batch": 1e9}, {"what": None}, {"new": 1}):
        variant = {**whole[key]["variant"], **harm}
        tunings.path.write_text(json.dumps({key: {**whole[key], "variant": variant}}))
        assert tunings.apply(request) == request
    tunings.remember(request, tuning())
    assert tunings.known(request)


def test_where_it_cannot_be_written_and_how_much_is_kept(tunings, model_file):
    for number in range(105):
        tunings.remember(LoadRequest(model_file, context=number + 1), tuning())
    assert not tunings.known(LoadRequest(model_file, context=5))
    assert tunings.known(LoadRequest(model_file, context=6))
    Tunings(tunings.path / "below").remember(LoadRequest(model_file), tuning())
    Tunings().remember(LoadRequest(model_file), tuning())


def test_in_words():
    assert tuning().sentence == (
        "model runs fastest from the mapped file: 12.3 tokens a second instead of 10 as planned."
    )
    assert tuning(AS_PLANNED).sentence == "model runs fastest as planned, with 10 tokens a second."
    small = Tuning("model", PlacementVariant("as planned"), (Speed("as planned", 0.0, 1312.4),), 1.0)
    assert small.sentence == "model runs fastest as planned, with 1,312 tokens a second."
