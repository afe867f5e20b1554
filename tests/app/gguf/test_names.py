"""What the names of model files tell."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.gguf.names import display_name, is_importance_matrix, is_projector, quantization_of, shard_of, shards


@pytest.mark.parametrize(
    ("path", "quantization"),
    [
        ("Qwen3-30B-A3B-Thinking-2507-Q4_K_M.gguf", "Q4_K_M"),
        ("UD-Q2_K_XL/Kimi-K2-Thinking-UD-Q2_K_XL-00001-of-00008.gguf", "UD-Q2_K_XL"),
        ("gpt-oss-20b-mxfp4.gguf", "MXFP4"),
        ("model.i1-IQ2_XXS.gguf", "IQ2_XXS"),
        ("UD-TQ1_0/x-UD-TQ1_0-00003-of-00006.gguf", "UD-TQ1_0"),
        ("small-moe-q8_0.gguf", "Q8_0"),
        ("GLM-4.6-BF16-00001-of-00015.gguf", "BF16"),
        ("Q4_K_M/model-00001-of-00002.gguf", "Q4_K_M"),
        ("Qwen3-Next-80B-A3B-Thinking-00001-of-00004.gguf", ""),
        ("Q8_0_merged_Q4_0.gguf", "Q4_0"),
    ],
)
def test_quantization_in_a_name(path, quantization):
    assert quantization_of(path) == quantization


@pytest.mark.parametrize(
    ("name", "shard"),
    [
        ("NAME-00002-of-00013.gguf", ("NAME", 2, 13)),
        ("some/folder/NAME-00002-of-00013.GGUF", ("NAME", 2, 13)),
        ("NAME-00002-of-00013", ("NAME", 2, 13)),
        ("NAME-2-of-13.gguf", ("NAME-2-of-13", 1, 1)),
        ("NAME.Q4.gguf", ("NAME.Q4", 1, 1)),
        ("NAME-00001-of-00001.gguf", ("NAME", 1, 1)),
        ("NAME-00005-of-00003.gguf", ("NAME-00005-of-00003", 1, 1)),  # no shard of anything
        ("NAME-00000-of-00000.gguf", ("NAME-00000-of-00000", 1, 1)),
    ],
)
def test_shard_numbers(name: str, shard: tuple[str, int, int]) -> None:
    assert shard_of(name) == shard


@given(st.integers(1, 40), st.data())
def test_every_shard_names_the_others(of: int, data: st.DataObject) -> None:
    number = data.draw(st.integers(1, of))
    path = Path("folder") / f"Big-Q4_K_M-{number:05d}-of-{of:05d}.gguf"
    names = shards(path)
    assert names[number - 1] == path
    assert [shard_of(name).number for name in names] == list(range(1, of + 1))
    assert {display_name(name) for name in names} == {"Big-Q4_K_M"}


def test_what_is_no_language_model() -> None:
    assert is_projector("a/mmproj-Model-F16.gguf")
    assert is_importance_matrix("Model.imatrix.gguf")
    assert not is_projector("mmproj/Model.gguf")
