import pytest

from app.engine.llama.failures import load_error


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("llama_model_load: error loading model: unknown model architecture: 'nosuch'", "unsupported-architecture"),
        ("error loading model: tensor 'blk.9' data is not within the file bounds, model is corrupted", "model-damaged"),
        ("gguf_init_from_reader: failed to read key-value pairs", "model-damaged"),
        ("ggml_backend_alloc_ctx_tensors: failed to allocate CUDA0 buffer of size 7", "not-enough-memory"),
        ("this GGUF file is version 9 but this software only supports up to version 3", "model-version"),
        ("CLIP cannot be used as main model, use it with --mmproj instead", "not-a-chat-model"),
        ("error loading model: check_tensor_dims: tensor 'blk.3.ffn_up.weight' not found", "model-damaged"),
        ("error loading model: illegal split file idx: 5, model must be loaded with the first split", "shards-mixed"),
        ("error loading model vocabulary: unknown pre-tokenizer type: 'nosuch'", "unsupported-tokenizer"),
        ("something never seen before", "load-failed"),
    ],
)
def test_one_clear_sentence_each(line, code):
    error = load_error(["a warning", line], "the-model")
    assert error.code == code
    assert "the-model" in str(error)
    assert "llama" not in error.info.message
    assert line in error.info.detail
