"""The curated list, and the first word on what fits."""

from pathlib import Path

import pytest

from app.domain.models import SamplingValues
from app.domain.sampling import plausible, said
from app.gguf.names import quantization_of
from app.gguf.types import FILE_TYPES
from app.models.hub.catalogue import (
    Fit,
    catalogued_sampling,
    entry_for,
    entry_for_file,
    fits,
    load_catalogue,
)
from app.models.hub.files import check_path

GB = 10**9
MODELS = load_catalogue()


def test_twelve_models_from_small_to_kimi():
    assert len(MODELS) == 12
    sizes = [min(each.size for each in model.quantizations) for model in MODELS]
    assert sizes == sorted(sizes)
    assert MODELS[-1].name == "Kimi K2 Thinking"
    assert len({model.repository for model in MODELS}) == 12


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_an_entry_makes_sense(model):
    assert model.experts > model.experts_used > 0
    assert model.active < model.parameters
    assert model.checked or model.note
    assert model.description
    assert check_path(model.repository.replace("/", "--"))
    assert "://" not in model.licence_page  # relative to the Hub, which may be a mirror
    known = {name.removesuffix("_MOE") for name in FILE_TYPES.values()}
    for each in model.quantizations:
        assert quantization_of(f"x-{each.name}.gguf") == each.name
        plain = each.name.removeprefix("UD-").removesuffix("L" if each.name.endswith("_XL") else "")
        assert plain.startswith(("TQ", "IQ")) or plain in known or plain[:4] in {name[:4] for name in known}
        bits = each.size * 8 / model.parameters
        assert 1.2 < bits < 9.5, (each.name, bits)


def test_kimis_licence_is_read_first():
    entry = entry_for("moonshotai/Kimi-K2-Thinking", MODELS)
    assert entry is not None
    assert (entry.licence, entry.licence_asks) == ("modified-mit", True)
    assert entry.sampling.temperature == 1.0
    assert entry.sampling.min_p == 0.01


@pytest.mark.parametrize(
    ("size", "memory", "gpu", "fit", "says"),
    [
        (12 * GB, 32 * GB, 24 * GB, Fit.GPU, "Fits on the graphics card: needs about 14.0 GB of 24.0 GB."),
        (12 * GB, 32 * GB, 8 * GB, Fit.MEMORY, "Fits into memory: needs about 14.0 GB of 40.0 GB that are free."),
        (12 * GB, 8 * GB, 0, Fit.DISK, "Larger than memory: needs about 14.0 GB, 8.0 GB are free"),
        (247 * GB, 64 * GB, 24 * GB, Fit.DISK, "read from the disk, slowly"),
    ],
)
def test_what_fits(size, memory, gpu, fit, says):
    verdict = fits(size, free_memory=memory, gpu_memory=gpu)
    assert verdict.fit is fit
    assert says in verdict.sentence


def test_this_machine_has_some_memory():
    assert fits(1).fit is not Fit.DISK


def test_the_file_names_no_host():
    assert "http" not in Path("resources/catalogue.json").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("gpt-oss-20b-mxfp4", "gpt-oss 20B"),
        ("Kimi-K2-Thinking-UD-TQ1_0", "Kimi K2 Thinking"),
        ("zai-org_GLM-4.7-Flash-Q4_K_M", "GLM 4.7 Flash"),
        ("QWEN3-30B-A3B-THINKING-2507-q8_0", "Qwen3 30B A3B Thinking 2507"),
        ("gpt-oss-20b", "gpt-oss 20B"),
        ("gpt-oss-20b-uncensored-Q4_K_M", None),
        ("GLM-4.6V-Flash-Q4_K_M", None),
        ("somebody_GLM-4.6-Q4_K_M", None),
        ("alcove-tiny", None),
        ("", None),
    ],
)
def test_a_file_is_known_by_its_makers_name_whoever_quantized_it(file: str, name: str | None):
    entry = entry_for_file(file, MODELS)
    assert (entry.name if entry else None) == name


def test_how_a_models_tokens_are_drawn_is_found_by_its_file():
    assert catalogued_sampling(MODELS, "Qwen3.5-35B-A3B-Q4_K_M", False) == SamplingValues(1.0, 20, 0.95, 0.0)
    assert catalogued_sampling(MODELS, "Qwen3.5-35B-A3B-Q4_K_M", True) == SamplingValues(0.7, 20, 0.8, 0.0)
    assert catalogued_sampling(MODELS, "MiniMax-M2-Q4_K_M", True) == SamplingValues(1.0, 40, 0.95, 0.0)
    assert catalogued_sampling(MODELS, "another", False) == SamplingValues()


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_the_figures_of_an_entry_are_possible(model):
    for values in filter(None, (model.sampling, model.sampling_at_once)):
        assert all(plausible(name, value) for name, value in said(values))
