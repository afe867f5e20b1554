"""``alcove doctor --selftest``: the proof of an installation."""

import json

import pytest

from app.cli import main


@pytest.mark.model
def test_the_selftest_paints_a_window_and_lets_a_model_answer(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--selftest", "--json"]) == 0
    findings = {found["check"]: found for found in map(json.loads, capsys.readouterr().out.splitlines())}
    assert findings["window"]["status"] == "ok"
    assert "colours" in findings["window"]["text"]
    assert findings["conversations"]["status"] == "ok"
    assert findings["engine"]["status"] == "ok"
    assert "it says" in findings["engine"]["text"]
    assert findings["keyring"]["status"] in ("ok", "warning")


@pytest.mark.model
def test_the_trace_tells_of_the_pipe_and_of_the_cache(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--trace", "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    messages = [line for line in lines if line["event"] == "message"]
    kinds = [message["kind"] for message in messages]
    assert [kind for kind in kinds if kind in ("Loaded", "Tokenize", "Tokenized", "Generate", "Finished")] == [
        "Loaded", "Tokenize", "Tokenized", "Generate", "Finished", "Generate", "Finished"
    ]  # fmt: skip
    assert "Made" in kinds
    assert all(message["bytes"] > 0 for message in messages)
    assert [message["at"] for message in messages] == sorted(message["at"] for message in messages)
    assert {message["kind"] for message in messages if message["to"] == "engine"} == {"Tokenize", "Generate"}
    first, second = (line for line in lines if line["event"] == "asked")
    assert first["cached_tokens"] == 0
    assert second["cached_tokens"] > first["prompt_tokens"]
    assert second["cached_from"] == "memory"


@pytest.mark.model
def test_the_trace_for_a_person_is_short(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--trace", "alcove-tiny"]) == 0
    text = capsys.readouterr().out
    assert "-> Generate" in text
    assert "<- Finished" in text
    assert "lighthouse" not in text
    assert len(text.splitlines()) < 30


def test_a_model_that_is_not_there_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--trace", "no-such-model"]) == 1
    assert capsys.readouterr().err.startswith("alcove: ")
