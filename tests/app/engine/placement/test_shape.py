"""What is read from headers: sizes that are published, layer by layer."""

from dataclasses import replace
from pathlib import Path

import pytest

from app.domain.errors import AppError
from app.engine.placement.cache import cache_bytes, cells, row_bytes, window_cells
from app.engine.placement.shape import LayerCache, read_shape

F16 = ("f16", "f16")


@pytest.mark.parametrize(
    ("name", "published_bytes"),
    [
        ("kimi-k2-thinking-q4_0", 543.617 * 2**30),  # "Q4_X 543.617 GiB", with tokenizer and metadata
        ("deepseek-v3", 404.43e9),
        ("qwen3-30b-a3b", 18.556e9),
        ("gpt-oss-20b", 12.11e9),
    ],
)
def test_published_files_have_the_size_of_their_shape(published, name, published_bytes):
    assert published(name).weights == pytest.approx(published_bytes, rel=0.002)


def test_kimi_k2(published):
    model = published("kimi-k2-thinking-q4_0")
    assert (len(model.layers), model.expert_layers, model.experts, model.experts_used) == (61, 60, 384, 8)
    dense, mixture = model.layers[0], model.layers[1]
    assert dense.weights.experts == dense.weights.shared == 0
    # 384 experts of three matrices 7168 x 2048 in Q4_0, 18 bytes for 32 weights.
    assert mixture.weights.experts == 384 * 3 * 7168 * 2048 // 32 * 18
    assert mixture.largest_expert * 3 == mixture.weights.experts
    assert mixture.weights.shared == 3 * 7168 * 2048 // 32 * 34
    # Latent attention remembers 576 numbers a layer and token, keys only.
    assert mixture.cache == LayerCache(key=576)
    assert sum(cache_bytes(layer, 1024, 1024, F16) for layer in model.layers) == 61 * 576 * 2 * 1024


def test_sliding_windows_alternate(published):
    model = published("gpt-oss")
    assert [layer.cache.window for layer in model.layers] == [True, False] * 12
    assert model.window == 128
    full, windowed = cells(131072), window_cells(131072, 128, 512, full_window=False)
    assert windowed == 768
    assert sum(cache_bytes(layer, full, windowed, F16) for layer in model.layers) == 12 * (131072 + 768) * 2 * 512 * 2
    assert window_cells(131072, 128, 512, full_window=True) == full


def test_memory_of_hybrids(shapes, small, tmp_path):
    path = tmp_path / "hybrid.gguf"
    shapes.write(path, small["mamba 2"])
    caches = [layer.cache for layer in read_shape(path).layers]
    # A convolution over 3 earlier tokens of 1024 + 2 * 128 channels, and a state of 128 x 1024.
    assert caches[0] == LayerCache(state=3 * (1024 + 256) + 128 * 1024)
    assert caches[3] == LayerCache(key=128, value=128)
    shapes.write(path, small["short convolutions"])
    caches = [layer.cache for layer in read_shape(path).layers]
    assert caches[:3] == [LayerCache(state=2 * 512), LayerCache(state=2 * 512), LayerCache(key=128, value=128)]


def test_quantized_caches_are_smaller():
    assert [row_bytes(kind, 576) for kind in ("f32", "f16", "q8_0", "q4_0")] == [2304, 1152, 612, 324]


def test_shards_are_added_up(shapes, small, tmp_path):
    whole = small["experts"]
    names = list(whole.tensors)
    for number, part in enumerate((names[:20], names[20:]), 1):
        own = replace(whole, tensors={name: whole.tensors[name] for name in part})
        shapes.write(tmp_path / f"big-{number:05d}-of-00002.gguf", own)
    shapes.write(tmp_path / "whole.gguf", whole)
    sharded = read_shape(tmp_path / "big-00001-of-00002.gguf")
    assert sharded.weights == read_shape(tmp_path / "whole.gguf").weights
    assert sharded.name == "big"
    (tmp_path / "big-00002-of-00002.gguf").unlink()
    with pytest.raises(AppError, match="not beside the others"):
        read_shape(tmp_path / "big-00001-of-00002.gguf")


def test_layers_that_llama_does_not_load_are_not_counted(shapes, small, tmp_path):
    whole = small["experts"]
    shapes.write(tmp_path / "a.gguf", whole)
    metadata = {**whole.metadata, "qwen3moe.nextn_predict_layers": 1}
    shapes.write(tmp_path / "b.gguf", replace(whole, metadata=metadata))
    assert len(read_shape(tmp_path / "b.gguf").layers) == len(read_shape(tmp_path / "a.gguf").layers) - 1


def test_what_is_no_language_model_is_one_sentence(shapes, tmp_path):
    shapes.write(tmp_path / "projector.gguf", shapes.Shape({"general.architecture": "clip"}, {"v.w": ((32, 8), "F16")}))
    with pytest.raises(AppError) as caught:
        read_shape(tmp_path / "projector.gguf")
    assert caught.value.code == "plan-not-a-model"


def test_the_stored_shapes_are_what_their_script_writes(shapes, tmp_path):
    for name, (title, shape) in shapes.published().items():
        shapes.write(tmp_path / "again.gguf", shape, name=title)
        stored = Path(shapes.FOLDER) / f"{name}.gguf"
        assert stored.read_bytes() == (tmp_path / "again.gguf").read_bytes(), name
