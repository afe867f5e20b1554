from hypothesis import given
from hypothesis import strategies as st

from app.engine.llama.fit import SMALLEST_CONTEXT, Shape, context_size, gpu_layers

GB = 1 << 30


def test_kv_bytes():
    assert Shape(layers=30, kv_heads=3, key=64, value=64).kv_bytes() == 30 * 3 * 128 * 2
    assert Shape(layers=61, kv_heads=1, key=576, value=512, latent=True).kv_bytes() == 61 * 576 * 2


def test_the_trained_context_where_it_fits_else_what_fits():
    assert context_size(None, 8192, 1000, GB, 0) == 8192
    assert context_size(None, 262_144, 100_000, GB, 0) == GB // 100_000 // 256 * 256
    assert context_size(None, 262_144, 100_000, 0, 0) == SMALLEST_CONTEXT
    assert context_size(None, 512, 100_000, 0, 0) == 512


def test_a_wish_that_fits_is_granted():
    assert context_size(1000, 8192, 1000, GB, 0) == 1000
    assert context_size(16_384, 8192, 1000, GB, 0) == 16_384
    assert context_size(1 << 30, 8192, 1000, GB, 0) == GB // 1000 // 256 * 256


def test_every_rung_halves_down_to_the_smallest():
    assert [context_size(None, 8192, 1000, GB, rung) for rung in range(5)] == [8192, 4096, 2048, 2048, 2048]
    assert context_size(512, 8192, 1000, GB, 3) == 512


def test_gpu_layers():
    assert gpu_layers(None, 32, 8 * GB, 0, [], 0) == 0
    assert gpu_layers(None, 32, 8 * GB, GB, [24 * GB], 0) == 33
    assert gpu_layers(None, 32, 8 * GB, GB, [5 * GB, 5 * GB], 0) == 33 * 8 // 9
    assert gpu_layers(10, 32, 8 * GB, GB, [24 * GB], 1) == 10
    assert gpu_layers(100, 32, 8 * GB, GB, [24 * GB], 1) == 33
    assert gpu_layers(10, 32, 8 * GB, GB, [24 * GB], 2) == 0


@given(
    st.integers(1, 200), st.integers(1, 1 << 40), st.integers(0, 1 << 38), st.lists(st.integers(0, 1 << 38), max_size=4)
)
def test_what_is_offloaded_fits_with_its_margin(layers, weights, kv, free):
    chosen = gpu_layers(None, layers, weights, kv, free, 0)
    room = sum(max(0, size - GB) for size in free)
    assert 0 <= chosen <= layers + 1
    assert (weights + kv) * chosen <= room * (layers + 1)
