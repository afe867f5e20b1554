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
