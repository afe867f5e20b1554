"""The real engine when things go wrong: dead processes and broken files."""

import os
import signal
import struct
from pathlib import Path

import pytest

from app.domain.cancel import CancelToken
from app.domain.errors import AppError
from app.domain.events import EngineDied, ModelFailed
from app.domain.models import LoadRequest, Sampling
from app.engine.protocol import GenerationRequest, Tokens

pytestmark = pytest.mark.model


@pytest.mark.expect_log("the engine's process ended")
@pytest.mark.parametrize("name", ["SIGSEGV", "SIGKILL", "SIGABRT"])
def test_death_in_an_answer(tiny, name):
    prompt = tiny.ids("Once upon a time there was a sea")  # out of its depth it never ends
    events = tiny.engine.generate(GenerationRequest(prompt, Sampling(temperature=0)), CancelToken())
    while not isinstance(next(events), Tokens):
        pass
    os.kill(tiny.engine.child_pid, getattr(signal, name))
    with pytest.raises(AppError) as caught:
        list(events)
    assert caught.value.code == "engine-died"
    assert name in caught.value.info.detail
    assert len(tiny.of(EngineDied)) == 1
    assert tiny.run(prompt, max_tokens=3).text
    assert tiny.engine.model.context == 2048  # alcove-tiny's whole context is the smallest that makes sense


@pytest.fixture
def broken(tmp_path, tiny_path):
    """Writes a damaged copy of alcove-tiny."""
    data = Path(tiny_path).read_bytes()

    def write(change):
        path = tmp_path / "broken.gguf"
        path.write_bytes(change(data))
        return str(path)

    return write


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda data: data[: len(data) // 2], "model-damaged"),
        (lambda data: data[:-1], "model-damaged"),
        (lambda data: data[:20], "model-damaged"),
        (lambda data: data[:5000], "model-damaged"),
        (lambda data: data[:4], "model-damaged"),
        (lambda data: data[:4] + struct.pack("<I", 99) + data[8:], "model-version"),
        (lambda data: data[:8] + struct.pack("<Q", 1 << 60) + data[16:], "model-damaged"),
        (lambda data: data[:24] + struct.pack("<Q", 1 << 62) + data[32:], "model-damaged"),
        (lambda data: data.replace(b"deepseek2", b"deepfreak"), "unsupported-architecture"),
        (lambda data: b"Dear diary", "not-a-model"),
        (lambda data: b"", "model-empty"),
    ],
    ids=[
        "half",
        "one byte less",
        "header only",
        "in the metadata",
        "four bytes",
        "version",
        "tensor count",
        "string length",
        "architecture",
        "text",
        "empty",
    ],
)
def test_a_broken_file_is_one_sentence(make_engine, broken, change, code):
    recorded = make_engine()
    with pytest.raises(AppError) as caught:
        recorded.engine.load(LoadRequest(broken(change)))
    assert caught.value.code == code
    assert "\n" not in str(caught.value)
    assert "broken" in str(caught.value)
    assert [event.error.code for event in recorded.of(ModelFailed)] == [code]
    assert recorded.engine.child_pid is None


def test_the_engine_works_after_a_broken_file(make_engine, broken, tiny_path):
    recorded = make_engine()
    with pytest.raises(AppError):
        recorded.engine.load(LoadRequest(broken(lambda data: data[:5000])))
    recorded.engine.load(LoadRequest(tiny_path, threads=1))
    assert recorded.run(recorded.ids(), max_tokens=3).text


def test_a_context_that_cannot_be_had_is_cut_to_what_fits(make_engine, smol_path):
    recorded = make_engine()
    info = recorded.engine.load(LoadRequest(smol_path, context=1024, threads=1, rung=1))
    assert info.context == 1024
    info = recorded.engine.load(LoadRequest(smol_path, context=4096, threads=1, rung=1))
    assert info.context == 2048


def test_an_embedding_model_is_no_chat_model(make_engine, random_models, tmp_path):
    random_models.write_encoder(tmp_path / "bert.gguf")
    with pytest.raises(AppError) as caught:
        make_engine().engine.load(LoadRequest(str(tmp_path / "bert.gguf"), threads=1))
    assert caught.value.code == "not-a-chat-model"
